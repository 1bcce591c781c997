// SPDX-License-Identifier: GPL-3.0-or-later
// What several processors see of each other: memory order, locked instructions, code, and interrupts.
#include "tests/session/host_faults.h"
#include "tests/session/several_rig.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdio>

namespace namsan {

namespace {

// Where the programs have their data.
constexpr uint32_t barrier = 0x70000;
constexpr uint32_t counter = 0x70040; // a cache line of its own; +62 crosses into the next
constexpr uint32_t flag = 0x70100;
constexpr uint32_t answer = 0x70140;
constexpr uint32_t seen = 0x70180;
constexpr uint32_t errors = 0x701c0;
constexpr uint32_t x = 0x100000; // one line for each round
constexpr uint32_t y = 0x180000;
constexpr uint32_t results = 0x200000; // 8 bytes for each round, 64 KiB for each processor
constexpr uint32_t rounds = 500;

uint32_t resultsOf(unsigned processor)
{
    return results + 0x10000 * processor;
}

enum class Fence { None, Mfence, LockedOr };

Code fence(Fence kind)
{
    Code code;
    if (kind == Fence::Mfence)
        code.bytes({ 0x0f, 0xae, 0xf0 });
    if (kind == Fence::LockedOr)
        code.bytes({ 0xf0, 0x83, 0x0c, 0x24, 0x00 }); // lock or dword [esp], 0
    return code;
}

// With EDI the round's line:
Code storeOne(uint32_t where)
{
    return Code().bytes({ 0xc7, 0x87 }).word32(where).word32(1);
}
Code loadEax(uint32_t where)
{
    return Code().bytes({ 0x8b, 0x87 }).word32(where);
}
Code loadEbx(uint32_t where)
{
    return Code().bytes({ 0x8b, 0x9f }).word32(where);
}

// All processors go through a barrier, then each does its body; EAX and EBX are the round's results.
Code litmus(unsigned processor, unsigned processors, const Code& body)
{
    Code code;
    code.bytes({ 0x31, 0xc9, 0x31, 0xf6 }); // xor ecx, ecx; xor esi, esi
    const size_t round = code.size();
    code.bytes({ 0x83, 0xc6, static_cast<uint8_t>(processors) }); // add esi, processors
    code.bytes({ 0xf0, 0xff, 0x05 }).word32(barrier); // lock inc dword [barrier]
    const size_t spin = code.size();
    code.bytes({ 0xf3, 0x90 }); // pause
    code.bytes({ 0x39, 0x35 }).word32(barrier); // cmp [barrier], esi
    code.shortJump(0x72, spin); // jb
    code.bytes({ 0x89, 0xcf, 0xc1, 0xe7, 0x06 }); // mov edi, ecx; shl edi, 6
    code.bytes({ 0x31, 0xc0, 0x31, 0xdb }); // xor eax, eax; xor ebx, ebx
    code.append(body);
    code.bytes({ 0x89, 0x04, 0xcd }).word32(resultsOf(processor)); // mov [results + 8 ecx], eax
    code.bytes({ 0x89, 0x1c, 0xcd }).word32(resultsOf(processor) + 4);
    code.bytes({ 0x41, 0x81, 0xf9 }).word32(rounds); // inc ecx; cmp ecx, rounds
    code.nearJump(0x82, round); // jb
    code.bytes({ 0xf4 });
    return code;
}

struct Outcome {
    uint32_t eax;
    uint32_t ebx;
};

} // namespace

class SeveralProcessors : public ::testing::TestWithParam<SeveralRig::Engine> {
protected:
    // Whether the host's KVM cannot do what the test is about. Then it says so.
    static bool isTheHosts(const HostFault& fault)
    {
        if (GetParam() != SeveralRig::Engine::Kvm || !fault.present())
            return false;
        std::printf("Not run on kvm: %s\n", fault.name);
        return true;
    }

    using Outcomes = std::vector<Outcome>; // of one round, by processor

    // Runs each body on a processor of its own, round by round; how often the outcome was a forbidden one.
    template <class Forbidden> unsigned forbiddenOutcomes(const std::vector<Code>& bodies, Forbidden&& isForbidden)
    {
        const auto processors = static_cast<unsigned>(bodies.size());
        SeveralRig rig(processors, GetParam());
        for (unsigned processor = 0; processor < processors; ++processor)
            rig.program(processor, litmus(processor, processors, bodies[processor]));
        EXPECT_TRUE(rig.run());
        unsigned forbidden = 0;
        for (uint32_t round = 0; round < rounds; ++round) {
            Outcomes outcomes;
            for (unsigned processor = 0; processor < processors; ++processor)
                outcomes.push_back(rig.read<Outcome>(resultsOf(processor) + 8 * round));
            forbidden += isForbidden(outcomes);
        }
        return forbidden;
    }

    unsigned storeBuffering(Fence kind)
    {
        return forbiddenOutcomes(
            { storeOne(x).append(fence(kind)).append(loadEax(y)), storeOne(y).append(fence(kind)).append(loadEax(x)) },
            [](const Outcomes& seen) { return seen[0].eax == 0 && seen[1].eax == 0; });
    }
    unsigned messagePassing()
    {
        return forbiddenOutcomes({ storeOne(x).append(storeOne(y)), loadEax(y).append(loadEbx(x)) },
            [](const Outcomes& seen) { return seen[1].eax == 1 && seen[1].ebx == 0; });
    }
    unsigned loadBuffering()
    {
        return forbiddenOutcomes({ loadEax(x).append(storeOne(y)), loadEax(y).append(storeOne(x)) },
            [](const Outcomes& seen) { return seen[0].eax == 1 && seen[1].eax == 1; });
    }
    unsigned independentReads()
    {
        return forbiddenOutcomes(
            { storeOne(x), storeOne(y), loadEax(x).append(loadEbx(y)), loadEax(y).append(loadEbx(x)) },
            [](const Outcomes& seen) {
                return seen[2].eax == 1 && seen[2].ebx == 0 && seen[3].eax == 1 && seen[3].ebx == 0;
            });
    }

    // `times` times one instruction on each.
    static Code repeat(uint32_t times, const Code& instruction)
    {
        Code code;
        code.bytes({ 0xb9 }).word32(times); // mov ecx, times
        const size_t loop = code.size();
        code.append(instruction);
        code.bytes({ 0x49 }).shortJump(0x75, loop); // dec ecx; jnz
        return code.bytes({ 0xf4 });
    }

    // Processor 0 rewrites the number in a function, processor 1 calls it once it has been told. Gives the errors.
    uint32_t crossModification(uint32_t times)
    {
        constexpr uint32_t function = 0x80000;
        SeveralRig rig(2, GetParam());
        rig.store(function, Code().bytes({ 0xb8 }).word32(0).bytes({ 0xc3 })); // mov eax, 0; ret
        Code writer;
        writer.bytes({ 0x31, 0xc9 }); // xor ecx, ecx
        const size_t next = writer.size();
        writer.bytes({ 0x41, 0x89, 0x0d }).word32(function + 1); // inc ecx; mov [function + 1], ecx
        writer.bytes({ 0x89, 0x0d }).word32(flag); // mov [flag], ecx
        const size_t wait = writer.size();
        writer.bytes({ 0xf3, 0x90, 0x39, 0x0d }).word32(answer).shortJump(0x75, wait); // pause; cmp [answer], ecx; jne
        writer.bytes({ 0x81, 0xf9 }).word32(times).nearJump(0x85, next).bytes({ 0xf4 });
        rig.program(0, writer);

        Code caller;
        caller.bytes({ 0x31, 0xf6 }); // xor esi, esi
        const size_t again = caller.size();
        caller.bytes({ 0x46 }); // inc esi
        const size_t spin = caller.size();
        caller.bytes({ 0xf3, 0x90, 0x39, 0x35 }).word32(flag).shortJump(0x75, spin);
        caller.bytes({ 0x31, 0xc0, 0x0f, 0xa2 }); // xor eax, eax; cpuid, which serializes
        caller.bytes({ 0xbf }).word32(function).bytes({ 0xff, 0xd7 }); // mov edi, function; call edi
        caller.bytes({ 0x39, 0xf0, 0x74, 0x06, 0xff, 0x05 }).word32(errors); // cmp eax, esi; je +6; inc [errors]
        caller.bytes({ 0x89, 0x35 }).word32(answer); // mov [answer], esi
        caller.bytes({ 0x81, 0xfe }).word32(times).nearJump(0x85, again).bytes({ 0xf4 });
        rig.program(1, caller);
        EXPECT_TRUE(rig.run());
        EXPECT_EQ(rig.read<uint32_t>(answer), times);
        return rig.read<uint32_t>(errors);
    }

    uint32_t shootDowns(uint32_t times);
    uint32_t sharedPage(uint32_t times);
};

TEST_P(SeveralProcessors, StoreBufferingIsForbiddenByFences)
{
    EXPECT_EQ(storeBuffering(Fence::Mfence), 0u);
    EXPECT_EQ(storeBuffering(Fence::LockedOr), 0u);
}

TEST_P(SeveralProcessors, StoresAndLoadsAreSeenInOrder)
{
    EXPECT_EQ(messagePassing(), 0u);
    EXPECT_EQ(loadBuffering(), 0u);
}

TEST_P(SeveralProcessors, AllSeeIndependentStoresInOneOrder)
{
    EXPECT_EQ(independentReads(), 0u);
}

TEST_P(SeveralProcessors, LockedInstructionsLoseNothing)
{
    constexpr uint32_t times = 20000;
    const Code instructions[] = {
        Code().bytes({ 0xf0, 0xff, 0x05 }).word32(counter), // lock inc dword [counter]
        Code().bytes({ 0xf0, 0x83, 0x05 }).word32(counter).bytes({ 1 }), // lock add dword [counter], 1
        // mov eax, 1; lock xadd [counter], eax
        Code().bytes({ 0xb8 }).word32(1).bytes({ 0xf0, 0x0f, 0xc1, 0x05 }).word32(counter),
        // mov eax, [counter]; lea edx, [eax + 1]; lock cmpxchg [counter], edx; jne back
        Code()
            .bytes({ 0xa1 })
            .word32(counter)
            .bytes({ 0x8d, 0x50, 0x01, 0xf0, 0x0f, 0xb1, 0x15 })
            .word32(counter)
            .bytes({ 0x75, 0xee }),
        Code().bytes({ 0xf0, 0x83, 0x15 }).word32(counter).bytes({ 1 }).bytes({ 0xf8 }), // lock adc, clc
        // mov edi, ecx; mov eax, [counter]; mov edx, [counter + 4]; lea ebx, [eax + 1]; mov ecx, edx; lock cmpxchg8b
        // [counter]; jne back; mov ecx, edi
        Code()
            .bytes({ 0x89, 0xcf, 0xa1 })
            .word32(counter)
            .bytes({ 0x8b, 0x15 })
            .word32(counter + 4)
            .bytes({ 0x8d, 0x58, 0x01, 0x89, 0xd1, 0xf0, 0x0f, 0xc7, 0x0d })
            .word32(counter)
            .bytes({ 0x75, 0xe6, 0x89, 0xf9 }),
    };
    for (const Code& instruction : instructions) {
        SeveralRig rig(4, GetParam());
        for (unsigned n = 0; n < 4; ++n)
            rig.program(n, repeat(times, Code().bytes({ 0xf8 }).append(instruction)));
        ASSERT_TRUE(rig.run());
        const auto total = rig.read<uint32_t>(counter);
        const bool withCarry = &instruction == &instructions[4];
        EXPECT_EQ(total, 4 * times) << (withCarry ? "adc" : "");
    }
}

TEST_P(SeveralProcessors, BitsThatOthersSetAreNotLost)
{
    // Each sets every second bit of a map, by numbers that reach far beyond the operand.
    constexpr uint32_t bits = 20000;
    SeveralRig rig(2, GetParam());
    for (unsigned n = 0; n < 2; ++n) // lea eax, [ecx * 2 + n]; lock bts [x], eax
        rig.program(
            n, repeat(bits, Code().bytes({ 0x8d, 0x04, 0x4d }).word32(n).bytes({ 0xf0, 0x0f, 0xab, 0x05 }).word32(x)));
    ASSERT_TRUE(rig.run());
    for (uint32_t bit = 2; bit < 2 * bits + 2; ++bit)
        ASSERT_TRUE(rig.read<uint8_t>(x + bit / 8) >> bit % 8 & 1) << bit;
}

// Under KVM it is the host's processor that notices spinners.
class SeveralSoftProcessors : public SeveralProcessors { };

TEST_P(SeveralSoftProcessors, ASpinnerGivesTheHostCpuAwayAndOneThatWaitsForTimeDoesNot)
{
    constexpr uint32_t times = 3000;
    constexpr uint32_t pausesBetweenYields = 128;
    const Code pause = Code().bytes({ 0xf3, 0x90 });
    for (const bool readsClock : { false, true }) {
        SeveralRig rig(2, GetParam());
        rig.program(0, repeat(times, readsClock ? Code(pause).bytes({ 0x0f, 0x31 }) : pause)); // rdtsc
        rig.program(1, Code().bytes({ 0xf4 }));
        ASSERT_TRUE(rig.run());
        EXPECT_EQ(rig.session->vcpu(0).counters().yields.value(), readsClock ? 0 : times / pausesBetweenYields);
    }
}

TEST_P(SeveralProcessors, ExchangesAreLockedWithoutThePrefix)
{
    // Each takes the token (1) by XCHG and puts it back, and adds to the counter in between without a lock.
    constexpr uint32_t times = 5000;
    SeveralRig rig(2, GetParam());
    rig.write<uint32_t>(flag, 1);
    Code take;
    take.bytes({ 0xf3, 0x90, 0x31, 0xc0, 0x87, 0x05 }).word32(flag); // pause; xor eax, eax; xchg eax, [flag]
    take.bytes({ 0x85, 0xc0 }).shortJump(0x74, 0); // test eax, eax; jz back
    take.bytes({ 0xff, 0x05 }).word32(counter); // inc dword [counter]
    take.bytes({ 0xc7, 0x05 }).word32(flag).word32(1); // mov dword [flag], 1
    for (unsigned n = 0; n < 2; ++n)
        rig.program(n, repeat(times, take));
    ASSERT_TRUE(rig.run());
    EXPECT_EQ(rig.read<uint32_t>(counter), 2 * times);
}

TEST_P(SeveralProcessors, SplitLocksAreAtomicAgainstOthersThatAreNot)
{
    // One counts in 32 bits across a cache line and across a page; the other adds to the upper half alone.
    constexpr uint32_t times = 3000;
    constexpr uint32_t acrossLines = counter + 62, acrossPages = 0x71ffe;
    for (const uint32_t where : { acrossLines, acrossPages }) {
        if (where == acrossPages && isTheHosts(host_fault::splitLocksAreNotAtomic))
            continue;
        SeveralRig rig(2, GetParam());
        rig.program(0, repeat(times, Code().bytes({ 0xf0, 0xff, 0x05 }).word32(where)));
        // lock add word [where + 2], 1
        rig.program(1, repeat(times, Code().bytes({ 0xf0, 0x66, 0x83, 0x05 }).word32(where + 2).bytes({ 1 })));
        ASSERT_TRUE(rig.run());
        EXPECT_EQ(rig.read<uint32_t>(where), times << 16 | times);
    }
}

TEST_P(SeveralProcessors, TwoSplitLocksDoNotWaitForEachOther)
{
    constexpr uint32_t times = 2000;
    SeveralRig rig(3, GetParam());
    for (unsigned n = 0; n < 3; ++n)
        rig.program(n, repeat(times, Code().bytes({ 0xf0, 0xff, 0x05 }).word32(counter + 62)));
    ASSERT_TRUE(rig.run());
    EXPECT_EQ(rig.read<uint32_t>(counter + 62), 3 * times);
}

TEST_P(SeveralProcessors, CodeThatAnotherRewritesIsRunAnew)
{
    EXPECT_EQ(crossModification(500), 0u);
}

// Both run the same page, each at two linear addresses in turn, while processor 0 writes other numbers into it through
// a third.
uint32_t SeveralProcessors::sharedPage(uint32_t times)
{
    constexpr uint32_t directory = 0x90000;
    constexpr uint32_t table = 0x91000;
    constexpr uint32_t page = 0xc5000;
    constexpr uint32_t windows[] = { 0xa5000, 0xa7000, 0xa9000 };
    constexpr uint32_t present = 3, large = 0x80;
    SeveralRig rig(2, GetParam());
    for (uint32_t entry = 0; entry < 1024; ++entry) {
        rig.write<uint32_t>(directory + 4 * entry, entry ? entry << 22 | large | present : table | present);
        rig.write<uint32_t>(table + 4 * entry, entry << 12 | present);
    }
    for (const uint32_t window : windows)
        rig.write<uint32_t>(table + 4 * (window >> 12), page | present);
    for (CpuState& state : rig.states) {
        state.cr0 |= cr0::paging | cr0::writeProtect;
        state.cr3 = directory;
        state.cr4 = cr4::pageSizeExtensions;
    }
    // mov eax, 0; jmp behind; push the place; pop edx; ret
    rig.store(page, Code().bytes({ 0xb8 }).word32(0).bytes({ 0xeb, 0, 0xe8, 0, 0, 0, 0, 0x5a, 0xc3 }));

    for (unsigned index = 0; index < 2; ++index) {
        Code code;
        code.bytes({ 0x31, 0xc9 }); // xor ecx, ecx
        const size_t next = code.size();
        code.bytes({ 0x41, 0x89, 0xcb, 0x83, 0xe3, 0x01, 0xc1, 0xe3, 0x0d }); // inc ecx; ebx = (ecx & 1) << 13
        code.bytes({ 0x81, 0xc3 }).word32(windows[0]); // add ebx, windows[0]
        if (index == 0)
            code.bytes({ 0x88, 0x0d }).word32(windows[2] + 1); // mov [windows[2] + 1], cl
        code.bytes({ 0xff, 0xd3 }); // call ebx
        code.bytes({ 0x83, 0xc3, 0x0c, 0x39, 0xda, 0x74, 0x06, 0xff, 0x05 }).word32(errors); // edx = ebx + 12?
        if (index == 0) // eax = cl?
            code.bytes({ 0x0f, 0xb6, 0xd1, 0x39, 0xd0 });
        else // below 256?
            code.bytes({ 0xa9 }).word32(0xffffff00);
        code.bytes({ 0x74, 0x06, 0xff, 0x05 }).word32(errors);
        code.bytes({ 0x81, 0xf9 }).word32(times).nearJump(0x85, next).bytes({ 0xf4 });
        rig.program(index, code);
    }
    EXPECT_TRUE(rig.run());
    return rig.read<uint32_t>(errors);
}

TEST_P(SeveralProcessors, APageAtSeveralPlacesIsRunAsItIsNow)
{
    EXPECT_EQ(sharedPage(2000), 0u);
}

// Processor 0 exchanges a page and tells processor 1 by an IPI, whose handler drops its translation and looks.
uint32_t SeveralProcessors::shootDowns(uint32_t times)
{
    constexpr uint32_t directory = 0x90000;
    constexpr uint32_t table = 0x91000;
    constexpr uint32_t window = 0xa5000; // the page that changes, and what it shows:
    constexpr uint32_t pages[] = { 0xc5000, 0xc6000 };
    constexpr uint32_t present = 3, large = 0x80;
    SeveralRig rig(2, GetParam());
    for (uint32_t entry = 0; entry < 1024; ++entry) {
        rig.write<uint32_t>(directory + 4 * entry, entry ? entry << 22 | large | present : table | present);
        rig.write<uint32_t>(table + 4 * entry, entry << 12 | present);
    }
    rig.write<uint32_t>(pages[0], 0);
    rig.write<uint32_t>(pages[1], 1);
    rig.write<uint32_t>(table + 4 * (window >> 12), pages[0] | present);
    rig.makeTables();
    for (CpuState& state : rig.states) {
        state.cr0 |= cr0::paging | cr0::writeProtect;
        state.cr3 = directory;
        state.cr4 = cr4::pageSizeExtensions;
    }

    Code sender;
    sender.bytes({ 0x31, 0xc9 });
    const size_t next = sender.size();
    sender.bytes({ 0x41, 0x89, 0xc8, 0x83, 0xe0, 0x01, 0xc1, 0xe0, 0x0c }); // inc ecx; eax = (ecx & 1) << 12
    sender.bytes({ 0x05 }).word32(pages[0] | present).bytes({ 0xa3 }).word32(table + 4 * (window >> 12));
    sender.bytes({ 0x89, 0x0d }).word32(flag); // mov [flag], ecx
    sender.bytes({ 0xc7, 0x05 }).word32(0xfee00310).word32(1 << 24);
    sender.bytes({ 0xc7, 0x05 }).word32(0xfee00300).word32(0x4041);
    const size_t wait = sender.size();
    sender.bytes({ 0xf3, 0x90, 0x39, 0x0d }).word32(answer).shortJump(0x75, wait);
    sender.bytes({ 0x89, 0xc8, 0x83, 0xe0, 0x01, 0x3b, 0x05 }).word32(seen); // cmp (ecx & 1), [seen]
    sender.bytes({ 0x74, 0x06, 0xff, 0x05 }).word32(errors);
    sender.bytes({ 0x81, 0xf9 }).word32(times).nearJump(0x85, next).bytes({ 0xf4 });
    rig.program(0, sender);

    Code reader;
    reader.bytes({ 0xfb }); // sti
    const size_t read = reader.size();
    reader.bytes({ 0x8b, 0x1d }).word32(window).bytes({ 0xf3, 0x90 }).shortJump(0xeb, read);
    rig.program(1, reader);

    Code interrupt;
    interrupt.bytes({ 0x50, 0x0f, 0x01, 0x3d }).word32(window); // push eax; invlpg [window]
    interrupt.bytes({ 0xa1 }).word32(window).bytes({ 0xa3 }).word32(seen);
    interrupt.bytes({ 0xa1 }).word32(flag).bytes({ 0xa3 }).word32(answer);
    interrupt.bytes({ 0xc7, 0x05 }).word32(0xfee000b0).word32(0).bytes({ 0x58, 0xcf }); // EOI; pop eax; iret
    rig.handle(0x41, interrupt);

    EXPECT_TRUE(rig.run(0b01));
    EXPECT_EQ(rig.read<uint32_t>(answer), times);
    return rig.read<uint32_t>(errors);
}

TEST_P(SeveralProcessors, ShootDownsAreSeenWhenTheyAreAnswered)
{
    if (isTheHosts(host_fault::paging32DoesNotWork))
        return;
    EXPECT_EQ(shootDowns(500), 0u);
}

TEST_P(SeveralProcessors, InitializeAndStartUpBringAProcessorToItsPage)
{
    constexpr uint32_t page = 0x8000;
    SeveralRig rig(2, GetParam());
    rig.states[1] = CpuState::afterReset(rig.model, 1);
    rig.store(page, Code().bytes({ 0x8c, 0xc8, 0x8e, 0xd8, 0xc7, 0x06, 0x00, 0x01, 0x34, 0x12, 0xf4 }));
    Code boot;
    boot.bytes({ 0xc7, 0x05 }).word32(0xfee00310).word32(1 << 24);
    boot.bytes({ 0xc7, 0x05 }).word32(0xfee00300).word32(0xc500); // INIT, level, assert
    boot.bytes({ 0xc7, 0x05 }).word32(0xfee00300).word32(0x4608); // SIPI to 08000
    boot.bytes({ 0xc7, 0x05 }).word32(0xfee00300).word32(0x4609); // a second one, which finds it started
    const size_t wait = boot.size();
    boot.bytes({ 0xf3, 0x90, 0x66, 0x81, 0x3d }).word32(page + 0x100).bytes({ 0x34, 0x12 }).shortJump(0x75, wait);
    rig.program(0, boot.bytes({ 0xf4 }));
    ASSERT_TRUE(rig.run());
    EXPECT_EQ(rig.states[1].segments[Cs].selector, 0x800);
    EXPECT_EQ(rig.states[1].segments[Cs].base, page);
    EXPECT_EQ(rig.read<uint16_t>(page + 0x100), 0x1234);
}

TEST_P(SeveralProcessors, AProcessorThatWaitsForItsStartUpTakesNothingElse)
{
    SeveralRig rig(2, GetParam());
    rig.states[1] = CpuState::afterReset(rig.model, 1);
    Code boot;
    boot.bytes({ 0xc7, 0x05 }).word32(0xfee00310).word32(1 << 24);
    boot.bytes({ 0xc7, 0x05 }).word32(0xfee00300).word32(0x4400); // NMI
    boot.bytes({ 0xc7, 0x05 }).word32(0xfee00300).word32(0x4041); // a vector
    rig.program(0, boot.bytes({ 0xf4 }));
    ASSERT_TRUE(rig.run(0b01));
    EXPECT_EQ(rig.states[1].mpState, MpState::WaitForStartUp);
    EXPECT_EQ(rig.states[1].eip, 0xfff0u);
}

const auto engines = ::testing::ValuesIn(SeveralRig::engines());
const auto softEngines = ::testing::Values(
    SeveralRig::Engine::Interpreter, SeveralRig::Engine::Translator, SeveralRig::Engine::TranslatorWithTables);
std::string nameOf(const ::testing::TestParamInfo<SeveralRig::Engine>& info)
{
    return SeveralRig::nameOf(info.param);
}
INSTANTIATE_TEST_SUITE_P(Engines, SeveralSoftProcessors, softEngines, nameOf);
INSTANTIATE_TEST_SUITE_P(Engines, SeveralProcessors, engines, nameOf);

// Five minutes of it all for each, for ./test --long.
class LongSeveralProcessors : public SeveralProcessors { };

TEST_P(LongSeveralProcessors, KeepTheirOrder)
{
    const bool shootsDown = !isTheHosts(host_fault::paging32DoesNotWork);
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (std::chrono::steady_clock::now() < end) {
        ASSERT_EQ(storeBuffering(Fence::Mfence), 0u);
        ASSERT_EQ(storeBuffering(Fence::LockedOr), 0u);
        ASSERT_EQ(messagePassing(), 0u);
        ASSERT_EQ(loadBuffering(), 0u);
        ASSERT_EQ(independentReads(), 0u);
        ASSERT_EQ(crossModification(2000), 0u);
        if (!shootsDown)
            continue;
        ASSERT_EQ(shootDowns(2000), 0u);
    }
}

INSTANTIATE_TEST_SUITE_P(Long, LongSeveralProcessors, engines, nameOf);

} // namespace namsan
