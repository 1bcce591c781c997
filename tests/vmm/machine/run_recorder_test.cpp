// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/run_recorder.h"

#include "tests/support/fake_machine.h"
#include "tests/support/synthetic_topology.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace namsan {

namespace {

using namespace std::chrono_literals;

std::span<const uint8_t> bytes(std::string_view text)
{
    return { reinterpret_cast<const uint8_t*>(text.data()), text.size() };
}

class RunRecorderTest : public ::testing::Test {
protected:
    RunRecorderTest() { recorder.attach(machine); }

    void timeIs(std::chrono::milliseconds host)
    {
        MachineSample sample;
        sample.hostTime = host;
        machine.setSample(sample);
    }
    std::vector<std::chrono::nanoseconds> recordedTimes() const
    {
        std::vector<std::chrono::nanoseconds> times;
        for (const MachineSample& sample : recorder.record().samples)
            times.push_back(sample.hostTime);
        return times;
    }

    FakeMachine machine;
    RunRecorder recorder { machine.config(), "1.2.3", synthesize({ .coresPerSocket = 4 }) };
};

} // namespace

TEST_F(RunRecorderTest, KnowsWhatIsRunOnWhat)
{
    const RunRecord record = recorder.record();
    EXPECT_EQ(record.programVersion, "1.2.3");
    EXPECT_EQ(record.engineName, "fake");
    EXPECT_EQ(record.hostCpus, 4u);
    EXPECT_EQ(record.hostProcessor, "synthetic processor");
    EXPECT_EQ(record.startedAt.size(), std::string("2019-05-09T00:00:00Z").size());
    EXPECT_EQ(record.requested.vcpus.size(), 1u);
}

TEST_F(RunRecorderTest, ListsTheMovesBetweenEngines)
{
    machine.engines = { { "soft:translator", {} }, { "kvm", {} } };
    timeIs(2s);
    ASSERT_TRUE(machine.moveToEngine("soft:translator"));
    const auto countsInstructions = [&] { return !toJson(recorder.record()).at("guest_instructions").is_null(); };
    EXPECT_TRUE(countsInstructions());
    timeIs(3s);
    ASSERT_TRUE(machine.moveToEngine("kvm"));
    EXPECT_FALSE(machine.moveToEngine("xen"));
    EXPECT_FALSE(countsInstructions()); // KVM tells nothing of that, so there is no sum
    recorder.detach();

    const nlohmann::json engine = toJson(recorder.record()).at("engine");
    EXPECT_EQ(engine.at("name"), "fake");
    ASSERT_EQ(engine.at("moves").size(), 2u);
    EXPECT_EQ(engine.at("moves")[0].at("host_seconds"), 2.0);
    EXPECT_EQ(engine.at("moves")[0].at("from"), "fake");
    EXPECT_EQ(engine.at("moves")[0].at("to"), "soft:translator");
    EXPECT_EQ(engine.at("moves")[1].at("to"), "kvm");
    EXPECT_EQ(engine.at("moves")[1].at("reason"), "asked for");
}

TEST_F(RunRecorderTest, TimesAWorkloadByTheHostsClock)
{
    timeIs(1s);
    EXPECT_EQ(recorder.serialOutput(bytes("! BEGIN: count\n")).size(), 1u);
    timeIs(3s);
    recorder.serialOutput(bytes("! PERF: count 1.9 s ok\n"));

    const auto workloads = recorder.record().workloads;
    ASSERT_EQ(workloads.size(), 1u);
    EXPECT_TRUE(workloads[0].finished);
    EXPECT_TRUE(workloads[0].ok);
    EXPECT_EQ(workloads[0].guestSeconds, 1.9);
    EXPECT_EQ(workloads[0].hostSeconds, 2.0);
    EXPECT_NEAR(workloads[0].drift(), -0.05, 1e-9);
}

TEST_F(RunRecorderTest, KeepsApartWorkloadsThatOverlap)
{
    recorder.serialOutput(bytes("! BEGIN: a\n! BEGIN: b\n! PERF: a 1 s failed\n! PERF: nobody 1 s ok\n"));
    const auto workloads = recorder.record().workloads;
    ASSERT_EQ(workloads.size(), 2u);
    EXPECT_TRUE(workloads[0].finished);
    EXPECT_FALSE(workloads[0].ok);
    EXPECT_FALSE(workloads[1].finished);
    EXPECT_EQ(workloads[1].drift(), 0);
}

TEST_F(RunRecorderTest, AGuestThatBeginsForEverFillsNoMemory)
{
    for (size_t i = 0; i < 2 * RunRecorder::mostWorkloads; ++i)
        recorder.serialOutput(bytes("! BEGIN: again\n"));
    const RunRecord record = recorder.record();
    EXPECT_EQ(record.workloads.size(), RunRecorder::mostWorkloads);
    ASSERT_FALSE(record.log.empty());
    EXPECT_EQ(record.log.back().text, "200 more workloads began after the 200 that are recorded");
}

TEST_F(RunRecorderTest, KeepsTheFirstAndTheLastSample)
{
    for (const auto time : { 0s, 1s, 2s }) {
        timeIs(time);
        EXPECT_EQ(recorder.takeSample().hostTime, time);
    }
    EXPECT_EQ(recordedTimes(), (std::vector<std::chrono::nanoseconds> { 0s, 1s, 2s }));
}

TEST_F(RunRecorderTest, ThinsTheSamplesOfALongRunEvenly)
{
    constexpr int taken = 10'002;
    for (int i = 0; i < taken; ++i) {
        timeIs(std::chrono::seconds(i));
        recorder.takeSample();
        ASSERT_LE(recorder.record().samples.size(), RunRecorder::mostSamples + 1);
    }
    const auto times = recordedTimes();
    ASSERT_GT(times.size(), RunRecorder::mostSamples / 2);
    EXPECT_EQ(times.front(), 0s);
    EXPECT_EQ(times.back(), std::chrono::seconds(taken - 1));
    const auto step = times[1] - times[0];
    for (size_t i = 1; i + 1 < times.size(); ++i)
        ASSERT_EQ(times[i] - times[i - 1], step);
}

TEST_F(RunRecorderTest, RemembersTheEndAfterTheMachineIsGone)
{
    timeIs(5s);
    machine.ownLog().add(LogLevel::Note, "board", "hello");
    machine.end(MachineEnding::Reason::Halted, "HLT with interrupts off.");
    recorder.detach();

    const RunRecord record = recorder.record();
    ASSERT_TRUE(record.ending);
    EXPECT_EQ(record.ending->reason, MachineEnding::Reason::Halted);
    ASSERT_EQ(record.log.size(), 1u);
    EXPECT_EQ(record.log[0].text, "hello");
    EXPECT_EQ(record.samples.back().hostTime, 5s);
    EXPECT_TRUE(recorder.serialOutput(bytes("! BEGIN: late\n")).size() == 1 && recorder.record().workloads.empty());
}

} // namespace namsan
