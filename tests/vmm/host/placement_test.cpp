// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/placement.h"

#include "tests/support/synthetic_topology.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

Placement at(std::optional<LogicalCpu> vmm, std::vector<std::optional<LogicalCpu>> vcpus)
{
    return { vmm, std::move(vcpus) };
}

Placement planned(const SyntheticHost& host, PlacementPolicy policy, unsigned vcpus)
{
    const auto placement = plan(synthesize(host), policy, vcpus);
    EXPECT_TRUE(placement) << placement.error().message;
    return placement ? *placement : Placement {};
}

std::string refusal(const SyntheticHost& host, PlacementPolicy policy, unsigned vcpus)
{
    const auto placement = plan(synthesize(host), policy, vcpus);
    EXPECT_FALSE(placement);
    return placement ? "" : placement.error().message;
}

std::string refusal(std::string_view text, unsigned vcpus = 1)
{
    const auto placement = parsePlacement(text, synthesize({ .coresPerSocket = 4, .forbidden = { 3 } }), vcpus);
    EXPECT_FALSE(placement) << text;
    return placement ? "" : placement.error().message;
}

constexpr auto Free = PlacementPolicy::Free;
constexpr auto Shared = PlacementPolicy::Shared;
constexpr auto Disjoint = PlacementPolicy::Disjoint;

} // namespace

TEST(PlacementPlan, FreePinsNothingAndStillNamesEveryVcpu)
{
    EXPECT_EQ(planned({}, Free, 3), at({}, { {}, {}, {} }));
}

TEST(PlacementPlan, SharedPutsTheVmmBesideVcpu0)
{
    EXPECT_EQ(planned({ .coresPerSocket = 4 }, Shared, 1), at(0, { 0 }));
    EXPECT_EQ(planned({ .coresPerSocket = 4 }, Shared, 4), at(0, { 0, 1, 2, 3 }));
}

TEST(PlacementPlan, DisjointGivesTheVmmACpuOfItsOwn)
{
    EXPECT_EQ(planned({ .coresPerSocket = 4 }, Disjoint, 1), at(0, { 1 }));
    EXPECT_EQ(planned({ .coresPerSocket = 4 }, Disjoint, 3), at(0, { 1, 2, 3 }));
}

TEST(PlacementPlan, TakesWholeCoresBeforeTheirSiblings)
{
    // Cores 0 and 1 have the CPUs 0, 2 and 1, 3.
    const SyntheticHost host { .coresPerSocket = 2, .threadsPerCore = 2 };
    EXPECT_EQ(planned(host, Disjoint, 1), at(0, { 1 }));
    EXPECT_EQ(planned(host, Disjoint, 3), at(0, { 1, 2, 3 }));
}

TEST(PlacementPlan, KnowsSiblingsThatAreNumberedSideBySide)
{
    // As on some hosts: CPU 1 is the sibling of CPU 0.
    const Topology topology { "adjacent",
        { { 0, 0, 0, 0, true }, { 1, 0, 0, 0, true }, { 2, 1, 0, 0, true }, { 3, 1, 0, 0, true } } };
    const auto placement = plan(topology, Disjoint, 3);
    ASSERT_TRUE(placement);
    EXPECT_EQ(*placement, at(0, { 2, 1, 3 }));
}

TEST(PlacementPlan, FillsOneNumaNodeBeforeTheNext)
{
    // Node 0 has the CPUs 0, 1 and their siblings 4, 5; node 1 has 2, 3 and 6, 7.
    const SyntheticHost host { .sockets = 2, .coresPerSocket = 2, .threadsPerCore = 2 };
    EXPECT_EQ(planned(host, Shared, 2), at(0, { 0, 1 }));
    EXPECT_EQ(planned(host, Shared, 6), at(0, { 0, 1, 2, 3, 4, 5 }));
}

TEST(PlacementPlan, StepsOverHolesAndForbiddenCpus)
{
    EXPECT_EQ(planned({ .coresPerSocket = 6, .holes = { 0, 2 }, .forbidden = { 3 } }, Disjoint, 2), at(1, { 4, 5 }));
}

TEST(PlacementPlan, ASiblingWhoseCoreIsOtherwiseForbiddenCountsAsAWholeCore)
{
    // CPU 0 is forbidden: its sibling 2 has core 0 for itself.
    EXPECT_EQ(planned({ .coresPerSocket = 2, .threadsPerCore = 2, .forbidden = { 0 } }, Disjoint, 1), at(2, { 1 }));
}

TEST(PlacementPlan, SaysHowManyCpusAreMissing)
{
    EXPECT_EQ(refusal({ .coresPerSocket = 2 }, Disjoint, 2), "2(d) needs 3 logical CPUs; this host has 2.");
    EXPECT_EQ(refusal({ .coresPerSocket = 8, .forbidden = { 1, 2, 3, 4, 5, 6, 7 } }, Disjoint, 1),
        "1(d) needs 2 logical CPUs; this process may use 1 of this host's 8.");
    EXPECT_EQ(refusal({ .forbidden = { 0 } }, Shared, 1),
        "1(s) needs 1 logical CPU; this process may use 0 of this host's 1.");
}

TEST(PlacementText, NamesPoliciesAndMaps)
{
    const Topology host = synthesize({ .coresPerSocket = 4 });
    const auto parsed = [&](std::string_view text, unsigned vcpus) {
        const auto placement = parsePlacement(text, host, vcpus);
        EXPECT_TRUE(placement) << text << ": " << placement.error().message;
        return placement ? *placement : Placement {};
    };
    EXPECT_EQ(parsed("free", 1), at({}, { {} }));
    EXPECT_EQ(parsed("1s", 1), at(0, { 0 }));
    EXPECT_EQ(parsed("2(d)", 2), at(0, { 1, 2 }));
    EXPECT_EQ(parsed("vmm=0,vcpu0=1", 1), at(0, { 1 }));
    EXPECT_EQ(parsed("vcpu1=3", 2), at({}, { {}, 3 }));
}

TEST(PlacementText, SaysWhatIsWrong)
{
    EXPECT_EQ(refusal("fast"),
        "The placement \"fast\" is not understood; write free, 1s, 1d, or a map such as vmm=0,vcpu0=1.");
    EXPECT_EQ(refusal(""), "The placement \"\" is not understood; write free, 1s, 1d, or a map such as vmm=0,vcpu0=1.");
    EXPECT_EQ(refusal("2s"),
        "The placement \"2s\" is for 2 vCPUs, and this VM has 1; write free, 1s, 1d, or a map such as vmm=0,vcpu0=1.");
    EXPECT_EQ(refusal("vmm=9"),
        "CPU 9 of the placement's part \"vmm=9\" does not exist on this host; choose from the CPUs 0-2.");
    EXPECT_EQ(refusal("vmm=3"),
        "CPU 3 of the placement's part \"vmm=3\" is not allowed to this process (taskset or a cgroup narrows it); "
        "choose from the CPUs 0-2.");
    EXPECT_EQ(refusal("vmm=x"),
        "In the placement's part \"vmm=x\", \"x\" is not the number of a CPU; this process may use the CPUs 0-2.");
    EXPECT_EQ(refusal("vmm=0,vcpu1=1"), "The placement names vCPU 1, and this VM has only vCPU 0; vCPUs count from 0.");
    EXPECT_EQ(refusal("vmm=0,vmm=1"), "The placement names vmm twice; leave one of the two out.");
    EXPECT_EQ(refusal("disk=0"),
        "The placement names \"disk\", which is no thread of a VM; write free, 1s, 1d, or a map such as "
        "vmm=0,vcpu0=1.");
    for (const char* text : { "s", "(s)", "1()", "1(s", "1(sd)", "=", ",", "vmm=0,", "vmm=99999999999999999999",
             "vcpu=1", "vcpu99999999999=1", "vmm=-1" })
        EXPECT_FALSE(refusal(text).empty()) << text;
}

TEST(PlacementText, DescribesWhatItParses)
{
    const Topology host = synthesize({ .coresPerSocket = 8 });
    for (const auto& [text, vcpus, shape] : std::vector<std::tuple<const char*, unsigned, const char*>> {
             { "free", 2, "free" },
             { "1s", 1, "1(s)" },
             { "3d", 3, "3(d)" },
             { "vmm=5,vcpu0=5,vcpu1=2", 2, "2(s)" },
             { "vmm=5,vcpu0=1,vcpu1=5", 2, "vmm=5,vcpu0=1,vcpu1=5" },
             { "vmm=5,vcpu0=1,vcpu1=1", 2, "vmm=5,vcpu0=1,vcpu1=1" },
             { "vcpu1=3", 2, "vcpu1=3" },
             { "vmm=1", 1, "vmm=1" },
         }) {
        const auto placement = parsePlacement(text, host, vcpus);
        ASSERT_TRUE(placement) << text;
        EXPECT_EQ(describe(*placement), shape) << text;
    }
}

} // namespace namsan
