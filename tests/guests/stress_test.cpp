// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace namsan {

// By the number of vCPUs.
class LongStress : public ::testing::TestWithParam<unsigned> { };

// What processors do to each other, for ten minutes, with every result verified. "Long": for ./test --long, which makes
// the guest.
TEST_P(LongStress, ComesThroughWithoutAnError)
{
    ASSERT_TRUE(exists(guestFolder("stress") / "guest.json"))
        << "There is no guest stress. Make it: namsan guest make stress (./test --long does).";
    const TemporaryFolder results;
    const ProgramRun run = runNamsan({ "run", "stress", "--vcpus", fmt::format("{}", GetParam()), "--workload",
        "stress", "--size", "standard", "--headless", "--engine", "soft", "--timeout", "1500", "--serial",
        results.path("serial"), "--record", results.path("record.json") });
    const std::string serial = contentsOf(results.path("serial"));
    EXPECT_EQ(run.exitCode, 0) << run.output << "\n--- serial ---\n" << serial;
    EXPECT_NE(serial.find("stress: nothing to complain of"), std::string::npos) << serial;

    const auto record = nlohmann::json::parse(results.read("record.json"));
    EXPECT_GT(record.at("guest_instructions").get<uint64_t>(), 10'000'000'000u);
}

INSTANTIATE_TEST_SUITE_P(Long, LongStress, ::testing::Values(2u, 4u));

} // namespace namsan
