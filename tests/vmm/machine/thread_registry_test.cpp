// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/thread_registry.h"

#include <gtest/gtest.h>

#include <thread>

namespace namsan {

TEST(ThreadRegistry, ListsTheVmmTheVcpusAndTheHelpers)
{
    const ThreadRegistry registry(2, { "NAT" });
    const auto figures = registry.figures();
    ASSERT_EQ(figures.size(), 4u);
    EXPECT_EQ(figures[0].role, "VMM");
    EXPECT_EQ(figures[2].role, "vCPU 1");
    EXPECT_EQ(figures[3].role, "NAT");
    EXPECT_EQ(registry.requested().vcpus.size(), 2u);
}

TEST(ThreadRegistry, HasHelpersShareTheVmmsPlace)
{
    const LogicalCpu here = []() -> LogicalCpu {
        cpu_set_t allowed;
        sched_getaffinity(0, sizeof allowed, &allowed);
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
            if (CPU_ISSET(cpu, &allowed))
                return static_cast<LogicalCpu>(cpu);
        return 0;
    }();
    ThreadRegistry registry(1, { "NAT" });
    ASSERT_TRUE(registry.place({ .vmm = here, .vcpus = { std::nullopt } }).ok());
    std::thread([&] { registry.helperBegins(0); }).join();
    const auto figures = registry.figures();
    EXPECT_EQ(figures[2].requested, here);
    EXPECT_EQ(figures[2].granted, CpuSet { here });
    EXPECT_FALSE(figures[1].requested);
}

} // namespace namsan
