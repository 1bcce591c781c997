// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace namsan {

// "Long": for ./test --long, which makes the guest.
TEST(LongKbuild, MiniGivesWhatANativeBuildGives)
{
    ASSERT_TRUE(exists(guestFolder("kbuild") / "guest.json"))
        << "There is no guest kbuild. Make it: namsan guest make kbuild (./test --long does).";
    const TemporaryFolder results;
    const ProgramRun run = runNamsan({ "run", "kbuild", "--size", "mini", "--headless", "--engine", "soft", "--timeout",
        "550", "--serial", results.path("serial"), "--record", results.path("record.json") });
    const std::string serial = contentsOf(results.path("serial"));
    EXPECT_EQ(run.exitCode, 0) << run.output << "\n--- serial ---\n" << serial;
    EXPECT_NE(serial.find("! BEGIN: kbuild"), std::string::npos) << serial;
    EXPECT_NE(serial.find("kbuild: 1 files as a native build gives them"), std::string::npos) << serial;

    const auto record = nlohmann::json::parse(results.read("record.json"));
    EXPECT_GT(record.at("guest_instructions").get<uint64_t>(), 1'000'000'000u);
}

} // namespace namsan
