// SPDX-License-Identifier: GPL-3.0-or-later
// Developers' test guests from end to end: what is loaded runs, on every engine that this host has.
#include "tests/support/temporary_folder.h"
#include "tests/support/test_guests.h"
#include "vmm/machine/machine.h"
#include "vmm/session/kvm/kvm_device.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

using namespace testguest;
using namespace std::chrono_literals;

std::vector<std::string> engines()
{
    std::vector<std::string> names { "soft:interpreter", "soft:translator" };
    if (KvmDevice::open())
        names.emplace_back("kvm");
    return names;
}

class TestGuests : public ::testing::TestWithParam<std::string> {
protected:
    const TemporaryFolder folder;
    MachineConfig config;

    TestGuests()
    {
        config.memoryBytes = 4 << 20;
        config.engine = GetParam();
        config.devices
            = { { OptionalDevice::Kind::DebugExit, {} }, { OptionalDevice::Kind::DebugConsole, folder.path("said") } };
    }

    // Runs the machine until the guest exits, and gives what it exited with.
    uint32_t run()
    {
        const auto machine = Machine::create(config);
        if (!machine) {
            ADD_FAILURE() << machine.error().message;
            return ~0u;
        }
        (*machine)->start();
        EXPECT_TRUE((*machine)->waitForEnd(20s));
        (*machine)->stop();
        const MachineEnding ending = *(*machine)->ending();
        EXPECT_EQ(ending.reason, MachineEnding::Reason::DebugExit) << ending.why;
        return ending.value;
    }
    std::string said() const { return folder.read("said"); }
};

std::string engineOf(const ::testing::TestParamInfo<std::string>& engine)
{
    std::string name = engine.param;
    std::ranges::replace(name, ':', '_');
    return name;
}

} // namespace

TEST_P(TestGuests, AMultibootKernelFindsItsCommandLineAndModules)
{
    config.multiboot = folder.write("kernel", MultibootKernel { .code = sayMultibootInformation() }.build());
    config.modules = { folder.write("module", std::string_view("content")) + " text=1 x" };
    config.append = "verbose";
    EXPECT_EQ(run(), 0x10u);
    EXPECT_EQ(said(), "verbose.content.text=1 x.");
}

TEST_P(TestGuests, AMultibootKernelIsLoadedAgainAfterAReset)
{
    // The letter is in what is loaded, the count of starts at 2 MiB is not.
    constexpr uint32_t letter = 0x100100, starts = 0x200000;
    const auto address = [](uint32_t value) {
        Code bytes(4);
        putLittleEndian(std::span(bytes), 0, value);
        return bytes;
    };
    MultibootKernel kernel { .code = join({
                                 { 0xff, 0x05 },
                                 address(starts), // inc dword [starts]
                                 { 0xa0 },
                                 address(letter),
                                 { 0xe6, 0xe9 }, // mov al,[letter]; out 0E9h,al
                                 { 0xc6, 0x05 },
                                 address(letter),
                                 { 'X' }, // mov byte [letter],'X'
                                 { 0x80, 0x3d },
                                 address(starts),
                                 { 3 }, // cmp byte [starts],3
                                 { 0x73, 6 }, // jae exit
                                 resetMachine(),
                                 exitWith(0x22),
                             }) };
    kernel.code.resize(letter - kernel.entry());
    kernel.code.push_back('A');
    config.multiboot = folder.write("kernel", kernel.build());
    EXPECT_EQ(run(), 0x22u);
    EXPECT_EQ(said(), "AAA");
}

TEST_P(TestGuests, ABootSectorIsLoadedAgainAfterAReset)
{
    config.bootSector = folder.write("sector",
        bootSector(join({
            { 0xcd, 0x10, 0xcd, 0x13 }, // int 10h; int 13h: both return
            { 0xfe, 0x06, 0x00, 0x50 }, // inc byte [5000h]
            { 0xa0, 0xfd, 0x7d, 0xe6, 0xe9 }, // mov al,[7dfdh]; out 0E9h,al
            { 0x80, 0xc2, 0x41, 0x88, 0x16, 0xfd, 0x7d }, // add dl,41h; mov [7dfdh],dl
            { 0xa0, 0xfd, 0x7d, 0xe6, 0xe9 }, // mov al,[7dfdh]; out 0E9h,al
            { 0x80, 0x3e, 0x00, 0x50, 0x02, 0x73, 0x06 }, // cmp byte [5000h],2; jae exit
            resetMachine(),
            exitWith(0x21),
        })));
    EXPECT_EQ(run(), 0x21u);
    EXPECT_EQ(said(), std::string("\0\xc1\0\xc1", 4)); // DL = 80h + 41h
}

TEST_P(TestGuests, ABootSectorIsWokenByTheTimer)
{
    // sti; again: hlt; cmp word [46ch],2; jb again
    config.bootSector = folder.write(
        "sector", bootSector(join({ { 0xfb, 0xf4, 0x83, 0x3e, 0x6c, 0x04, 0x02, 0x72, 0xf8 }, exitWith(2) })));
    EXPECT_EQ(run(), 2u);
}

TEST_P(TestGuests, ABootSectorCanJumpToTheResetVector)
{
    config.reboot = false;
    config.bootSector = folder.write("sector", bootSector({ 0xea, 0x00, 0x00, 0xff, 0xff })); // jmp FFFF:0000
    const auto machine = Machine::create(config);
    ASSERT_TRUE(machine) << machine.error().message;
    (*machine)->start();
    ASSERT_TRUE((*machine)->waitForEnd(20s));
    EXPECT_EQ((*machine)->ending()->reason, MachineEnding::Reason::Reset);
}

TEST_P(TestGuests, ARomStartsAndItsCopyComesBackAfterAReset)
{
    // In the copy at F000:0100 is a letter, at 0000:5000 the count of starts.
    Code code = join({
        { 0x31, 0xc0, 0x8e, 0xd8, 0xb8, 0x00, 0xf0, 0x8e, 0xc0 }, // xor ax,ax; mov ds,ax; mov ax,0f000h; mov es,ax
        { 0xfe, 0x06, 0x00, 0x50 }, // inc byte [5000h]
        { 0x26, 0xa0, 0x00, 0x01, 0xe6, 0xe9 }, // mov al,es:[100h]; out 0E9h,al
        { 0x26, 0xc6, 0x06, 0x00, 0x01, 'X' }, // mov byte es:[100h],'X'
        { 0x26, 0xa0, 0x00, 0x01, 0xe6, 0xe9 },
        { 0x80, 0x3e, 0x00, 0x50, 0x02, 0x73, 0x06 }, // cmp byte [5000h],2; jae exit
        resetMachine(),
        exitWith(0x23),
    });
    code.resize(0x100);
    code.push_back('R');
    config.bios = folder.write("rom", rom(192 << 10, code));
    EXPECT_EQ(run(), 0x23u);
    EXPECT_EQ(said(), "RXRX");
}

TEST_P(TestGuests, ARomCannotBeWritten)
{
    // From the reset vector into 32 bits, since only there are addresses below 4 GiB in reach.
    Code image(64 << 10, 0xff);
    const auto put = [&](size_t offset, const Code& bytes) { std::ranges::copy(bytes, image.begin() + offset); };
    // lgdt cs:[0ff80h]; mov eax,cr0; or al,1; mov cr0,eax; jmp dword 8:ffff0000h
    put(0xff00,
        { 0x66, 0x2e, 0x0f, 0x01, 0x16, 0x80, 0xff, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x66, 0xea, 0x00,
            0x00, 0xff, 0xff, 0x08, 0x00 });
    put(0xff80, { 0x17, 0x00, 0x88, 0xff, 0xff, 0xff }); // limit 17h, base ffffff88h
    put(0xff90, { 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0 }); // code, data: flat
    put(0xfff0, { 0xe9, 0x0d, 0xff }); // jmp 0ff00h
    put(0x0000,
        join({ { 0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8 }, // mov ax,10h; mov ds,ax
            { 0xc6, 0x05, 0x00, 0x01, 0xff, 0xff, 'X' }, // mov byte [ffff0100h],'X'
            { 0xa0, 0x00, 0x01, 0xff, 0xff, 0xe6, 0xe9 }, // mov al,[ffff0100h]; out 0E9h,al
            exitWith(0x24) }));
    put(0x0100, { 'R' });
    config.bios = folder.write("rom", image);
    EXPECT_EQ(run(), 0x24u);
    EXPECT_EQ(said(), "R");
}

TEST_P(TestGuests, ExitsWithWhatEachWidthHolds)
{
    // mov eax,12345678h; out 0F4h,eax; jmp $
    config.multiboot = folder.write(
        "kernel", MultibootKernel { .code = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0xe7, 0xf4, 0xeb, 0xfe } }.build());
    EXPECT_EQ(run(), 0x12345678u);
}

TEST_P(TestGuests, SayNothingToPortsThatTheMachineDoesNotHave)
{
    config.devices.clear();
    config.bootSector = folder.write("sector", bootSector(join({ say("x"), { 0xb0, 5, 0xe6, 0xf4, 0xfa, 0xf4 } })));
    const auto machine = Machine::create(config);
    ASSERT_TRUE(machine) << machine.error().message;
    (*machine)->start();
    ASSERT_TRUE((*machine)->waitForEnd(20s));
    EXPECT_EQ((*machine)->ending()->reason, MachineEnding::Reason::Halted); // cli; hlt behind the exit
    EXPECT_EQ(said(), "");
}

INSTANTIATE_TEST_SUITE_P(Engines, TestGuests, ::testing::ValuesIn(engines()), engineOf);

TEST(TestGuestsMachine, ATextThatGoesToTheLogIsInIt)
{
    const TemporaryFolder folder;
    const MachineConfig config { .bootSector
        = folder.write("sector", bootSector(join({ say("a line\n"), exitWith(0) }))),
        .devices = { { OptionalDevice::Kind::DebugExit, {} }, { OptionalDevice::Kind::DebugConsole, {} } },
        .memoryBytes = 1 << 20,
        .engine = "soft:interpreter" };
    const auto machine = Machine::create(config);
    ASSERT_TRUE(machine) << machine.error().message;
    (*machine)->start();
    ASSERT_TRUE((*machine)->waitForEnd(20s));
    EXPECT_EQ((*machine)->ending()->exitCode(), 1);
    const auto lines = (*machine)->log().lines();
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].source, "debugcon");
    EXPECT_EQ(lines[0].text, "a line");
}

TEST(TestGuestsMachine, ExitCodesAreOddBytes)
{
    const auto codeFor = [](uint32_t value) {
        return MachineEnding { MachineEnding::Reason::DebugExit, "", value }.exitCode();
    };
    EXPECT_EQ(codeFor(0), 1);
    EXPECT_EQ(codeFor(0x10), 33);
    EXPECT_EQ(codeFor(127), 255);
    EXPECT_EQ(codeFor(128), 1);
    EXPECT_EQ(codeFor(0xffffffff), 255);
}

} // namespace namsan
