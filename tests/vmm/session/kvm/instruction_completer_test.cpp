// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/instruction_completer.h"

#include "tests/support/guest_program.h"
#include "vmm/engine/processor_group.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace namsan {

namespace {

constexpr PhysicalAddress trackedBase = 0xe0000000;

class InstructionCompleterTest : public ::testing::Test {
protected:
    GuestProgram program; // for its memory and tables; nothing runs on its own processor
    EmptyGuestBus bus;
    ManualClock clock;
    VcpuCounters counters;
    InstructionCompleter completer { program.memory(), bus, clock, CpuModel::standard(), counters };

    bool complete(std::initializer_list<uint8_t> code)
    {
        program.code(code);
        program.state.eip = GuestProgram::codeAddress;
        return completer.complete(program.state, true);
    }
};

} // namespace

TEST_F(InstructionCompleterTest, DoesOneInstructionAndNoMore)
{
    ASSERT_TRUE(complete({ 0x40, 0x40, 0x40 })); // inc eax, three times
    EXPECT_EQ(program.state.gpr[Eax], 1u);
    EXPECT_EQ(program.state.eip, GuestProgram::codeAddress + 1);
    EXPECT_EQ(completer.completed(), 1u);
}

TEST_F(InstructionCompleterTest, SeesCodeThatWasWrittenMeanwhile)
{
    ASSERT_TRUE(complete({ 0x40 })); // inc eax
    ASSERT_TRUE(complete({ 0x48 })); // dec eax
    EXPECT_EQ(program.state.gpr[Eax], 0u);
}

TEST_F(InstructionCompleterTest, MarksWhatItWritesAsDirty)
{
    GuestMemory& memory = program.memory();
    constexpr uint64_t size = 4 * GuestMemory::pageSize;
    ASSERT_TRUE(memory.addTrackedRegion(trackedBase, size));
    InstructionCompleter late(memory, bus, clock, CpuModel::standard(), counters); // regions come before processors
    program.state.cr4 = cr4::fxsave;
    program.code({ 0x0f, 0x11, 0x05, 0xf8, 0x1f, 0x00, 0xe0 }); // movups [e0001ff8h],xmm0
    ASSERT_TRUE(late.complete(program.state, true));
    std::vector<PhysicalAddress> dirty;
    memory.harvestDirty(trackedBase, size, [&](PhysicalAddress page) { dirty.push_back(page); });
    EXPECT_EQ(dirty, (std::vector<PhysicalAddress> { trackedBase + 0x1000, trackedBase + 0x2000 }));
}

TEST_F(InstructionCompleterTest, CountsAccessesAsTheVcpus)
{
    ASSERT_TRUE(complete({ 0xe6, 0x80 })); // out 80h,al
    ASSERT_TRUE(complete({ 0xe4, 0x80 })); // in al,80h
    ASSERT_TRUE(complete({ 0xa2, 0x00, 0x00, 0x0a, 0x00 })); // mov [a0000h],al
    ASSERT_TRUE(complete({ 0xa0, 0x00, 0x00, 0x0a, 0x00 })); // mov al,[a0000h]
    EXPECT_EQ(bus.portWrites.size(), 1u);
    EXPECT_EQ(counters.portWrites.value(), 1u);
    EXPECT_EQ(counters.portReads.value(), 1u);
    EXPECT_EQ(counters.mmioWrites.value(), 1u);
    EXPECT_EQ(counters.mmioReads.value(), 1u);
}

TEST_F(InstructionCompleterTest, DeliversThePendingEventFirst)
{
    program.state.pendingEvent = PendingEvent { .vector = 13, .hasErrorCode = true, .errorCode = 0x10 };
    ASSERT_TRUE(complete({ 0x40 }));
    EXPECT_FALSE(program.state.pendingEvent);
    EXPECT_EQ(program.state.gpr[Eax], 0u);
    EXPECT_EQ(program.state.eip, GuestProgram::handlersAddress + 16 * 13);
}

TEST_F(InstructionCompleterTest, RaisesWhatTheInstructionRaises)
{
    ASSERT_TRUE(complete({ 0x0f, 0x0b })); // ud2
    EXPECT_EQ(program.state.eip, GuestProgram::handlersAddress + 16 * 6);
}

TEST_F(InstructionCompleterTest, LeavesTheStateAtATripleFault)
{
    program.state.idtr.limit = 0;
    const CpuState before = program.state;
    EXPECT_FALSE(complete({ 0x0f, 0x0b })); // ud2
    EXPECT_EQ(program.state, before);
}

TEST_F(InstructionCompleterTest, KeepsAnNmiForLater)
{
    program.state.nmiPending = true;
    ASSERT_TRUE(complete({ 0x40 }));
    EXPECT_TRUE(program.state.nmiPending);
    EXPECT_EQ(program.state.gpr[Eax], 1u);
}

TEST_F(InstructionCompleterTest, HasTheModelsRegistersAndNoOthers)
{
    constexpr uint32_t sysenterCs = 0x174, none = 0x12345;
    EXPECT_TRUE(completer.writeMsr(sysenterCs, 8));
    EXPECT_EQ(completer.readMsr(sysenterCs), 8u);
    EXPECT_FALSE(completer.writeMsr(none, 0));
    EXPECT_FALSE(completer.readMsr(none));
}

// What no instruction of the host can do at once, as it crosses a cache line: the other processor is stopped for it.
TEST_F(InstructionCompleterTest, IsAloneWithMemoryForALockAcrossLines)
{
    constexpr uint32_t where = 0x2003e;
    ProcessorGroup group(program.memory(), 2);
    Attention own, others;
    std::atomic<bool> nudged = false;
    group.connect(0, own, [] {});
    group.connect(1, others, [&nudged] { nudged = true; });
    completer.connect({ 0, 2 }, nullptr, &group);

    group.beginRun(1);
    uint32_t seenByOther = 1;
    std::thread other([&] {
        while (!nudged)
            std::this_thread::yield();
        program.memory().read(where, { reinterpret_cast<uint8_t*>(&seenByOther), sizeof seenByOther });
        group.endRun(1);
    });
    group.beginRun(0);
    EXPECT_TRUE(complete({ 0xf0, 0xff, 0x05, 0x3e, 0x00, 0x02, 0x00 })); // lock inc dword [2003eh]
    group.endRun(0);
    nudged = true; // lets the other go where nobody has asked
    other.join();
    EXPECT_TRUE(others.reasons() & Attention::Exclusive);
    EXPECT_EQ(seenByOther, 0u);
    uint32_t value = 0;
    program.memory().read(where, { reinterpret_cast<uint8_t*>(&value), sizeof value });
    EXPECT_EQ(value, 1u);
}

} // namespace namsan
