// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/affinity.h"
#include "vmm/host/placement.h"
#include "vmm/host/thread_usage.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <unistd.h>

namespace namsan {

namespace {

// A thread that waits until the test is done with it.
class WaitingThread {
public:
    WaitingThread()
        : m_thread([this] {
            m_id.set_value(gettid());
            m_release.get_future().wait();
        })
    {
        id = m_id.get_future().get();
    }
    ~WaitingThread() { end(); }
    void end()
    {
        if (m_thread.joinable()) {
            m_release.set_value();
            m_thread.join();
        }
    }

    ThreadId id = 0;

private:
    std::promise<ThreadId> m_id;
    std::promise<void> m_release;
    std::thread m_thread;
};

} // namespace

TEST(HostTopology, NamesEveryCpuThatThisProcessMayUse)
{
    const auto topology = readTopology();
    ASSERT_TRUE(topology) << topology.error().message;
    const auto allowed = readAllowedCpus();
    ASSERT_TRUE(allowed);
    EXPECT_EQ(topology->allowed(), *allowed);
    EXPECT_FALSE(topology->processorName.empty());
    for (const LogicalCpu cpu : *allowed)
        EXPECT_TRUE(topology->find(cpu));
    EXPECT_EQ(topology->find(1'000'000), nullptr);
}

TEST(Affinity, MovesAThreadAndTellsWhatWasGranted)
{
    WaitingThread thread;
    const auto allowed = readAllowedCpus();
    ASSERT_TRUE(allowed);
    for (const LogicalCpu cpu : *allowed) {
        const auto granted = setAffinity(thread.id, cpu);
        ASSERT_TRUE(granted) << granted.error().message;
        EXPECT_EQ(*granted, CpuSet { cpu });
    }
    const auto freed = setAffinity(thread.id, std::nullopt);
    ASSERT_TRUE(freed);
    EXPECT_EQ(*freed, *allowed);
}

TEST(Affinity, APinnedThreadStillSeesAllThatTheProcessMayUse)
{
    const auto before = readAllowedCpus();
    ASSERT_TRUE(before);
    auto seen = std::async(std::launch::async, [&] {
        const auto granted = setAffinity(gettid(), *before->begin());
        EXPECT_TRUE(granted);
        return *readAllowedCpus();
    });
    EXPECT_EQ(seen.get(), *before);
}

TEST(Affinity, RefusesACpuThatDoesNotExistAndChangesNothing)
{
    WaitingThread thread;
    const auto allowed = readAllowedCpus();
    ASSERT_TRUE(allowed && setAffinity(thread.id, *allowed->begin()));
    const auto refused = setAffinity(thread.id, 100'000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
        "CPU 100000 is not allowed to this process; choose from the CPUs " + describe(*allowed) + ".");
    cpu_set_t mask;
    ASSERT_EQ(sched_getaffinity(thread.id, sizeof mask, &mask), 0);
    EXPECT_EQ(CPU_COUNT(&mask), 1);
}

TEST(Affinity, RefusesThreadsThatAreNotOurs)
{
    WaitingThread thread;
    const ThreadId id = thread.id;
    thread.end();
    EXPECT_FALSE(setAffinity(id, std::nullopt));
    EXPECT_FALSE(setAffinity(getppid(), std::nullopt));
    EXPECT_FALSE(setAffinity(0, std::nullopt));
}

TEST(Affinity, DescribesSetsAsRanges)
{
    EXPECT_EQ(describe(CpuSet {}), "");
    EXPECT_EQ(describe(CpuSet { 3 }), "3");
    EXPECT_EQ(describe(CpuSet { 0, 1, 2, 5, 7, 8 }), "0-2,5,7-8");
}

TEST(ThreadUsageReading, CountsTheCpuTimeOfABusyThread)
{
    auto usage = std::async(std::launch::async, [] {
        const auto before = readThreadUsage(gettid());
        volatile unsigned work = 0;
        for (unsigned i = 0; i < 20'000'000; ++i)
            work = work + i;
        return std::pair(before, readThreadUsage(gettid()));
    });
    const auto [before, after] = usage.get();
    ASSERT_TRUE(before && after);
    EXPECT_GT(after->cpuTime, before->cpuTime + std::chrono::milliseconds(1));
    EXPECT_TRUE(readAllowedCpus()->contains(after->lastCpu));
}

TEST(ThreadUsageReading, SeesWhereAPinnedThreadRan)
{
    const auto allowed = readAllowedCpus();
    ASSERT_TRUE(allowed);
    auto lastCpu = std::async(std::launch::async, [cpu = *allowed->rbegin()] {
        EXPECT_TRUE(setAffinity(gettid(), cpu));
        return readThreadUsage(gettid())->lastCpu;
    });
    EXPECT_EQ(lastCpu.get(), *allowed->rbegin());
}

TEST(ThreadUsageReading, IsEmptyForThreadsThatAreGoneOrNotOurs)
{
    WaitingThread thread;
    EXPECT_TRUE(readThreadUsage(thread.id));
    const ThreadId id = thread.id;
    thread.end();
    EXPECT_FALSE(readThreadUsage(id));
    EXPECT_FALSE(readThreadUsage(getppid()));
    EXPECT_FALSE(readThreadUsage(0));
    EXPECT_FALSE(readThreadUsage(-1));
}

} // namespace namsan
