// SPDX-License-Identifier: GPL-3.0-or-later
// Developers' test guests, run by the program itself.
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_guests.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace namsan {

namespace {

using namespace testguest;

class TestGuestsOfTheProgram : public ::testing::Test {
protected:
    const TemporaryFolder folder;

    ProgramRun run(std::vector<std::string> arguments)
    {
        arguments.insert(arguments.begin(), "run");
        for (const char* more : { "--headless", "--memory", "4M", "--engine", "soft", "--timeout", "60" })
            arguments.emplace_back(more);
        return runNamsan(arguments);
    }
    // The one sentence that refuses bad input.
    std::string refusal(std::vector<std::string> arguments)
    {
        const ProgramRun ended = run(std::move(arguments));
        EXPECT_EQ(ended.exitCode, 2);
        EXPECT_TRUE(ended.output.starts_with("namsan: ")) << ended.output;
        EXPECT_EQ(std::ranges::count(ended.output, '\n'), 1) << ended.output;
        return ended.output;
    }
    void refusedBecause(std::vector<std::string> arguments, std::string_view reason)
    {
        const std::string sentence = refusal(std::move(arguments));
        EXPECT_NE(sentence.find(reason), std::string::npos) << sentence;
    }
    std::string write(const std::string& name, const Code& bytes) const { return folder.write(name, bytes); }
};

} // namespace

TEST_F(TestGuestsOfTheProgram, AMultibootKernelWithModulesEndsTheRun)
{
    const ProgramRun ended = run({ "--multiboot",
        write("k", MultibootKernel { .code = sayMultibootInformation() }.build()), "--module",
        write("m", { 'm', 'o', 'd' }) + " with text", "--module", write("n", { 'n' }), "--append", "line", "--device",
        "isa-debug-exit", "--device", "debugcon,file=" + folder.path("said"), "--record", folder.path("record") });
    EXPECT_EQ(ended.exitCode, 33) << ended.output;
    EXPECT_EQ(ended.output, "");
    EXPECT_EQ(folder.read("said"), "line.mod.with text.");
    const auto record = nlohmann::json::parse(folder.read("record"));
    EXPECT_EQ(record["ending"]["reason"], "debug_exit");
    EXPECT_EQ(record["ending"]["value"], 16);
    EXPECT_EQ(record["config"]["modules"].size(), 2u);
}

TEST_F(TestGuestsOfTheProgram, ABootSectorsTextIsInTheRecord)
{
    const ProgramRun ended = run({ "--boot-sector", write("s", bootSector(join({ say("hello\n"), exitWith(3) }))),
        "--device", "debugcon", "--device", "isa-debug-exit", "--record", folder.path("record") });
    EXPECT_EQ(ended.exitCode, 7) << ended.output;
    const auto record = nlohmann::json::parse(folder.read("record"));
    EXPECT_EQ(record["log"][0]["source"], "debugcon");
    EXPECT_EQ(record["log"][0]["text"], "hello");
}

TEST_F(TestGuestsOfTheProgram, ARomEndsTheRun)
{
    const ProgramRun ended = run({ "--bios", write("r", rom(64 << 10, exitWith(0))), "--device", "isa-debug-exit" });
    EXPECT_EQ(ended.exitCode, 1) << ended.output;
}

TEST_F(TestGuestsOfTheProgram, BadFilesAreRefusedInOneSentence)
{
    const std::string none = folder.path("none");
    const std::string junk = write("junk", Code(100, 0x55));
    const std::string kernel = write("kernel", MultibootKernel {}.build());
    for (const char* option : { "--multiboot", "--bios", "--boot-sector" })
        refusedBecause({ option, none }, none + " cannot be read: No such file or directory.");
    refusedBecause({ "--multiboot", junk }, "The Multiboot kernel " + junk + " has no Multiboot header");
    refusedBecause(
        { "--multiboot", write("sum", MultibootKernel { .checksumError = 1 }.build()) }, "checksum is wrong");
    refusedBecause(
        { "--multiboot", write("cut", MultibootKernel { .loadEnd = 0x180000 }.build()) }, "/cut is truncated");
    refusedBecause({ "--multiboot", write("big", MultibootKernel { .bssEnd = 0x1000000 }.build()) },
        "the machine's 4096 KiB of memory end before that. Give the machine more memory.");
    refusedBecause({ "--multiboot", write("hole", MultibootKernel { .loadAddress = 0xa0000 }.build()) },
        "a PC has no free memory from 9fc00h to 1 MiB");
    refusedBecause({ "--multiboot", kernel, "--module", none + " text" }, "The module " + none + " cannot be read");
    refusedBecause(
        { "--multiboot", kernel, "--module", write("large", Code(4 << 20)) }, "Give the machine more memory.");
    refusedBecause({ "--bios", junk }, "has 100 bytes, and a ROM has 64 KiB to 16 MiB in whole 64 KiB");
    refusedBecause({ "--boot-sector", junk }, "has 100 bytes, and a boot sector has 512");
    refusedBecause({ "--boot-sector", write("plain", Code(512)) }, "does not end with the bytes 55 AA");
    refusedBecause({ "--module", none }, "There is nothing to run");
    refusedBecause({ "--bios", junk, "--multiboot", kernel }, "leave out all but one");
    refusedBecause(
        { "--multiboot", kernel, "--device", "debugcon,file=" + folder.path("no/file") }, "there is no folder");
    refusedBecause({ "--multiboot", kernel, "--device", "modem" }, "choose isa-debug-exit, debugcon or port402");
}

} // namespace namsan
