// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_bench.h"

namespace namsan {

namespace {

class CommandLineTest : public ProgramBench {
protected:
    CommandLineTest()
    {
        folder.write("namsan/guests/tiny/guest.json",
            R"({"format": "namsan-guest", "version": 1, "title": "Tiny", "kernel": "vmlinuz", "append": "quiet",
                "memory": "128M", "workloads": {"count": "namsan.workload=count"}})");
    }
};

} // namespace

TEST_F(CommandLineTest, WithoutArgumentsOpensTheWindowWithTheTinyGuest)
{
    EXPECT_EQ(run({}), ExitCode::Success);
    ASSERT_TRUE(window);
    EXPECT_EQ(window->config.name, "tiny");
}

TEST_F(CommandLineTest, WithoutArgumentsDoesWhatWasChosenOnTheFirstScreen)
{
    choice = { "run", "tiny", "--name", "chosen" };
    EXPECT_EQ(run({}), ExitCode::Success);
    ASSERT_TRUE(window);
    EXPECT_EQ(window->config.name, "chosen");
    choice.emplace(); // the first screen was closed
    EXPECT_EQ(run({}), ExitCode::Success);
    EXPECT_FALSE(window);
}

TEST_F(CommandLineTest, RunOpensTheWindowWithItsMachine)
{
    EXPECT_EQ(run({ "run", "tiny", "--until", "x", "--timeout", "2.5" }), ExitCode::Success);
    ASSERT_TRUE(window);
    EXPECT_EQ(window->config.name, "tiny");
    EXPECT_EQ(window->config.kernel, folder.path("namsan/guests/tiny/vmlinuz"));
    EXPECT_EQ(window->config.memoryBytes, uint64_t { 128 } << 20);
    EXPECT_EQ(window->orders.until, "x");
    EXPECT_EQ(window->orders.timeout, std::chrono::milliseconds(2500));
    EXPECT_FALSE(machine);
}

TEST_F(CommandLineTest, HeadlessRunNeedsNoWindow)
{
    EXPECT_EQ(run({ "run", "tiny", "--headless" }), ExitCode::Success) << errors.str();
    EXPECT_FALSE(window);
    ASSERT_TRUE(machine);
    EXPECT_EQ(machine->name, "tiny");
}

TEST_F(CommandLineTest, TakesEveryOptionOfARun)
{
    ASSERT_EQ(run({ "run", "--kernel", "k", "--initrd", "i", "--append", "-x console=ttyS0 a=b,c", "--memory", "1G",
                  "--cpu", "core2", "--engine", "soft", "--placement", "free", "--screen", "800x600", "--network",
                  "nat", "--no-host-access", "--forward", "tcp:127.0.0.1:8080:80", "--forward", "udp:127.0.0.1:53:53",
                  "--no-unpack", "--no-reboot", "--until-screen", "login", "--type", "a=>b", "--type", "c=>d\\n",
                  "--serial", "stdio", "--screenshot", folder.path("s.png"), "--record", folder.path("r.json") }),
        ExitCode::Success)
        << errors.str();
    ASSERT_TRUE(window);
    const MachineConfig expected { .kernel = "k",
        .initrd = "i",
        .append = "-x console=ttyS0 a=b,c",
        .memoryBytes = uint64_t { 1 } << 30,
        .cpu = "core2",
        .engine = "soft",
        .screen = { false, 800, 600 },
        .network = { NetworkConfig::Kind::Nat, false,
            { { .hostPort = 8080, .guestPort = 80 },
                { .protocol = PortForward::Protocol::Udp, .hostPort = 53, .guestPort = 53 } } },
        .unpackKernel = false,
        .reboot = false };
    EXPECT_EQ(window->config, expected);
    EXPECT_EQ(window->orders.untilScreen, "login");
    ASSERT_EQ(window->orders.typing.size(), 2u);
    EXPECT_EQ(window->orders.typing[1].waitFor, "c");
    EXPECT_EQ(window->orders.serial, "stdio");
}

TEST_F(CommandLineTest, TakesWhatTestGuestsNeed)
{
    ASSERT_EQ(run({ "run", "--multiboot", "k", "--module", "a x=1,2 y", "--module", "b", "--append", "c", "--device",
                  "isa-debug-exit", "--device", "debugcon,file=a,b" }),
        ExitCode::Success)
        << errors.str();
    ASSERT_TRUE(window);
    const MachineConfig expected { .append = "c",
        .multiboot = "k",
        .modules = { "a x=1,2 y", "b" },
        .devices = { { OptionalDevice::Kind::DebugExit, "" }, { OptionalDevice::Kind::DebugConsole, "a,b" } } };
    EXPECT_EQ(window->config, expected);
    ASSERT_EQ(run({ "run", "--bios", "b" }), ExitCode::Success);
    EXPECT_EQ(window->config.bios, "b");
    ASSERT_EQ(run({ "run", "--boot-sector", "s" }), ExitCode::Success);
    EXPECT_EQ(window->config.bootSector, "s");
}

TEST_F(CommandLineTest, RefusesWhatDoesNotGoTogether)
{
    EXPECT_EQ(refusal({ "run", "tiny", "--module", "m" }),
        "The module m goes with a Multiboot kernel, and the machine starts a Linux kernel; give it one with "
        "--multiboot FILE, or the file as --initrd.");
    EXPECT_EQ(refusal({ "run", "--bios", "b", "--boot-sector", "s" }),
        "A machine starts one thing, and this one was given a ROM (b) and a boot sector (s); leave out all but one.");
    EXPECT_NE(refusal({ "run", "tiny", "--multiboot", "m" }).find("and a Multiboot kernel (m)"), std::string::npos);
    EXPECT_EQ(refusal({ "run", "--device", "debugcon" }),
        "There is nothing to run; name a guest, such as tiny, or a kernel with --kernel FILE.");
    EXPECT_EQ(refusal({ "run", "tiny", "--device", "modem" }),
        "There is no optional device \"modem\"; choose isa-debug-exit, debugcon or port402.");
    EXPECT_EQ(refusal({ "run", "tiny", "--device", "debugcon", "--device", "debugcon" }),
        "The device debugcon is given twice; leave one out.");
    EXPECT_EQ(refusal({ "run", "tiny", "--device", "" }),
        "The value \"\" of --device is empty or has several lines; write it in one line.");
    EXPECT_EQ(refusal({ "run", "--multiboot", "k", "--module", "m", "--initrd", "i" }),
        "The initrd i goes with a Linux kernel, and the machine starts a Multiboot kernel; give it as --module.");
    refusal({ "run", "--multiboot", "k", "--module" });
}

TEST_F(CommandLineTest, OptionsChangeAGuestAndAppendAddsToItsCommandLine)
{
    ASSERT_EQ(
        run({ "run", "tiny", "--memory", "64M", "--append", "single", "--workload", "count" }), ExitCode::Success);
    EXPECT_EQ(window->config.memoryBytes, uint64_t { 64 } << 20);
    EXPECT_EQ(window->config.append, "quiet namsan.workload=count single");
    EXPECT_EQ(window->orders.workload, "count");
}

TEST_F(CommandLineTest, PrintsVersionAndHelp)
{
    EXPECT_EQ(run({ "--version" }), ExitCode::Success);
    EXPECT_TRUE(output.str().starts_with("namsan 0.")) << output.str();
    EXPECT_EQ(run({ "--help" }), ExitCode::Success);
    for (const char* word : { "run", "doctor", "--version", "Examples:" })
        EXPECT_NE(output.str().find(word), std::string::npos) << word;
    EXPECT_EQ(run({ "run", "--help" }), ExitCode::Success);
    for (const char* word : { "--kernel", "--initrd", "--append", "--memory", "--engine", "--placement", "--serial",
             "--until", "--until-screen", "--type", "--timeout", "--screenshot", "--window-screenshot", "--record",
             "--headless", "--screen", "--no-unpack", "--no-reboot", "--workload", "--multiboot", "--module", "--bios",
             "--boot-sector", "--network", "--no-host-access", "--forward", "--device", "isa-debug-exit", "debugcon",
             "port402", "no BIOS services", "Exit codes:" })
        EXPECT_NE(output.str().find(word), std::string::npos) << word;
    EXPECT_FALSE(window);
}

TEST_F(CommandLineTest, DoctorTellsOfThisHost)
{
    EXPECT_EQ(run({ "doctor" }), ExitCode::Success);
    for (const char* word : { "Processor", "CPU 0: core", "Allowed", "auto chooses", "kvm: ", "MIPS", "Memory",
             "tiny: Tiny", "1(s)", "1(d)" })
        EXPECT_NE(output.str().find(word), std::string::npos) << word << "\n" << output.str();
    EXPECT_EQ(errors.str(), "");
}

TEST_F(CommandLineTest, SaysWhatIsWrongWithACommandLine)
{
    EXPECT_EQ(refusal({ "fly" }), "There is no command \"fly\"; \"namsan --help\" lists what there is.");
    EXPECT_EQ(refusal({ "--fast" }), "There is no option \"--fast\"; \"namsan --help\" lists what there is.");
    EXPECT_EQ(refusal({ "run", "tiny", "--fast" }),
        "There is no option \"--fast\"; \"namsan run --help\" lists what there is.");
    EXPECT_EQ(refusal({ "run", "tiny", "other" }),
        "There is no argument \"other\"; \"namsan run --help\" lists what there is.");
    EXPECT_EQ(refusal({ "doctor", "--fast" }),
        "There is no option \"--fast\"; \"namsan doctor --help\" lists what there is.");
    EXPECT_EQ(
        refusal({ "run" }), "There is nothing to run; name a guest, such as tiny, or a kernel with --kernel FILE.");
    refusal({ "run", "tiny", "--memory" });
    refusal({ "run", "tiny", "--memory", "1G", "--memory", "2G" });
    refusal({ "run", "tiny", "--headless=perhaps" });
    refusal({ "run", "tiny", "doctor" });
}

TEST_F(CommandLineTest, SaysWhatIsWrongWithAValue)
{
    const auto refusalOf = [this](const char* option, const char* value) {
        return refusal({ "run", "tiny", option, value });
    };
    EXPECT_EQ(refusalOf("--memory", "much"),
        "The memory size \"much\" is not understood; write a number and K, M or G, such as 256M or 1G.");
    EXPECT_EQ(refusalOf("--engine", "xen"),
        "There is no engine \"xen\"; choose auto, soft, soft:interpreter, soft:translator or kvm.");
    EXPECT_EQ(refusalOf("--cpu", "z80"),
        "There is no CPU model \"z80\"; choose 486, pentium, p6, pentium-m, p4, core2, host-common.");
    EXPECT_EQ(refusalOf("--screen", "big"),
        "The screen \"big\" is not understood; write text, or width x height in pixels, such as 1024x768.");
    EXPECT_EQ(refusalOf("--network", "wifi"), "There is no network \"wifi\"; choose none, nat or offline.");
    EXPECT_EQ(refusalOf("--forward", "80"),
        "The forward \"80\" is not understood; write tcp or udp, the host's loopback address, its port and the guest's "
        "port, such as tcp:127.0.0.1:8080:80.");
    EXPECT_EQ(refusalOf("--forward", "tcp:127.0.0.1:8080:80"),
        "The forward tcp:127.0.0.1:8080:80 leads to a machine without a network card; add --network nat.");
    EXPECT_EQ(refusalOf("--timeout", "soon"),
        "The time-out \"soon\" is not understood; write seconds, such as 20 or 0.5, up to 10000000.");
    for (const char* time : { "0", "-1", "nan", "inf", "1e99", "", "5s" })
        EXPECT_NE(refusalOf("--timeout", time).find("time-out"), std::string::npos) << time;
    EXPECT_EQ(refusalOf("--until", ""), "The text of --until is empty; leave the option out or give it a text.");
    EXPECT_NE(refusalOf("--move", "login").find("The move \"login\" is not understood"), std::string::npos);
    EXPECT_EQ(refusalOf("--move", "login=>xen"),
        "There is no engine \"xen\"; choose auto, soft, soft:interpreter, soft:translator or kvm.");
    EXPECT_NE(refusalOf("--type", "login").find("The typing \"login\" is not understood"), std::string::npos);
    EXPECT_EQ(refusal({ "run", "tiny", "--headless", "--window-screenshot", folder.path("w.png") }),
        "There is no window that --window-screenshot could show; leave out either it or --headless.");
    EXPECT_EQ(refusalOf("--workload", "dance"), "The guest \"tiny\" has no workload \"dance\"; it has count.");
    EXPECT_NE(refusalOf("--placement", "vmm=100000")
                  .find("CPU 100000 of the placement's part \"vmm=100000\" does not exist on this host"),
        std::string::npos);
    EXPECT_NE(refusalOf("--placement", "here").find("The placement \"here\" is not understood"), std::string::npos);
    EXPECT_NE(refusal({ "run", "nobody" }).find("guest \"nobody\""), std::string::npos);
}

TEST_F(CommandLineTest, RefusesFilesThatCannotBeWrittenBeforeAHeadlessRun)
{
    for (const char* option : { "--record", "--screenshot", "--serial" }) {
        const std::string path = folder.path("none/file");
        EXPECT_NE(refusal({ "run", "tiny", "--headless", option, path }).find(path + ": there is no folder"),
            std::string::npos)
            << option;
    }
}

} // namespace namsan
