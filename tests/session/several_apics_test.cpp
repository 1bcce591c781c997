// SPDX-License-Identifier: GPL-3.0-or-later
// What local APICs do for processors, on every engine: messages of all kinds, timers, x2APIC, halts that are ended, and
// all that in a guest that is carried from engine to engine.
#include "tests/session/host_faults.h"
#include "tests/session/several_rig.h"
#include "vmm/machine/engine_choice.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace namsan {

namespace {

constexpr uint32_t counts = 0x70200; // one word for each kind
constexpr uint32_t flags = 0x70300; // of each pair
constexpr uint32_t answers = 0x70340;
constexpr uint32_t limit = 0x70380;
constexpr uint32_t ready = 0x703c0;

// Registers of the local APIC in memory. Intel SDM volume 3, table 11-1.
constexpr uint32_t endOfInterrupt = 0xfee000b0, commandLow = 0xfee00300, commandHigh = 0xfee00310;
constexpr uint32_t timerVector = 0xfee00320, initialCount = 0xfee00380, divideConfiguration = 0xfee003e0;
constexpr uint32_t byOne = 0xb; // a divide configuration

uint32_t countOf(unsigned kind)
{
    return counts + 4 * kind;
}

Code store(uint32_t where, uint32_t value) // mov dword [where], value
{
    return Code().bytes({ 0xc7, 0x05 }).word32(where).word32(value);
}
Code send(uint32_t destination, uint32_t command)
{
    return store(commandHigh, destination << 24).append(store(commandLow, command));
}
Code waitFor(uint32_t where, uint32_t value) // again: pause; cmp dword [where], value; jb again
{
    return Code().bytes({ 0xf3, 0x90, 0x81, 0x3d }).word32(where).word32(value).bytes({ 0x72, 0xf2 });
}
Code count(uint32_t where) // lock inc dword [where]
{
    return Code().bytes({ 0xf0, 0xff, 0x05 }).word32(where);
}
Code writeMsr(uint32_t number, uint32_t low, uint32_t high = 0)
{
    return Code().bytes({ 0xb9 }).word32(number).bytes({ 0xb8 }).word32(low).bytes({ 0xba }).word32(high).bytes(
        { 0x0f, 0x30 });
}
Code readMsr(uint32_t number)
{
    return Code().bytes({ 0xb9 }).word32(number).bytes({ 0x0f, 0x32 });
}
Code storeEax(uint32_t where)
{
    return Code().bytes({ 0xa3 }).word32(where);
}
// A handler that counts, ends its interrupt, and returns.
Code counting(uint32_t where)
{
    return count(where).append(store(endOfInterrupt, 0)).bytes({ 0xcf });
}
const Code enableInterrupts = Code().bytes({ 0xfb });
const Code end = Code().bytes({ 0xfa, 0xf4 }); // cli; hlt
const Code haltForEver = Code().bytes({ 0xfb, 0xf4, 0xeb, 0xfd }); // sti; again: hlt; jmp again
const Code spinForEver = Code().bytes({ 0xfb, 0xf3, 0x90, 0xeb, 0xfc }); // sti; again: pause; jmp again
const Code tellTheBoard = Code().bytes({ 0xe6, 0x10 }); // out 10h, al

constexpr uint8_t vector = 0x41;

// One of a pair of processors that wake each other: notes a number in `own`, sends, and halts until `other` has it.
// The first counts up to the limit.
Code pingPong(unsigned processor)
{
    const bool first = processor % 2 == 0;
    const uint32_t own = (first ? flags : answers) + 4 * (processor / 2);
    const uint32_t other = (first ? answers : flags) + 4 * (processor / 2);
    const Code tell = Code().bytes({ 0x89, 0x35 }).word32(own).append(send(processor ^ 1, 0x4000 | vector));
    Code wait;
    wait.bytes({ 0xfa, 0x39, 0x35 }).word32(other); // again: cli; cmp [other], esi
    wait.bytes({ 0x74, 0x04, 0xfb, 0xf4 }).shortJump(0xeb, 0); // je over; sti; hlt; jmp again
    Code code;
    code.bytes({ 0x31, 0xf6 }); // xor esi, esi
    const size_t next = code.size();
    code.bytes({ 0x46 }); // inc esi
    code.append(first ? tell : wait).append(first ? wait : tell);
    if (!first)
        return code.bytes({ 0xe9 }).word32(static_cast<uint32_t>(next - code.size() - 4));
    code.bytes({ 0x3b, 0x35 }).word32(limit).nearJump(0x82, next); // cmp esi, [limit]; jb next
    return code.append(end);
}

void preparePingPong(SeveralRig& rig, uint32_t most)
{
    rig.makeTables();
    rig.handle(vector, store(endOfInterrupt, 0).bytes({ 0xcf }));
    rig.write<uint32_t>(limit, most);
    for (unsigned processor = 0; processor < rig.count(); ++processor)
        rig.program(processor, pingPong(processor));
}

uint32_t firstOfPairs(unsigned processors)
{
    return 0x5555u & ((1u << processors) - 1);
}

} // namespace

class SeveralApics : public ::testing::TestWithParam<SeveralRig::Engine> {
protected:
    static const CpuModel& newest()
    {
        static const CpuModel model = chooseCpuModel(CpuModel::hostCommonName)->withLocalApic();
        return model;
    }
    static bool isTheHosts(const HostFault& fault)
    {
        if (GetParam() != SeveralRig::Engine::Kvm || !fault.present())
            return false;
        std::printf("Not run on kvm: %s\n", fault.name);
        return true;
    }
};

TEST_P(SeveralApics, MessagesOfEachKindArriveOnce)
{
    enum Kind { Physical, Logical, LowestPriority, Nmi, Self, AllExcludingSelf, AllIncludingSelf, Kinds };
    for (const unsigned processors : { 2u, 4u }) {
        for (const Code& others : { haltForEver, spinForEver }) {
            SCOPED_TRACE(processors);
            SeveralRig rig(processors, GetParam());
            rig.makeTables();
            for (unsigned kind = 0; kind < Kinds; ++kind)
                rig.handle(static_cast<uint8_t>(vector + kind), counting(countOf(kind)));
            rig.handle(2, count(countOf(Nmi)).bytes({ 0xcf }));
            for (unsigned processor = 0; processor < processors; ++processor) {
                rig.states[processor].apic.logicalDestination = 1u << (24 + processor);
                rig.program(processor, others);
            }
            const unsigned rest = processors - 1;
            Code sender = enableInterrupts;
            sender.append(send(1, 0x4000 | (vector + Physical))).append(waitFor(countOf(Physical), 1));
            sender.append(send(0xfe, 0x4800 | (vector + Logical))).append(waitFor(countOf(Logical), rest));
            sender.append(send(0xfe, 0x4900 | (vector + LowestPriority))).append(waitFor(countOf(LowestPriority), 1));
            sender.append(send(rest, 0x4400)).append(waitFor(countOf(Nmi), 1));
            sender.append(send(0, 0x44000 | (vector + Self))).append(waitFor(countOf(Self), 1));
            sender.append(send(0, 0xc4000 | (vector + AllExcludingSelf)))
                .append(waitFor(countOf(AllExcludingSelf), rest));
            sender.append(send(0, 0x84000 | (vector + AllIncludingSelf)))
                .append(waitFor(countOf(AllIncludingSelf), processors));
            rig.program(0, sender.append(end));
            ASSERT_TRUE(rig.run(0b01)) << rig.failure;
            const uint32_t wanted[] = { 1, rest, 1, 1, 1, rest, processors };
            for (unsigned kind = 0; kind < Kinds; ++kind)
                EXPECT_EQ(rig.read<uint32_t>(countOf(kind)), wanted[kind]) << kind;
        }
    }
}

TEST_P(SeveralApics, NoWakeUpOfAHaltedProcessorIsLost)
{
    constexpr uint32_t times = 500;
    for (const unsigned processors : { 2u, 4u }) {
        SeveralRig rig(processors, GetParam());
        preparePingPong(rig, times);
        ASSERT_TRUE(rig.run(firstOfPairs(processors))) << rig.failure;
        for (unsigned pair = 0; pair < processors / 2; ++pair)
            EXPECT_EQ(rig.read<uint32_t>(answers + 4 * pair), times);
    }
}

TEST_P(SeveralApics, AMessageWaitsUntilThePriorityLetsItIn)
{
    constexpr uint32_t taskPriority = 0xfee00080;
    SeveralRig rig(2, GetParam());
    rig.makeTables();
    rig.handle(vector, counting(countOf(0)));
    rig.handle(0x61, counting(countOf(1)));
    rig.program(1, haltForEver);
    rig.states[1].apic.taskPriority = 0x50;
    Code sender = send(1, 0x4000 | vector);
    sender.append(send(1, 0x4061)).append(waitFor(countOf(1), 1));
    rig.program(0, sender.append(end));
    ASSERT_TRUE(rig.run(0b01)) << rig.failure;
    EXPECT_EQ(rig.read<uint32_t>(countOf(0)), 0u);
    EXPECT_EQ(rig.states[1].apic.request[vector / 32], 1u << vector % 32);

    // Both go on: the one that sleeps is let in by an interrupt whose handler lowers the priority.
    rig.handle(0x61, store(taskPriority, 0).append(counting(countOf(1))));
    rig.states[0].eip = SeveralRig::codeAddress;
    rig.states[0].mpState = MpState::Running;
    rig.program(0, send(1, 0x4061).append(waitFor(countOf(0), 1)).append(end));
    ASSERT_TRUE(rig.run(0b01)) << rig.failure;
    EXPECT_EQ(rig.read<uint32_t>(countOf(1)), 2u);
}

TEST_P(SeveralApics, TimersOfOneAndOfAnotherWakeTheirProcessors)
{
    for (const unsigned processors : { 1u, 2u, 4u }) {
        SeveralRig rig(processors, GetParam());
        rig.makeTables();
        for (unsigned processor = 0; processor < processors; ++processor)
            rig.handle(static_cast<uint8_t>(vector + processor), counting(countOf(processor)));
        rig.bus.onPortOut = [&rig](uint32_t) {
            rig.clock.advance(std::chrono::seconds(1));
            rig.session->timers()->runDue();
        };
        const auto oneShot = [](unsigned processor) {
            return store(divideConfiguration, byOne)
                .append(store(timerVector, vector + processor))
                .append(store(initialCount, 1000));
        };
        for (unsigned processor = 1; processor < processors; ++processor)
            rig.program(processor, oneShot(processor).append(count(ready)).append(haltForEver));
        Code first = waitFor(ready, processors - 1).append(oneShot(0)).append(enableInterrupts).append(tellTheBoard);
        for (unsigned processor = 0; processor < processors; ++processor)
            first.append(waitFor(countOf(processor), 1));
        // Periodic, and then stopped
        first.append(store(timerVector, 0x20000 | vector)).append(store(initialCount, 900'000'000));
        for (uint32_t tick = 2; tick < 6; ++tick)
            first.append(tellTheBoard).append(waitFor(countOf(0), tick));
        first.append(store(initialCount, 0)).append(tellTheBoard);
        rig.program(0, first.append(end));
        ASSERT_TRUE(rig.run(0b01)) << rig.failure;
        EXPECT_EQ(rig.read<uint32_t>(countOf(0)), 5u);
        for (unsigned processor = 1; processor < processors; ++processor)
            EXPECT_EQ(rig.read<uint32_t>(countOf(processor)), 1u);
    }
}

TEST_P(SeveralApics, TheTimerCanWaitForATimeStamp)
{
    constexpr uint32_t deadlineMsr = 0x6e0, deadline = 500'000'000; // half a second of the manual clock
    SeveralRig rig(1, GetParam(), newest());
    rig.makeTables();
    rig.handle(vector, counting(countOf(0)));
    unsigned early = 0;
    rig.bus.onPortOut = [&](uint32_t) {
        rig.clock.advance(std::chrono::milliseconds(300));
        rig.session->timers()->runDue();
        early += rig.session->timers()->nextDeadline().has_value();
    };
    Code code = store(timerVector, 0x40000 | vector).append(writeMsr(deadlineMsr, deadline)).append(enableInterrupts);
    code.append(tellTheBoard).append(tellTheBoard).append(waitFor(countOf(0), 1));
    code.append(readMsr(deadlineMsr)).append(storeEax(ready));
    rig.program(0, code.append(end));
    ASSERT_TRUE(rig.run()) << rig.failure;
    EXPECT_EQ(rig.read<uint32_t>(countOf(0)), 1u);
    EXPECT_EQ(early, 1u);
    EXPECT_EQ(rig.read<uint32_t>(ready), 0u); // it is disarmed
}

TEST_P(SeveralApics, RegistersOfAnX2ApicAreModelSpecificOnes)
{
    constexpr uint32_t baseMsr = 0x1b, idMsr = 0x802, endMsr = 0x80b, commandMsr = 0x830, selfMsr = 0x83f;
    constexpr uint32_t idAt = ready, versionAt = ready + 4;
    SeveralRig rig(2, GetParam(), newest());
    rig.makeTables();
    rig.handle(vector, count(countOf(0)).append(writeMsr(endMsr, 0)).bytes({ 0xcf }));
    // or ah, 0ch; wrmsr
    const Code toX2Apic = readMsr(baseMsr).bytes({ 0x80, 0xcc, 0x0c, 0x0f, 0x30 });
    rig.program(
        1, Code(toX2Apic).append(readMsr(idMsr)).append(storeEax(idAt)).append(count(countOf(1))).append(haltForEver));
    Code sender = toX2Apic;
    sender.append(readMsr(0x803)).append(storeEax(versionAt)).append(waitFor(countOf(1), 1));
    sender.append(writeMsr(commandMsr, vector, 1)).append(waitFor(countOf(0), 1));
    sender.append(enableInterrupts).append(writeMsr(selfMsr, vector)).append(waitFor(countOf(0), 2));
    rig.program(0, sender.append(end));
    ASSERT_TRUE(rig.run(0b01)) << rig.failure;
    EXPECT_EQ(rig.read<uint32_t>(idAt), 1u);
    EXPECT_EQ(rig.read<uint32_t>(versionAt) & 0xf0, 0x10u);
    EXPECT_EQ(rig.read<uint32_t>(countOf(0)), 2u);
    for (const CpuState& state : rig.states)
        EXPECT_TRUE(state.apic.base & apic_base::x2ApicEnable);
}

TEST_P(SeveralApics, CpuidShowsTheApicWhileItIsOn)
{
    if (isTheHosts(host_fault::cpuidIsTheHosts))
        return;
    constexpr uint32_t baseMsr = 0x1b, apicFeature = 1 << 9;
    // mov eax, 1; cpuid; mov [where], edx; mov [where + 4], ebx
    const auto look = [](uint32_t where) {
        return Code()
            .bytes({ 0xb8 })
            .word32(1)
            .bytes({ 0x0f, 0xa2, 0x89, 0x15 })
            .word32(where)
            .bytes({ 0x89, 0x1d })
            .word32(where + 4);
    };
    SeveralRig rig(2, GetParam());
    rig.program(0, end);
    Code code = look(counts);
    code.append(readMsr(baseMsr)).bytes({ 0x80, 0xe4, 0xf7, 0x0f, 0x30 }); // and ah, 0f7h; wrmsr
    code.append(look(counts + 8)).append(readMsr(baseMsr)).bytes({ 0x80, 0xcc, 0x08, 0x0f, 0x30 }); // or ah, 8; wrmsr
    rig.program(1, code.append(look(counts + 16)).append(end));
    ASSERT_TRUE(rig.run()) << rig.failure;
    EXPECT_EQ(rig.read<uint32_t>(counts) & apicFeature, apicFeature);
    EXPECT_EQ(rig.read<uint32_t>(counts + 4) >> 24, 1u);
    EXPECT_EQ(rig.read<uint32_t>(counts + 8) & apicFeature, 0u);
    EXPECT_EQ(rig.read<uint32_t>(counts + 16) & apicFeature, apicFeature);
}

TEST_P(SeveralApics, TheWireOfThe8259sGoesThrough)
{
    SeveralRig rig(2, GetParam());
    rig.makeTables();
    rig.handle(0x20, count(countOf(0)).bytes({ 0xcf }));
    rig.states[0].apic.becomeVirtualWire();
    rig.bus.onPortOut = [&rig](uint32_t) { rig.session->vcpu(0).setInterruptRequest(true); };
    rig.bus.onAcknowledge = [&rig] {
        rig.session->vcpu(0).setInterruptRequest(false);
        return uint8_t { 0x20 };
    };
    rig.program(0, Code(enableInterrupts).append(tellTheBoard).append(waitFor(countOf(0), 1)).append(end));
    rig.program(1, haltForEver);
    ASSERT_TRUE(rig.run(0b01)) << rig.failure;
    EXPECT_EQ(rig.read<uint32_t>(countOf(0)), 1u);
}

TEST_P(SeveralApics, InitializeTakesARunningProcessorAndAHaltedOne)
{
    for (const Code& other : { haltForEver, spinForEver }) {
        SeveralRig rig(2, GetParam());
        rig.makeTables();
        rig.program(1, Code(count(ready)).append(other));
        rig.program(0, waitFor(ready, 1).append(send(1, 0xc500)).append(end));
        ASSERT_TRUE(rig.run(0b01)) << rig.failure;
        EXPECT_EQ(rig.states[1].mpState, MpState::WaitForStartUp);
        EXPECT_EQ(rig.states[1].eip, 0xfff0u);
        EXPECT_EQ(rig.states[1].apic.spuriousVector, 0xffu);
    }
}

TEST_P(SeveralApics, WhatWasSentAndNotTakenIsSaved)
{
    SeveralRig rig(2, GetParam());
    Vcpu& vcpu = rig.session->vcpu(1);
    vcpu.load(rig.states[1]);
    ASSERT_EQ(vcpu.save().mpState, MpState::Running);
    InterruptMessage message { .destination = 1, .mode = DeliveryMode::Initialize };
    ASSERT_TRUE(rig.session->interruptMessages()->send(message));
    EXPECT_EQ(vcpu.save().mpState, MpState::WaitForStartUp);
    message.mode = DeliveryMode::StartUp;
    message.vector = 0x9a;
    ASSERT_TRUE(rig.session->interruptMessages()->send(message));
    const CpuState state = vcpu.save();
    EXPECT_EQ(state.mpState, MpState::Running);
    EXPECT_EQ(state.segments[Cs].base, 0x9a000u);
    EXPECT_EQ(state.eip, 0u);
}

TEST_P(SeveralApics, OnlyOthersWakeWhatWaitsToBeStartedUp)
{
    SeveralRig rig(2, GetParam());
    Vcpu& vcpu = rig.session->vcpu(1);
    rig.states[1].eflags |= eflags::interruptEnable;
    vcpu.load(rig.states[1]);
    InterruptMessage message { .destination = 1, .mode = DeliveryMode::Initialize };
    ASSERT_TRUE(rig.session->interruptMessages()->send(message));
    ASSERT_EQ(vcpu.run().reason, VcpuExit::Reason::Halted);
    EXPECT_FALSE(vcpu.canWakeItself());
    vcpu.raiseNmi(); // waits, too: Intel SDM volume 3, 9.4.1
    EXPECT_FALSE(vcpu.canWakeItself());
    message.mode = DeliveryMode::StartUp;
    message.vector = 0x9a;
    ASSERT_TRUE(rig.session->interruptMessages()->send(message));
    EXPECT_TRUE(vcpu.canWakeItself());
}

TEST_P(SeveralApics, AHaltEndsByAKickAndIsAHaltAgain)
{
    SeveralRig rig(2, GetParam());
    rig.makeTables();
    rig.handle(vector, counting(countOf(0)));
    rig.program(0, end);
    rig.program(1, haltForEver);
    for (unsigned time = 0; time < 50; ++time)
        ASSERT_TRUE(rig.run(0b01)) << rig.failure; // which ends by a kick for the other one
    EXPECT_LE(rig.states[1].eip, SeveralRig::codeAddress + 0x1000 + 4);
    EXPECT_EQ(rig.read<uint32_t>(countOf(0)), 0u);
    rig.states[0].mpState = MpState::Running;
    rig.states[0].eip = SeveralRig::codeAddress;
    rig.program(0, send(1, 0x4000 | vector).append(waitFor(countOf(0), 1)).append(end));
    EXPECT_TRUE(rig.run(0b01)) << rig.failure;
}

INSTANTIATE_TEST_SUITE_P(Engines, SeveralApics, ::testing::ValuesIn(SeveralRig::engines()),
    [](const auto& info) { return SeveralRig::nameOf(info.param); });

// Pairs that wake each other are stopped at any point and go on elsewhere. A message that is lost on the way leaves
// both of a pair asleep.
TEST(SeveralApicsMoves, ProcessorsThatWakeEachOtherGoOnOnEveryEngine)
{
    const auto route = SeveralRig::engines();
    for (const unsigned processors : { 2u, 4u }) {
        SeveralRig rig(processors, route.front());
        preparePingPong(rig, ~0u);
        constexpr unsigned moves = 24;
        for (unsigned move = 1; move <= moves; ++move) {
            const uint32_t before = rig.read<uint32_t>(answers);
            ASSERT_TRUE(rig.run(0, [&] { return rig.read<uint32_t>(answers) > before + move % 5; })) << rig.failure;
            rig.moveTo(route[move % route.size()]);
        }
        uint32_t furthest = 0;
        for (unsigned pair = 0; pair < processors / 2; ++pair)
            furthest = std::max(furthest, rig.read<uint32_t>(flags + 4 * pair));
        rig.write<uint32_t>(limit, furthest + 50);
        ASSERT_TRUE(rig.run(firstOfPairs(processors))) << rig.failure;
        for (unsigned pair = 0; pair < processors / 2; ++pair)
            EXPECT_EQ(rig.read<uint32_t>(answers + 4 * pair), furthest + 50);
    }
}

} // namespace namsan
