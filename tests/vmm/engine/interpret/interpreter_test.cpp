// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/guest_program.h"

#include <gtest/gtest.h>

#include <thread>

namespace namsan {

using Reason = VcpuExit::Reason;

TEST(Interpreter, RunsToHlt)
{
    GuestProgram program;
    program.code({ 0xb8, 5, 0, 0, 0, 0x83, 0xc0, 7 }); // mov eax,5; add eax,7
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Eax), 12u);
    EXPECT_EQ(program.state.eip, GuestProgram::codeAddress + 9);
    EXPECT_EQ(program.vcpu().counters().instructions.value(), 3u);
    EXPECT_EQ(program.raised(), std::nullopt);
}

TEST(Interpreter, StaysHaltedUntilAnInterruptIsTaken)
{
    GuestProgram program;
    program.code({ 0xfb, 0xf4, 0x43 }); // sti; hlt; inc ebx
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.goOn(), Reason::Halted);
    EXPECT_EQ(program.state.mpState, MpState::Halted);

    program.bus().vector = 0x31;
    program.vcpu().setInterruptRequest(true);
    EXPECT_EQ(program.goOn(), Reason::Halted);
    EXPECT_EQ(program.raised(), 0x31u);
    EXPECT_EQ(program.pushed(0), GuestProgram::codeAddress + 2);
    EXPECT_EQ(program.bus().acknowledged, 1u);
    EXPECT_EQ(program.vcpu().counters().interrupts.value(), 1u);
}

TEST(Interpreter, TakesNoInterruptInTheShadowOfSti)
{
    GuestProgram program;
    program.code({ 0xfb, 0x43, 0x43, 0x43 }); // sti; inc ebx (3 times)
    program.vcpu().setInterruptRequest(true);
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 0x20u);
    EXPECT_EQ(program.reg(Ebx), 1u);
}

TEST(Interpreter, TakesNoInterruptWhileTheyAreDisabled)
{
    GuestProgram program;
    program.code({ 0x43 });
    program.vcpu().setInterruptRequest(true);
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), std::nullopt);
    EXPECT_EQ(program.bus().acknowledged, 0u);
}

TEST(Interpreter, TakesOneNmiUntilIret)
{
    GuestProgram program;
    program.code({ 0x43 });
    program.vcpu().load(program.state);
    program.vcpu().raiseNmi();
    EXPECT_EQ(program.goOn(), Reason::Halted);
    EXPECT_EQ(program.raised(), 2u);
    EXPECT_TRUE(program.state.nmiBlocked);
    program.vcpu().raiseNmi();
    EXPECT_EQ(program.goOn(), Reason::Halted);
    EXPECT_TRUE(program.state.nmiPending);
}

TEST(Interpreter, AKickBeforeRunExecutesNothing)
{
    GuestProgram program;
    program.code({ 0x43 });
    program.vcpu().kick();
    program.vcpu().kick();
    EXPECT_EQ(program.run(), Reason::Kicked);
    EXPECT_EQ(program.reg(Ebx), 0u);
    EXPECT_EQ(program.goOn(), Reason::Halted);
    EXPECT_EQ(program.reg(Ebx), 1u);
    EXPECT_EQ(program.vcpu().counters().kicks.value(), 1u);
}

TEST(Interpreter, AKickEndsAnEndlessLoop)
{
    GuestProgram program;
    program.code({ 0x43, 0xeb, 0xfd }); // inc ebx; jmp back
    std::thread kicker([&] {
        while (program.vcpu().counters().instructions.value() < 1000)
            std::this_thread::yield();
        program.vcpu().kick();
    });
    EXPECT_EQ(program.run(), Reason::Kicked);
    kicker.join();
    EXPECT_GT(program.reg(Ebx), 100u);
}

TEST(Interpreter, SingleStepTrapsAfterEachInstruction)
{
    GuestProgram program;
    program.code({ 0x43, 0x43 });
    program.state.eflags |= eflags::trap;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 1u);
    EXPECT_EQ(program.pushed(0), GuestProgram::codeAddress + 1);
    EXPECT_EQ(program.reg(Ebx), 1u);
    EXPECT_TRUE(program.state.dr[6] & 1 << 14);
    EXPECT_TRUE(program.pushed(2) & eflags::trap);
    EXPECT_FALSE(program.state.eflags & eflags::trap);
}

TEST(Interpreter, AFaultFindsEipAndRegistersAsBefore)
{
    GuestProgram program;
    program.code({ 0x43, 0x43, 0x0f, 0x0b, 0x43 }); // inc ebx (2 times); ud2
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 6u);
    EXPECT_EQ(program.pushed(0), GuestProgram::codeAddress + 2);
    EXPECT_EQ(program.reg(Ebx), 2u);
    EXPECT_EQ(program.vcpu().counters().instructions.value(), 3u); // and the handler's HLT
}

TEST(Interpreter, TripleFaultsWithoutAnInterruptTable)
{
    GuestProgram program;
    program.code({ 0x0f, 0x0b });
    program.state.idtr.limit = 0;
    EXPECT_EQ(program.run(), Reason::TripleFault);
}

TEST(Interpreter, LockOnARegisterIsUndefined)
{
    for (const auto& bytes : { std::initializer_list<uint8_t> { 0xf0, 0x01, 0xc0 }, // add eax,eax
             { 0xf0, 0x90 }, { 0xf0, 0x39, 0x03 } }) { // nop; cmp [ebx],eax
        GuestProgram program;
        program.reg(Ebx) = GuestProgram::dataAddress;
        program.code(bytes);
        EXPECT_EQ(program.run(), Reason::Halted);
        EXPECT_EQ(program.raised(), 6u);
    }
    GuestProgram program;
    program.reg(Ebx) = GuestProgram::dataAddress;
    program.code({ 0xf0, 0xff, 0x03 }); // lock inc [ebx]
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), std::nullopt);
    EXPECT_EQ(program.read<uint32_t>(GuestProgram::dataAddress), 1u);
}

TEST(Interpreter, AnInstructionOfSixteenBytesIsAGeneralProtectionFault)
{
    GuestProgram program;
    program.code({ 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 });
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 13u);
}

TEST(Interpreter, RunningOverTheCodeSegmentsEndFaults)
{
    GuestProgram program;
    program.code({ 0x43, 0x43, 0x43 });
    program.state.segments[Cs].limit = GuestProgram::codeAddress + 1;
    program.state.idtr.limit = 0; // the handlers lie below the limit, but their segment would be loaded anew
    EXPECT_EQ(program.run(), Reason::TripleFault);
    EXPECT_EQ(program.reg(Ebx), 2u);
}

TEST(Interpreter, RunsInRealMode)
{
    GuestProgram program(GuestProgram::Mode::Real16);
    // mov ax,1234; push ax; pop bx; mov [bx+si+2],al; int 42
    program.code({ 0xb8, 0x34, 0x12, 0x50, 0x5b, 0x88, 0x40, 0x02, 0xcd, 0x42 });
    program.reg(Esi) = 0x10;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 0x42u);
    EXPECT_EQ(program.reg(Ebx), 0x1234u);
    EXPECT_EQ(program.read<uint8_t>(GuestProgram::dataAddress + 0x1246), 0x34);
}

// -- code that changes ------------------------------------------------------------------------------------------------

TEST(Interpreter, SeesTheNextInstructionChange)
{
    GuestProgram program;
    // mov byte [next],4b (dec ebx); next: inc ebx
    program.code({ 0xc6, 0x05, 0x07, 0x00, 0x01, 0x00, 0x4b, 0x43 });
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Ebx), 0xffffffffu);
}

TEST(Interpreter, SeesALoopsBodyChange)
{
    GuestProgram program;
    // mov ecx,10; l: inc ebx; mov byte [l],4b; loop l
    program.code({ 0xb9, 10, 0, 0, 0, 0x43, 0xc6, 0x05, 0x05, 0x00, 0x01, 0x00, 0x4b, 0xe2, 0xf6 });
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Ebx), 0xfffffff8u); // once up, nine times down
    // Later rounds store into code as well, and each time it is the running block.
    EXPECT_GE(program.vcpu().counters().codeInvalidations.value(), 10u);
}

TEST(Interpreter, StoresBesideCodeKeepIt)
{
    GuestProgram program;
    // mov ecx,100; l: inc dword [code+0x200]; loop l
    program.code({ 0xb9, 100, 0, 0, 0, 0xff, 0x05, 0x00, 0x02, 0x01, 0x00, 0xe2, 0xf8 });
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.read<uint32_t>(GuestProgram::codeAddress + 0x200), 100u);
    EXPECT_EQ(program.vcpu().counters().codeInvalidations.value(), 0u);
    EXPECT_LE(program.vcpu().counters().blocksDecoded.value(), 3u);
}

TEST(Interpreter, SeesWhatDmaHasChanged)
{
    GuestProgram program;
    program.code({ 0x43 });
    ASSERT_EQ(program.run(), Reason::Halted);
    ASSERT_EQ(program.reg(Ebx), 1u);
    program.write<uint8_t>(GuestProgram::codeAddress, 0x4b);
    program.state.eip = GuestProgram::codeAddress;
    program.state.mpState = MpState::Running;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Ebx), 0u);
}

TEST(Interpreter, SeesChangesInThePageThatAnInstructionStraddlesInto)
{
    GuestProgram program;
    constexpr uint32_t at = 0x12ffe;
    program.store(at, { 0xb8, 1, 0, 0, 0, 0xf4 }); // mov eax,1 over the page's end
    program.state.eip = at;
    ASSERT_EQ(program.run(), Reason::Halted);
    ASSERT_EQ(program.reg(Eax), 1u);
    // mov byte [at+4],2; jmp at
    program.code({ 0xc6, 0x05, 0x02, 0x30, 0x01, 0x00, 0x02, 0xe9, 0xf2, 0x2f, 0x00, 0x00 });
    program.state.eip = GuestProgram::codeAddress;
    program.state.mpState = MpState::Running;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Eax), 0x02000001u);
}

TEST(Interpreter, ManyBlocksStayWithinBoundedMemory)
{
    GuestProgram program;
    // Fills a megabyte with INC EBX, three times over, running it each time.
    for (const uint8_t instruction : std::initializer_list<uint8_t> { 0x43, 0x4b, 0x43 }) {
        std::vector<uint8_t> sled(0x100000 - 1, instruction);
        program.memory().write(0x100000, sled);
        program.write<uint8_t>(0x1fffff, 0xf4);
        program.state.eip = 0x100000;
        program.state.mpState = MpState::Running;
        ASSERT_EQ(program.run(), Reason::Halted);
    }
    EXPECT_EQ(program.reg(Ebx), 0x100000u - 1);
}

// -- repetition -------------------------------------------------------------------------------------------------------

TEST(Interpreter, ALongRepetitionCanBeInterruptedAndGoesOn)
{
    GuestProgram program;
    program.code({ 0xfb, 0xf3, 0xa5 }); // sti; rep movsd: the request waits until STI's shadow is over
    program.reg(Esi) = 0x20000;
    program.reg(Edi) = 0x120000;
    program.reg(Ecx) = 20000;
    for (uint32_t n = 0; n < 20000; ++n)
        program.write<uint32_t>(0x20000 + 4 * n, n * 3);
    program.vcpu().setInterruptRequest(true);
    ASSERT_EQ(program.run(), Reason::Halted);
    ASSERT_EQ(program.raised(), 0x20u);
    EXPECT_EQ(program.pushed(0), GuestProgram::codeAddress + 1);
    EXPECT_GT(program.reg(Ecx), 0u);
    EXPECT_LT(program.reg(Ecx), 20000u);
    EXPECT_EQ(program.reg(Esi), 0x20000 + 4 * (20000 - program.reg(Ecx)));

    program.vcpu().setInterruptRequest(false);
    program.state.eip = GuestProgram::codeAddress + 1;
    program.state.mpState = MpState::Running;
    ASSERT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Ecx), 0u);
    EXPECT_EQ(program.reg(Esi), 0x20000u + 80000);
    EXPECT_EQ(program.reg(Edi), 0x120000u + 80000);
    for (uint32_t n = 0; n < 20000; ++n)
        ASSERT_EQ(program.read<uint32_t>(0x120000 + 4 * n), n * 3);
    EXPECT_EQ(program.vcpu().counters().instructions.value(), 4u); // STI, HLT twice, and one repetition
}

TEST(Interpreter, ASingleSteppedRepetitionTrapsAfterEachElement)
{
    GuestProgram program;
    program.code({ 0xf3, 0xaa }); // rep stosb
    program.reg(Edi) = GuestProgram::dataAddress;
    program.reg(Ecx) = 5;
    program.state.eflags |= eflags::trap;
    EXPECT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.raised(), 1u);
    EXPECT_EQ(program.reg(Ecx), 4u);
    EXPECT_EQ(program.pushed(0), GuestProgram::codeAddress);
}

TEST(Interpreter, A20MasksAddressesFromTheNextBlockOn)
{
    GuestProgram program;
    program.code({ 0xa1, 0x00, 0x00, 0x12, 0x00 }); // mov eax,[120000]
    program.write<uint32_t>(0x120000, 0x11111111);
    program.write<uint32_t>(0x020000, 0x22222222);
    program.session().setA20(false);
    ASSERT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Eax), 0x22222222u);
    program.session().setA20(true);
    program.state.eip = GuestProgram::codeAddress;
    program.state.mpState = MpState::Running;
    ASSERT_EQ(program.run(), Reason::Halted);
    EXPECT_EQ(program.reg(Eax), 0x11111111u);
}

} // namespace namsan
