// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that a user, a file or a guest may get wrong, through the whole program but its window: one sentence that
// names the thing, the reason and the remedy, the right exit code, and never a lost record.
#include "app/commands/command_line.h"
#include "tests/support/elf_header.h"
#include "tests/support/temporary_folder.h"
#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/setup_header.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <sstream>

namespace namsan {

namespace {

constexpr uint32_t loadAddress = 0x1000000;

// An ELF image of 32-bit code that lies, and begins, at 16 MiB.
std::string elfOf(const std::vector<uint8_t>& code)
{
    const auto size = static_cast<uint32_t>(code.size());
    const Elf32_Ehdr header = elfHeader(loadAddress, 1);
    const Elf32_Phdr segment { PT_LOAD, sizeof header + sizeof(Elf32_Phdr), loadAddress, loadAddress, size, size,
        PF_R | PF_X, 1 };
    std::string file(reinterpret_cast<const char*>(&header), sizeof header);
    file.append(reinterpret_cast<const char*>(&segment), sizeof segment);
    return file.append(code.begin(), code.end());
}

// A bzImage with this code in it; nobody would notice that it is no Linux.
std::string kernelOf(const std::vector<uint8_t>& code)
{
    constexpr size_t setupSize = 3 * 512;
    constexpr uint32_t offset = 64; // of the payload
    const std::string payload = elfOf(code);
    std::vector<uint8_t> file(setupSize + offset + (payload.size() + 15) / 16 * 16);
    std::ranges::copy(payload, file.begin() + setupSize + offset);
    const std::span<uint8_t> bytes(file);
    bytes[bootparams::setupSectors] = setupSize / 512 - 1;
    bytes[bootparams::jumpOffset] = 0x6a;
    bytes[bootparams::loadFlags] = 1;
    std::memcpy(&bytes[bootparams::headerMagic], "HdrS", 4);
    putLittleEndian(bytes, bootparams::systemSize, static_cast<uint32_t>((file.size() - setupSize) / 16));
    putLittleEndian<uint16_t>(bytes, bootparams::bootFlag, 0xaa55);
    putLittleEndian<uint16_t>(bytes, bootparams::protocolVersion, 0x020f);
    putLittleEndian<uint32_t>(bytes, bootparams::code32Start, 0x100000);
    putLittleEndian<uint32_t>(bytes, bootparams::initrdAddressMax, 0x7fffffff);
    putLittleEndian<uint32_t>(bytes, bootparams::commandLineSize, 2047);
    putLittleEndian(bytes, bootparams::payloadOffset, offset);
    putLittleEndian<uint32_t>(bytes, bootparams::payloadLength, static_cast<uint32_t>(payload.size()));
    putLittleEndian<uint64_t>(bytes, bootparams::preferredAddress, loadAddress);
    putLittleEndian<uint32_t>(bytes, bootparams::initSize, 0x100000);
    return { file.begin(), file.end() };
}

class BadInput : public ::testing::Test {
protected:
    // Runs the program without a window and returns what it said, without its name.
    std::string sentenceOf(const std::vector<std::string>& arguments, ExitCode code)
    {
        std::vector<std::string> words { "run", "--headless", "--engine", "soft" };
        if (std::find(arguments.begin(), arguments.end(), "--memory") == arguments.end())
            words.insert(words.end(), { "--memory", "64M" });
        words.insert(words.end(), arguments.begin(), arguments.end());
        std::ostringstream output, errors;
        const Program program {
            .openWindow = [](const WindowRequest&) { return ExitCode::Success; },
            .makeMachine = &Machine::create,
            .output = output,
            .errors = errors,
        };
        EXPECT_EQ(runCommandLine(words, program), code) << errors.str();
        const std::string text = errors.str();
        EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 1) << text;
        if (text.empty())
            return {};
        EXPECT_TRUE(text.starts_with("namsan: ")) << text;
        return text.substr(8, text.size() - 9);
    }

    void expectRefusal(const std::vector<std::string>& arguments, const std::string& thing, const std::string& reason)
    {
        const std::string sentence = sentenceOf(arguments, ExitCode::BadInput);
        EXPECT_NE(sentence.find(thing), std::string::npos) << sentence;
        EXPECT_NE(sentence.find(reason), std::string::npos) << sentence;
        EXPECT_TRUE(sentence.ends_with(".")) << sentence;
    }

    // Runs a guest that is up to no good; it leaves a record in any case.
    std::string guestSays(const std::vector<uint8_t>& code, ExitCode expected, std::vector<std::string> more = {})
    {
        std::vector<std::string> arguments { "--kernel", folder.write("kernel", kernelOf(code)), "--serial",
            folder.path("serial"), "--record", folder.path("record.json"), "--screenshot", folder.path("screen.png") };
        arguments.insert(arguments.end(), more.begin(), more.end());
        const std::string sentence = sentenceOf(arguments, expected);
        const auto record = nlohmann::json::parse(folder.read("record.json"), nullptr, false);
        EXPECT_FALSE(record.is_discarded());
        EXPECT_GT(record.value("guest_instructions", uint64_t { 0 }), 0u);
        EXPECT_TRUE(folder.read("screen.png").starts_with("\x89PNG"));
        return sentence;
    }

    const TemporaryFolder folder;
    const std::string good = folder.write("good", kernelOf({ 0xfa, 0xf4 })); // cli; hlt
};

} // namespace

TEST_F(BadInput, AGoodKernelRunsSoThatTheRefusalsHaveAReason)
{
    EXPECT_EQ(sentenceOf({ "--kernel", good }, ExitCode::Success), "");
}

TEST_F(BadInput, AKernelThatIsMissingTruncatedOrNone)
{
    expectRefusal({ "--kernel", folder.path("missing") }, folder.path("missing"), "No such file");
    expectRefusal({ "--kernel", folder.path("") }, folder.path(""), "not a file");
    expectRefusal({ "--kernel", folder.write("empty", "") }, folder.path("empty"), "empty");
    expectRefusal({ "--kernel", folder.write("text", std::string(5000, 'x')) }, folder.path("text"), "kernel");
    const std::string whole = kernelOf(std::vector<uint8_t>(5000, 0x90));
    expectRefusal(
        { "--kernel", folder.write("half", whole.substr(0, whole.size() / 2)) }, folder.path("half"), "truncated");
    expectRefusal(
        { "--kernel", folder.write("header", whole.substr(0, 600)) }, folder.path("header"), "not a Linux kernel");
}

TEST_F(BadInput, AKernelThatIsTooLarge)
{
    expectRefusal(
        { "--kernel", folder.write("huge", kernelOf(std::vector<uint8_t>(70 << 20))) }, folder.path("huge"), "memory");
    expectRefusal({ "--kernel", good, "--memory", "16M" }, good, "more memory");
}

TEST_F(BadInput, AnInitrdThatIsMissingEmptyOrTooLarge)
{
    expectRefusal({ "--kernel", good, "--initrd", folder.path("missing") }, folder.path("missing"), "No such file");
    expectRefusal({ "--kernel", good, "--initrd", folder.path("") }, folder.path(""), "not a file");
    expectRefusal({ "--kernel", good, "--initrd", folder.write("empty", "") }, folder.path("empty"), "empty");
    expectRefusal({ "--kernel", good, "--initrd", folder.write("huge", std::string(60 << 20, 'x')) },
        folder.path("huge"), "more memory");
}

TEST_F(BadInput, MemoryThatDoesNotFit)
{
    for (const char* size : { "0", "1K", "-1", "1000000G", "99999999999999999999", "12Q" })
        EXPECT_NE(
            sentenceOf({ "--kernel", good, "--memory", size }, ExitCode::BadInput).find("memory"), std::string::npos)
            << size;
}

TEST_F(BadInput, OptionsThatDoNotExist)
{
    expectRefusal({ "--kernel", good, "--velocity" }, "--velocity", "no option");
}

TEST_F(BadInput, CpusThatDoNotExist)
{
    expectRefusal({ "--kernel", good, "--placement", "vmm=99999" }, "99999", "does not exist");
}

TEST_F(BadInput, FilesThatCannotBeWritten)
{
    for (const char* option : { "--record", "--screenshot", "--serial" }) {
        expectRefusal({ "--kernel", good, option, folder.path("no/such/folder") }, "no/such/folder", "no folder");
        expectRefusal({ "--kernel", good, option, folder.path("") }, folder.path(""), "folder");
    }
}

TEST_F(BadInput, ARecordWhoseFolderGoesWhileTheGuestRuns)
{
    // The folder is a file by the time that the record is to be written: the run is over, and no success.
    std::filesystem::create_directory(folder.path("results"));
    std::ostringstream output, errors;
    const Program program {
        .openWindow = [](const WindowRequest&) { return ExitCode::Success; },
        .makeMachine =
            [this](const MachineConfig& config, MachineListener* listener) {
                std::filesystem::remove_all(folder.path("results"));
                return Machine::create(config, listener);
            },
        .output = output,
        .errors = errors,
    };
    EXPECT_EQ(runCommandLine({ "run", "--headless", "--engine", "soft", "--kernel", good, "--record",
                                 folder.path("results/record.json") },
                  program),
        ExitCode::BadInput);
    EXPECT_NE(errors.str().find("results/record.json"), std::string::npos) << errors.str();
}

TEST_F(BadInput, AGuestThatTripleFaults)
{
    // lidt [100000Ah]; int3; 0, 0, ...: a table of one byte
    const std::string why
        = guestSays({ 0x0f, 0x01, 0x1d, 0x0a, 0x00, 0x00, 0x01, 0xcc, 0, 0, 0, 0, 0, 0, 0, 0 }, ExitCode::GuestCrashed);
    EXPECT_NE(why.find("triple fault"), std::string::npos) << why;
    EXPECT_NE(why.find("vCPU 0"), std::string::npos) << why;
}

TEST_F(BadInput, AGuestThatJumpsIntoNowhere)
{
    for (const uint8_t highest : std::vector<uint8_t> { 0xf0, 0x05, 0xfe }) {
        // mov eax,XX000000h; jmp eax
        const std::string why = guestSays({ 0xb8, 0, 0, 0, highest, 0xff, 0xe0 }, ExitCode::GuestCrashed);
        EXPECT_NE(why.find("triple fault"), std::string::npos) << why;
    }
}

TEST_F(BadInput, AGuestThatFloodsTheSerialPort)
{
    // mov dx,3f8h; mov al,'x'; out dx,al; jmp to out
    const std::string why = guestSays({ 0x66, 0xba, 0xf8, 0x03, 0xb0, 'x', 0xee, 0xeb, 0xfd }, ExitCode::TimedOut,
        { "--until", "never", "--timeout", "0.5" });
    EXPECT_NE(why.find("0.5"), std::string::npos) << why;
    const std::string serial = folder.read("serial");
    EXPECT_GT(serial.size(), 1000u);
    EXPECT_EQ(serial.find_first_not_of('x'), std::string::npos);
}

TEST_F(BadInput, AGuestThatProgramsDevicesWithNonsense)
{
    for (const uint8_t seed : std::vector<uint8_t> { 1, 2, 3, 4 }) {
        const std::vector<uint8_t> code {
            0xb9, seed, 0x00, 0x00, 0x00, // mov ecx,seed
            0x69, 0xc9, 0x0d, 0x66, 0x19, 0x00, // again: imul ecx,ecx,1664525
            0x81, 0xc1, 0x5f, 0xf3, 0x6e, 0x3c, // add ecx,1013904223
            0x89, 0xca, 0xc1, 0xea, 0x10, // mov edx,ecx; shr edx,16
            0x81, 0xe2, 0xff, 0x03, 0x00, 0x00, // and edx,3ffh: where the devices of an AT are
            0x89, 0xc8, 0xc1, 0xc0, 0x07, // mov eax,ecx; rol eax,7
            0xee, 0xec, 0xef, 0xed, // out dx,al; in al,dx; out dx,eax; in eax,dx
            0x89, 0xcf, 0x81, 0xe7, 0xff, 0xff, 0x01, 0x00, // mov edi,ecx; and edi,1ffffh
            0x89, 0x8f, 0x00, 0x00, 0x0a, 0x00, // mov [edi+0a0000h],ecx: the VGA's window
            0xeb, 0xd0, // jmp again
        };
        std::vector<std::string> arguments { "--kernel", folder.write("kernel", kernelOf(code)), "--record",
            folder.path("record.json"), "--serial", folder.path("serial"), "--until", "never", "--timeout", "0.5" };
        std::ostringstream output, errors;
        arguments.insert(arguments.begin(), { "run", "--headless", "--engine", "soft", "--memory", "64M" });
        const Program program {
            .openWindow = [](const WindowRequest&) { return ExitCode::Success; },
            .makeMachine = &Machine::create,
            .output = output,
            .errors = errors,
        };
        // It may hit the reset or the power switch, or wear itself out; what it can't do is take the program with it.
        const ExitCode outcome = runCommandLine(arguments, program);
        EXPECT_TRUE(
            outcome == ExitCode::TimedOut || outcome == ExitCode::GoalMissed || outcome == ExitCode::GuestCrashed)
            << static_cast<int>(outcome) << errors.str();
        EXPECT_TRUE(nlohmann::json::accept(folder.read("record.json")));
    }
}

} // namespace namsan
