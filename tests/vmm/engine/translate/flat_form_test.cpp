// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include "vmm/engine/translate/fault_redirection.h"
#include "vmm/engine/translate/memory_form_choice.h"

#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <sys/mman.h>

namespace namsan {

// The flat form on hosts that have it, the tlb form elsewhere: what the guest sees is the same. Programs run with
// paging, where a page of data is mapped to another frame, twice in a row at most.
class FlatFormTest : public ::testing::Test {
protected:
    static constexpr uint32_t page = TranslatorBench::data;
    static constexpr uint32_t frame = 0x280000;
    static constexpr uint32_t accessed = 1 << 5;
    static constexpr uint32_t dirty = 1 << 6;

    static TranslatorOptions options()
    {
        TranslatorOptions options = TranslatorBench::eager();
        options.flat = isFlat();
        return options;
    }
    static bool isFlat() { return chooseMemoryForm(MemoryFormWish::Best).flat; }

    TranslatorBench bench { options() };
    GuestMemory& memory = *bench.memory;

    FlatFormTest() { bench.enablePaging(); }

    void run(std::initializer_list<uint8_t> code)
    {
        bench.load(TranslatorBench::code, code);
        bench.codeCache.codeWrittenHere(TranslatorBench::code, 64);
        again();
    }
    void again() { EXPECT_EQ(bench.runFrom(TranslatorBench::code), Interpreter::Stop::Halted); }

    bool faulted(uint32_t address, uint32_t errorCode)
    {
        return bench.cpu.eip == TranslatorBench::handlerOf(14) + 1 && bench.cpu.cr2 == address
            && bench.get32(bench.cpu.gpr[Esp]) == errorCode;
    }
    uint64_t accessFaultsOf(const std::function<void()>& action)
    {
        const uint64_t before = bench.counters.accessFaults.value();
        action();
        return bench.counters.accessFaults.value() - before;
    }
};

// mov ebx, 200ff0; mov eax, [ebx]; mov [ebx + 4], eax; hlt
#define READ_AND_WRITE                                                                                                 \
    {                                                                                                                  \
        0xbb, 0xf0, 0x0f, 0x20, 0x00, 0x8b, 0x03, 0x89, 0x43, 0x04, 0xf4                                               \
    }

TEST_F(FlatFormTest, GoesByItselfOnceItKnowsThePage)
{
    bench.setPage(page, frame | 7);
    bench.put<uint32_t>(frame + 0xff0, 0xcafe);
    run(READ_AND_WRITE);
    EXPECT_EQ(bench.get32(frame + 0xff4), 0xcafeu);
    const uint64_t misses = bench.counters.tlbMisses.value();
    EXPECT_EQ(accessFaultsOf([this] { again(); }), 0u);
    EXPECT_EQ(bench.counters.tlbMisses.value(), misses);
    if (isFlat()) {
        EXPECT_GE(bench.counters.accessFaults.value(), 2u);
    }
}

TEST_F(FlatFormTest, KeepsTheFlagsOverReadsAndWritesAndTheirSlowWays)
{
    bench.setPage(page, frame | 7);
    bench.put<uint32_t>(frame, 5);
    // stc; mov eax, [200000]; mov [200004], eax; push eax; pop ecx; adc ecx, [200000]; setc dl; hlt
    run({ 0xf9, 0xa1, 0, 0, 0x20, 0, 0xa3, 4, 0, 0x20, 0, 0x50, 0x59, 0x13, 0x0d, 0, 0, 0x20, 0, 0x0f, 0x92, 0xc2,
        0xf4 });
    EXPECT_EQ(bench.cpu.gpr[Ecx], 11u);
    again();
    EXPECT_EQ(bench.cpu.gpr[Ecx], 11u);
    EXPECT_EQ(bench.get32(frame + 4), 5u);
}

TEST_F(FlatFormTest, SetsAccessedAndDirtyWhenTheyAreDue)
{
    bench.setPage(page, frame | 7);
    run({ 0xa1, 0, 0, 0x20, 0, 0xf4 }); // mov eax, [200000]; hlt
    EXPECT_EQ(bench.get32(bench.tableEntry(page)) & (accessed | dirty), accessed);
    EXPECT_EQ(bench.get32(bench.tableEntry(page + 0x1000)) & (accessed | dirty), 0u) << "a neighbour was looked at";
    run({ 0xa3, 0, 0, 0x20, 0, 0xf4 });
    EXPECT_EQ(bench.get32(bench.tableEntry(page)) & (accessed | dirty), accessed | dirty);

    bench.setPage(page, frame | 7 | accessed); // and INVLPG
    run({ 0xa3, 0, 0, 0x20, 0, 0xf4 });
    EXPECT_EQ(bench.get32(bench.tableEntry(page)) & (accessed | dirty), accessed | dirty);
    bench.put<uint32_t>(bench.tableEntry(page), frame | 7);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    run({ 0xa1, 0, 0, 0x20, 0, 0xf4 });
    EXPECT_EQ(bench.get32(bench.tableEntry(page)) & (accessed | dirty), accessed);
}

TEST_F(FlatFormTest, EntersNeighboursWhoseBitsAreSet)
{
    bench.setPage(page + 0x1000, frame | 7 | accessed | dirty);
    bench.setPage(page + 0x2000, (frame + 0x1000) | 7 | accessed);
    run({ 0xa1, 0, 0, 0x20, 0, 0xf4 });
    EXPECT_EQ(accessFaultsOf([this] { run({ 0xa3, 0, 0x10, 0x20, 0, 0xf4 }); }), 0u);
    EXPECT_EQ(accessFaultsOf([this] { run({ 0xa1, 0, 0x20, 0x20, 0, 0xf4 }); }), 0u);
    run({ 0xa3, 0, 0x20, 0x20, 0, 0xf4 });
    EXPECT_EQ(bench.get32(bench.tableEntry(page + 0x2000)) & dirty, dirty);
}

TEST_F(FlatFormTest, FaultsAtEachKindOfAccessWithNothingChanged)
{
    writeCr0(bench.cpu, bench.cpu.cr0 | cr0::writeProtect);
    const std::vector<std::vector<uint8_t>> accesses {
        { 0x8b, 0x03 }, // mov eax, [ebx]
        { 0x8a, 0x23 }, // mov ah, [ebx]
        { 0x88, 0x23 }, // mov [ebx], ah
        { 0x00, 0x23 }, // add [ebx], ah
        { 0x89, 0x03 }, // mov [ebx], eax
        { 0x01, 0x03 }, // add [ebx], eax
        { 0xff, 0x03 }, // inc [ebx]
        { 0x87, 0x03 }, // xchg eax, [ebx]
        { 0x0f, 0xb1, 0x0b }, // cmpxchg [ebx], ecx
        { 0x0f, 0xc1, 0x0b }, // xadd [ebx], ecx
        { 0xff, 0x33 }, // push [ebx]
        { 0x8f, 0x03 }, // pop [ebx]
        { 0xff, 0x13 }, // call [ebx]
        { 0xff, 0x23 }, // jmp [ebx]
        { 0xf7, 0x33 }, // div [ebx]
        { 0xd1, 0x23 }, // shl [ebx], 1
        { 0x66, 0xc7, 0x03, 0x12, 0x34 }, // mov word [ebx], 3412
    };
    bench.setPage(page, 0);
    for (const auto& access : accesses) {
        bench.load(TranslatorBench::code, access);
        bench.load(TranslatorBench::code + static_cast<uint32_t>(access.size()), { 0xf4 });
        bench.codeCache.codeWrittenHere(TranslatorBench::code, 16);
        bench.cpu.gpr = { 0x11223344, 0x55667788, 0x99aabbcc, page + 0x10, TranslatorBench::stack, 0x1, 0x2, 0x3, 0 };
        const auto before = bench.cpu.gpr;
        again();
        EXPECT_EQ(bench.cpu.cr2, page + 0x10) << "opcode " << unsigned { access[0] };
        EXPECT_EQ(bench.get32(bench.cpu.gpr[Esp] + 4), TranslatorBench::code);
        bench.cpu.gpr[Esp] = TranslatorBench::stack;
        EXPECT_EQ(bench.cpu.gpr, before) << "opcode " << unsigned { access[0] };
    }
}

TEST_F(FlatFormTest, TellsReadsFromWritesInTheErrorCode)
{
    writeCr0(bench.cpu, bench.cpu.cr0 | cr0::writeProtect);
    bench.setPage(page, frame | 5);
    run({ 0xa1, 0x10, 0, 0x20, 0, 0xf4 });
    EXPECT_EQ(bench.cpu.eip, TranslatorBench::code + 6);
    bench.cpu.gpr[Esp] = TranslatorBench::stack;
    run({ 0xa3, 0x10, 0, 0x20, 0, 0xf4 });
    EXPECT_TRUE(faulted(page + 0x10, 3));
}

// The physically next page must be out of reach, and the linearly next one must not be missed.
TEST_F(FlatFormTest, CrossesPagesToWhereTheyAreMapped)
{
    bench.setPage(page, frame | 7);
    bench.setPage(page + 0x1000, (frame + 0x8000) | 7);
    bench.put<uint32_t>(frame + 0x1000, 0x77777777);
    bench.put<uint32_t>(frame + 0xffc, 0x11223344);
    bench.put<uint32_t>(frame + 0x8000, 0x55667788);
    for (int round = 0; round < 3; ++round) {
        // mov ebx, 200ffe; mov eax, [ebx]; mov ecx, [ebx - 2]; mov edx, [ebx + 2]; mov [ebx], eax; hlt
        run({ 0xbb, 0xfe, 0x0f, 0x20, 0x00, 0x8b, 0x03, 0x8b, 0x4b, 0xfe, 0x8b, 0x53, 0x02, 0x89, 0x03, 0xf4 });
        EXPECT_EQ(bench.cpu.gpr[Eax], 0x77881122u) << "round " << round;
        EXPECT_EQ(bench.cpu.gpr[Ecx], 0x11223344u);
        EXPECT_EQ(bench.cpu.gpr[Edx], 0x55667788u);
    }
    // mov ebx, 200ffd; mov dword [ebx], 04030201; hlt
    run({ 0xbb, 0xfd, 0x0f, 0x20, 0x00, 0xc7, 0x03, 1, 2, 3, 4, 0xf4 });
    EXPECT_EQ(bench.get32(frame + 0xffc), 0x03020144u);
    EXPECT_EQ(bench.get32(frame + 0x8000), 0x55667704u);
    EXPECT_EQ(bench.get32(frame + 0x1000), 0x77777777u);
}

TEST_F(FlatFormTest, FaultsInTheSecondPageOfACrossingAccess)
{
    bench.setPage(page, frame | 7);
    bench.setPage(page + 0x1000, 0);
    bench.put<uint32_t>(frame + 0xffc, 0x11223344);
    run({ 0xc7, 0x05, 0xfe, 0x0f, 0x20, 0x00, 1, 2, 3, 4, 0xf4 }); // mov dword [200ffe], 4030201; hlt
    EXPECT_TRUE(faulted(page + 0x1000, 2));
    EXPECT_EQ(bench.get32(frame + 0xffc), 0x11223344u);
}

TEST_F(FlatFormTest, AsksWhereAnAccessCrossesPagesAgainAndAgain)
{
    bench.put<uint32_t>(page + 0xffc, 0x44332211);
    bench.put<uint32_t>(page + 0x1000, 0x88776655);
    bench.cpu.gpr[Edx] = 0;
    // mov ecx, 20; l: mov ebx, 200ffa; m: stc; mov eax, [ebx]; mov [ebx - 200], eax; adc edx, 0; inc ebx; cmp ebx,
    // 201002; jne m; dec ecx; jnz l; hlt
    const uint64_t faults = accessFaultsOf([this] {
        run({ 0xb9, 20, 0, 0, 0, 0xbb, 0xfa, 0x0f, 0x20, 0, 0xf9, 0x8b, 0x03, 0x89, 0x83, 0, 0xfe, 0xff, 0xff, 0x83,
            0xd2, 0, 0x43, 0x81, 0xfb, 0x02, 0x10, 0x20, 0, 0x75, 0xeb, 0x49, 0x75, 0xe3, 0xf4 });
    });
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x00887766u);
    EXPECT_EQ(bench.cpu.gpr[Edx], 20u * 8) << "the flags were changed";
    EXPECT_EQ(bench.get32(page + 0xe01), 0x00887766u);
    if (isFlat()) {
        EXPECT_LE(faults, 30u); // of 140 crossings; three units hold that code, and each is emitted anew once
    }
    bench.setPage(page, frame | 7);
    bench.setPage(page + 0x1000, 0);
    again();
    EXPECT_TRUE(faulted(page + 0x1000, 0));
}

// Each round writes to a page that it has not seen.
TEST_F(FlatFormTest, StopsFaultingOnTheHostWhereEachAccessIsToANewPage)
{
    constexpr uint32_t pages = 40;
    for (uint32_t n = 0; n < pages; ++n)
        bench.setPage(page + n * 0x1000, (frame + n * 0x1000) | 7);
    // mov ebx, 200000; mov ecx, 40; l: mov [ebx], ecx; add ebx, 1000; dec ecx; jnz l; hlt
    const uint64_t faults = accessFaultsOf([this] {
        run({ 0xbb, 0, 0, 0x20, 0, 0xb9, pages, 0, 0, 0, 0x89, 0x0b, 0x81, 0xc3, 0, 0x10, 0, 0, 0x49, 0x75, 0xf5,
            0xf4 });
    });
    for (uint32_t n = 0; n < pages; ++n)
        EXPECT_EQ(bench.get32(frame + n * 0x1000), pages - n);
    EXPECT_LE(faults, 10u);
}

TEST_F(FlatFormTest, StopsFaultingOnTheHostWhereTheGuestFaults)
{
    bench.setPage(page, 0);
    run({ 0xa1, 0, 0, 0x20, 0, 0xf4 });
    const uint64_t faults = accessFaultsOf([this] {
        for (int round = 0; round < 20; ++round) {
            again();
            EXPECT_TRUE(faulted(page, 0));
        }
    });
    EXPECT_LE(faults, 8u);
    bench.setPage(page, frame | 7);
    bench.put<uint32_t>(frame, 0x1234);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x1234u);
}

TEST_F(FlatFormTest, KeepsGlobalPagesOverLoadsOfCr3UntilInvlpg)
{
    constexpr uint32_t global = 1 << 8;
    constexpr uint32_t high = 0xc0000000;
    writeCr4(bench.cpu, cr4::pageGlobalEnable);
    bench.put<uint32_t>(ProcessorBench::pageDirectory + (high >> 22) * 4, ProcessorBench::pageTable | 7);
    bench.put<uint32_t>(bench.tableEntry(page), frame | 7 | global);
    bench.put<uint32_t>(frame, 0x1111);
    bench.put<uint32_t>(frame + 0x1000, 0x2222);
    run({ 0xa1, 0, 0, 0x20, 0xc0, 0xf4 }); // mov eax, [c0200000]; hlt
    ASSERT_EQ(bench.cpu.gpr[Eax], 0x1111u);
    bench.put<uint32_t>(bench.tableEntry(page), (frame + 0x1000) | 7 | global);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x1111u) << "a load of CR3 leaves global pages alone";
    bench.cpu.memory.invalidatePage(high | page);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x2222u);
    bench.put<uint32_t>(bench.tableEntry(page), frame | 7);
    writeCr4(bench.cpu, 0); // which makes all of them ordinary pages
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x1111u);
    bench.put<uint32_t>(bench.tableEntry(page), (frame + 0x1000) | 7);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x2222u);
}

TEST_F(FlatFormTest, FollowsInvlpgAndLoadsOfCr3)
{
    bench.setPage(page, frame | 7);
    bench.put<uint32_t>(frame + 0xff0, 0x1111);
    bench.put<uint32_t>(frame + 0x1ff0, 0x2222);
    run(READ_AND_WRITE);
    ASSERT_EQ(bench.cpu.gpr[Eax], 0x1111u);
    bench.put<uint32_t>(bench.tableEntry(page), (frame + 0x1000) | 7);
    bench.cpu.memory.invalidatePage(page + 0x123);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x2222u);
    EXPECT_EQ(bench.get32(frame + 0x1ff4), 0x2222u);
    bench.put<uint32_t>(bench.tableEntry(page), frame | 7);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x1111u);
    bench.put<uint32_t>(bench.tableEntry(page), 0);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    again();
    EXPECT_TRUE(faulted(page + 0xff0, 0));
}

// As Linux does when it patches its own code: through another mapping, which is made anew for each page.
TEST_F(FlatFormTest, FollowsAMappingFromAPlainPageToOneWhoseWritesAreSpecial)
{
    memory.setFlag(frame + 0x1000, GuestMemory::Tracked);
    bench.setPage(page, frame | 7);
    bench.put<uint32_t>(frame + 0xff0, 0x1111);
    bench.put<uint32_t>(frame + 0x1ff0, 0x2222);
    run(READ_AND_WRITE);
    again();
    ASSERT_EQ(bench.get32(frame + 0xff4), 0x1111u);
    memory.clearFlag(frame + 0x1000, GuestMemory::Dirty);
    bench.put<uint32_t>(bench.tableEntry(page), (frame + 0x1000) | 7 | accessed | dirty);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    again();
    EXPECT_EQ(bench.get32(frame + 0xff4), 0x1111u);
    EXPECT_EQ(bench.get32(frame + 0x1ff4), 0x2222u);
    EXPECT_TRUE(memory.flags(frame + 0x1000) & GuestMemory::Dirty);
}

TEST_F(FlatFormTest, KeepsAddressSpacesApartAndRemembersBoth)
{
    constexpr uint32_t other = 0x20000;
    constexpr uint32_t otherTable = 0x21000;
    bench.setPage(page, frame | 7);
    for (uint32_t n = 0; n < 1024; ++n)
        bench.put<uint32_t>(otherTable + 4 * n, n << 12 | 7);
    bench.put<uint32_t>(otherTable + (page >> 12) * 4, (frame + 0x1000) | 7);
    bench.put<uint32_t>(other, otherTable | 7);
    bench.put<uint32_t>(frame + 0xff0, 0x1111);
    bench.put<uint32_t>(frame + 0x1ff0, 0x2222);
    for (int round = 0; round < 3; ++round) {
        const uint64_t faults = accessFaultsOf([&] {
            writeCr3(bench.cpu, ProcessorBench::pageDirectory);
            run(READ_AND_WRITE);
            EXPECT_EQ(bench.cpu.gpr[Eax], 0x1111u);
            writeCr3(bench.cpu, other);
            again();
            EXPECT_EQ(bench.cpu.gpr[Eax], 0x2222u);
        });
        if (round > 0) {
            EXPECT_EQ(faults, 0u);
        }
    }
    bench.put<uint32_t>(bench.tableEntry(page), 0); // while the other runs
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    again();
    EXPECT_TRUE(faulted(page + 0xff0, 0));
}

TEST_F(FlatFormTest, ForgetsALargePageAsAWhole)
{
    writeCr4(bench.cpu, cr4::pageSizeExtensions);
    bench.put<uint32_t>(ProcessorBench::pageDirectory + 4, 0x00400083);
    bench.put<uint32_t>(0x00405000, 0x5555);
    bench.put<uint32_t>(0x00805000, 0x8888);
    run({ 0xa1, 0x00, 0x50, 0x40, 0, 0xf4 }); // mov eax, [405000]; hlt
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x5555u);
    bench.put<uint32_t>(ProcessorBench::pageDirectory + 4, 0x00800083);
    bench.cpu.memory.invalidatePage(0x0077f000);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x8888u);
    bench.put<uint32_t>(ProcessorBench::pageDirectory + 4, 0x00400083);
    writeCr3(bench.cpu, ProcessorBench::pageDirectory);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x5555u);
    EXPECT_EQ(bench.get32(ProcessorBench::pageDirectory + 4) & (accessed | dirty), accessed);
    run({ 0xa3, 0x00, 0x60, 0x40, 0, 0xf4 });
    EXPECT_EQ(bench.get32(ProcessorBench::pageDirectory + 4) & (accessed | dirty), accessed | dirty);
}

TEST_F(FlatFormTest, SendsDeviceAccessesToTheBus)
{
    bench.setPage(page, 0xfeb00000 | 7);
    for (int round = 0; round < 2; ++round) {
        run({ 0xa1, 0x10, 0, 0x20, 0, 0xa3, 0x20, 0, 0x20, 0, 0xf4 });
        EXPECT_EQ(bench.cpu.gpr[Eax], 0x55667788u);
    }
    EXPECT_EQ(bench.bus.mmioReads.size(), 2u);
    EXPECT_EQ(bench.bus.mmioWrites.size(), 2u);
}

TEST_F(FlatFormTest, ReportsEachWriteToTrackedMemory)
{
    memory.setFlag(frame, GuestMemory::Tracked);
    bench.setPage(page, frame | 7);
    for (int round = 0; round < 3; ++round) {
        run(READ_AND_WRITE);
        EXPECT_TRUE(memory.flags(frame) & GuestMemory::Dirty) << "round " << round;
        memory.clearFlag(frame, GuestMemory::Dirty);
    }
}

TEST_F(FlatFormTest, NoticesStoresIntoCodeThatWasDataBefore)
{
    // mov byte [200001], al; hlt, and at 200000: mov al, 1; hlt
    run({ 0xb0, 0x07, 0xa2, 1, 0, 0x20, 0, 0xf4 });
    bench.load(page, { 0xb0, 0x01, 0xf4 });
    bench.codeCache.codeWrittenHere(page, 3);
    EXPECT_EQ(bench.runFrom(page), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax] & 0xff, 1u);
    again();
    EXPECT_EQ(bench.runFrom(page), Interpreter::Stop::Halted);
    EXPECT_EQ(bench.cpu.gpr[Eax] & 0xff, 7u);
}

TEST_F(FlatFormTest, WrapsAtTheEndOfTheAddressSpace)
{
    bench.put<uint32_t>(ProcessorBench::pageDirectory + 4 * 1023, ProcessorBench::pageTable | 7);
    bench.put<uint32_t>(bench.tableEntry(0x3ff000), frame | 7);
    bench.put<uint32_t>(frame + 0xffc, 0x11223344);
    bench.put<uint32_t>(0, 0x55667788);
    bench.cpu.memory.flushAll();
    run({ 0xa1, 0xfe, 0xff, 0xff, 0xff, 0xf4 });
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x77881122u);
    again();
    EXPECT_EQ(bench.cpu.gpr[Eax], 0x77881122u);
}

TEST_F(FlatFormTest, KeepsUsersOutOfTheSystemsPages)
{
    bench.setPage(page, frame | 3);
    run(READ_AND_WRITE);
    bench.enterLevel3();
    again(); // its HLT is privileged, but it faults before
    EXPECT_TRUE(faulted(page + 0xff0, 5));
}

// -- the host's side

TEST(FaultRedirection, PassesOnWhatIsNotItsOwn)
{
    ASSERT_TRUE(FaultRedirection::install());
    void* forbidden = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(forbidden, MAP_FAILED);
    EXPECT_DEATH(*static_cast<volatile uint8_t*>(forbidden) = 1, "");
    EXPECT_DEATH(raise(SIGBUS), "");
    munmap(forbidden, 4096);
    EXPECT_EQ(FaultRedirection::ofThisThread(), nullptr);
}

} // namespace namsan
