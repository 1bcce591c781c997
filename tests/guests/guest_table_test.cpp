// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace namsan {

// Real guests, run by the real program: one row is one run, and what must come of it.
struct GuestRun {
    const char* name;
    std::vector<std::string> arguments; // after: run --headless --kernel ... --initrd ... --record ... --serial ...
    std::string append;
    int exitCode;
    std::string serialHolds; // text that the serial console must have shown
    double atMostSeconds; // until the program's end
    std::string guest = "tiny";
    std::string engine = "soft:translator";
};

void PrintTo(const GuestRun& run, std::ostream* out)
{
    *out << run.name;
}

namespace {
const std::string quick = "console=ttyS0 cryptomgr.notests";
const std::string quickOnBoth = "console=tty0 console=ttyS0 cryptomgr.notests";

// Times are those that the project promises for 2 busy cores, or generous where it promises none.
const std::vector<GuestRun> table {
    { "BootsUnpacked", { "--until", "Namsan tiny guest" }, quick, 0, "Run /init as init process", 20 },
    { "BootsPacked", { "--until", "Namsan tiny guest", "--no-unpack" }, quick, 0, "Run /init as init process", 120 },
    { "AnswersOnTheSerialConsole", { "--type", "/ #=>echo product $((6*7)) >/dev/ttyS0\\n", "--until", "product 42" },
        quick, 0, "product 42", 60 },
    { "AnswersOnTheTextScreen", { "--type", "/ #=>echo product $((6*7))\\n", "--until-screen", "product 42" },
        quickOnBoth, 0, "", 60 },
    { "SwitchesItselfOff", { "--type", "/ #=>poweroff -f\\n" }, quick, 0, "reboot: Power down", 60 },
    { "EndsAtARebootIfTold", { "--type", "/ #=>reboot -f\\n", "--no-reboot", "--until", "never said" }, quick, 5,
        "reboot: Restarting system", 60 },
    // The last step waits for a prompt of the second start, not for the one that the text screen still shows.
    { "StartsAgainAfterAReboot",
        { "--type", "/ #=>reboot -f\\n", "--type", "reboot: Restarting system=>\\n", "--type", "Namsan tiny guest=>\\n",
            "--type", "/ #=>poweroff -f\\n" },
        quick, 0, "reboot: Power down", 100 },
    { "DrawsOnTheLinearFrameBuffer", { "--screen", "1024x768", "--until", "Namsan tiny guest" }, quickOnBoth, 0,
        "fb0: VESA VGA frame buffer device", 60 },
    { "PanicsWithoutUserSpace", { "--until", "Kernel panic" }, quick + " rdinit=/nothing root=/dev/ram0 init=/no", 0,
        "Kernel panic", 60 },
    { "RunsOutOfTime", { "--until", "never said", "--timeout", "3" }, quick, 3, "Linux version", 10 },
    { "CountsWithSoundTime", { "--until", "! PERF: count" }, quick + " namsan.workload=count", 0, "! BEGIN: count",
        300 },
    { "TakesInterruptsByApics",
        { "--apic", "always", "--type", "/ #=>echo product $((6*7)) >/dev/ttyS0\\n", "--until", "product 42" }, quick,
        0, "Switch to symmetric I/O mode", 60 },
    { "BringsTwoProcessorsUp", { "--vcpus", "2", "--until", "2 CPU, " }, quick, 0, "Brought up 1 node, 2 CPUs", 60 },
    { "BringsFourProcessorsUp", { "--vcpus", "4", "--until", "4 CPU, " }, quick, 0, "Brought up 1 node, 4 CPUs", 100 },
    { "InterpretsFourProcessors", { "--vcpus", "4", "--until", "4 CPU, " }, quick, 0, "Brought up 1 node, 4 CPUs", 100,
        "tiny", "soft:interpreter" },
    // Each unit of translated code beside the interpreter; a difference ends the run.
    { "BootsInLockstep", { "--until", "Memory: " }, quick, 0, "Memory: ", 120, "tiny", "soft:lockstep" },
    { "BootsInLockstepWithTables", { "--until", "Memory: " }, quick, 0, "Memory: ", 120, "tiny",
        "soft:lockstep,memory=tlb" },
};

// Also with other kernels: as packed as they come, so much longer than the table above may take.
const std::vector<GuestRun> longTable {
    { "PaeKernelBoots", { "--type", "/ #=>echo product $((6*7)) >/dev/ttyS0\\n", "--until", "product 42" }, quick, 0,
        "NX (Execute Disable) protection: active", 120, "tiny-pae" },
    { "PaeKernelBootsPacked", { "--until", "Namsan tiny guest", "--no-unpack" }, quick, 0, "Run /init as init process",
        300, "tiny-pae" },
    { "PaeKernelBringsTwoProcessorsUp", { "--vcpus", "2", "--until", "2 CPU, " }, quick, 0, "Brought up 1 node, 2 CPUs",
        120, "tiny-pae" },
    { "PaeKernelBringsFourProcessorsUp", { "--vcpus", "4", "--until", "4 CPU, " }, quick, 0,
        "Brought up 1 node, 4 CPUs", 200, "tiny-pae" },
    { "PaeKernelCounts", { "--until", "! PERF: count" }, quick + " namsan.workload=count", 0, "s ok", 300, "tiny-pae" },
};

// All of that on another engine.
std::vector<GuestRun> tableOn(const std::string& engine)
{
    std::vector<GuestRun> runs;
    for (const auto& part : { table, longTable }) {
        for (GuestRun run : part) {
            if (run.engine != "soft:translator")
                continue;
            run.engine = engine;
            run.atMostSeconds *= 2;
            runs.push_back(std::move(run));
        }
    }
    return runs;
}

class GuestTable : public ::testing::TestWithParam<GuestRun> { };
} // namespace

TEST_P(GuestTable, ComesToItsEnd)
{
    const std::string& guest = GetParam().guest;
    const auto folder = guestFolder(guest);
    ASSERT_TRUE(exists(folder / "vmlinuz")) << "There is no guest " << guest << " in " << folder
                                            << ". Make it: resources/guests/make-guest " << guest << " (./test does).";
    const TemporaryFolder results;
    std::vector<std::string> arguments { "run", "--headless", "--engine", GetParam().engine, "--kernel",
        folder / "vmlinuz", "--initrd", folder / "initrd.gz", "--append", GetParam().append, "--memory", "256M",
        "--serial", results.path("serial"), "--record", results.path("record.json") };
    arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
    // A run that hangs ends some time and then shows its serial console.
    if (std::ranges::find(arguments, "--timeout") == arguments.end())
        arguments.insert(arguments.end(), { "--timeout", fmt::format("{}", GetParam().atMostSeconds) });

    const ProgramRun run = runNamsan(arguments);
    const std::string serial = contentsOf(results.path("serial"));
    EXPECT_EQ(run.exitCode, GetParam().exitCode) << run.output << "\n--- serial ---\n" << serial;
    EXPECT_NE(serial.find(GetParam().serialHolds), std::string::npos) << serial;
    EXPECT_LE(run.seconds, GetParam().atMostSeconds);

    const auto record = nlohmann::json::parse(contentsOf(results.path("record.json")));
    EXPECT_GT(record.at("guest_instructions").get<uint64_t>(), 1'000'000u);
    EXPECT_EQ(record.at("engine").at("name"), GetParam().engine);
}

INSTANTIATE_TEST_SUITE_P(Guests, GuestTable, ::testing::ValuesIn(table),
    [](const ::testing::TestParamInfo<GuestRun>& info) { return info.param.name; });

// "Long": for ./test --long.
INSTANTIATE_TEST_SUITE_P(LongGuests, GuestTable, ::testing::ValuesIn(longTable),
    [](const ::testing::TestParamInfo<GuestRun>& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(LongInterpreted, GuestTable, ::testing::ValuesIn(tableOn("soft:interpreter")),
    [](const ::testing::TestParamInfo<GuestRun>& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(LongWithTables, GuestTable, ::testing::ValuesIn(tableOn("soft:translator,memory=tlb")),
    [](const ::testing::TestParamInfo<GuestRun>& info) { return info.param.name; });

} // namespace namsan
