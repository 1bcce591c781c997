// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race_lanes.h"

#include "tests/support/synthetic_topology.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(RaceLanesTest, GiveEachLaneHostCpusOfItsOwn)
{
    const auto plan = planLanes(synthesize({ .coresPerSocket = 4 }), *parseColumns("1d,2s"));
    ASSERT_TRUE(plan);
    EXPECT_EQ(placementMap(plan->placements[0]), "vmm=0,vcpu0=1");
    EXPECT_EQ(placementMap(plan->placements[1]), "vmm=2,vcpu0=2,vcpu1=3");
    EXPECT_FALSE(plan->overlapping);
    EXPECT_EQ(plan->warning, "");
}

TEST(RaceLanesTest, OverlapWhereThereAreTooFewAndSayWhatThatMeans)
{
    const auto plan = planLanes(synthesize({ .coresPerSocket = 2 }), *parseColumns("1d,2s"));
    ASSERT_TRUE(plan);
    EXPECT_EQ(placementMap(plan->placements[0]), "vmm=0,vcpu0=1");
    EXPECT_EQ(placementMap(plan->placements[1]), "vmm=0,vcpu0=0,vcpu1=1");
    EXPECT_TRUE(plan->overlapping);
    EXPECT_NE(plan->warning.find("need 4 host CPUs for themselves and there are 2"), std::string::npos)
        << plan->warning;
    EXPECT_NE(plan->warning.find("By turns"), std::string::npos);
}

TEST(RaceLanesTest, SayThatLanesShareCores)
{
    // CPUs 0 and 2 are one core, 1 and 3 the other.
    const auto plan = planLanes(synthesize({ .coresPerSocket = 2, .threadsPerCore = 2 }), *parseColumns("1d,1d"));
    ASSERT_TRUE(plan);
    EXPECT_FALSE(plan->overlapping);
    EXPECT_TRUE(plan->sharingCores);
    EXPECT_NE(plan->warning.find("share cores"), std::string::npos);
}

TEST(RaceLanesTest, UseOnlyWhatTheProcessMayUse)
{
    const auto plan = planLanes(synthesize({ .coresPerSocket = 4, .forbidden = { 1, 2 } }), *parseColumns("1s,1s"));
    ASSERT_TRUE(plan);
    EXPECT_EQ(placementMap(plan->placements[0]), "vmm=0,vcpu0=0");
    EXPECT_EQ(placementMap(plan->placements[1]), "vmm=3,vcpu0=3");
}

TEST(RaceLanesTest, FailWhereOneLaneAloneIsTooLarge)
{
    const auto plan = planLanes(synthesize({ .coresPerSocket = 2 }), *parseColumns("1d,2d"));
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().message, "Lane B is not possible here: 2(d) needs 3 logical CPUs; this host has 2.");
}

} // namespace namsan
