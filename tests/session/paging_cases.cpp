// SPDX-License-Identifier: GPL-3.0-or-later
// 32-bit paging: translation, faults, what the processor writes into the tables.
#include "tests/session/host_faults.h"
#include "tests/session/session_rig.h"

namespace namsan {

namespace {

using End = SessionRig::End;

constexpr unsigned pageFault = 14;
constexpr uint32_t present = 1, writable = 2, user = 4, accessed = 1 << 5, dirty = 1 << 6;
constexpr uint32_t page = 0x400000; // linear, in the second table

uint32_t entryOf(SessionRig& rig, uint32_t linear)
{
    return rig.read<uint32_t>(SessionRig::pageDirectory + 0x1000 + (linear >> 12) * 4);
}

void pagingGoesOn(SessionRig& rig, Verdict& verdict)
{
    // mov eax,30000h; mov cr3,eax; mov eax,cr0; or eax,80000000h; mov cr0,eax; jmp $+2; mov ebx,[400000h]
    rig.paged32({ 0xb8, 0x00, 0x00, 0x03, 0x00, 0x0f, 0x22, 0xd8, 0x0f, 0x20, 0xc0, 0x0d, 0x00, 0x00, 0x00, 0x80, 0x0f,
        0x22, 0xc0, 0xeb, 0x00, 0x8b, 0x1d, 0x00, 0x00, 0x40, 0x00 });
    rig.state.cr0 &= ~cr0::paging;
    rig.state.cr3 = 0;
    rig.setPage(page, 0x20000 | present);
    rig.write<uint32_t>(0x20000, 0x600df00d);
    verdict.halts(rig, rig.run());
    verdict.equal("EBX", rig.reg(Ebx), 0x600df00du);
}

void pagesAreWhereTheTablesSay(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[400000h]; mov [401000h],eax
    rig.paged32({ 0xa1, 0x00, 0x00, 0x40, 0x00, 0xa3, 0x00, 0x10, 0x40, 0x00 });
    rig.setPage(page, 0x21000 | present);
    rig.setPage(page + 0x1000, 0x22000 | present | writable);
    rig.write<uint32_t>(0x21000, 0x12345678);
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 0x12345678u);
    verdict.equal("what was written", rig.read<uint32_t>(0x22000), 0x12345678u);
    verdict.equal("entry of the page read", entryOf(rig, page), 0x21000u | present | accessed);
    verdict.equal(
        "entry of the page written", entryOf(rig, page + 0x1000), 0x22000u | present | writable | accessed | dirty);
}

void accessAcrossTwoPages(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[400ffeh]; mov [400ffdh],eax
    rig.paged32({ 0xa1, 0xfe, 0x0f, 0x40, 0x00, 0xa3, 0xfd, 0x0f, 0x40, 0x00 });
    rig.setPage(page, 0x25000 | present | writable);
    rig.setPage(page + 0x1000, 0x21000 | present | writable);
    rig.write<uint16_t>(0x25ffe, 0x2211);
    rig.write<uint16_t>(0x21000, 0x4433);
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 0x44332211u);
    verdict.equal("the end of the first page", rig.read<uint16_t>(0x25ffe), 0x3322u);
    verdict.equal("the second page's first byte", rig.read<uint8_t>(0x21000), 0x44u);
}

void faultsTellWhere(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[400123h]
    rig.paged32({ 0xa1, 0x23, 0x01, 0x40, 0x00 });
    rig.setPage(page, 0);
    verdict.raises(rig, rig.run(), pageFault);
    verdict.equal("CR2 of a read", rig.state.cr2, page + 0x123);
    verdict.equal("error code of a read", rig.pushed(0), 0u);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress);
    // mov [400456h],eax: with write protection, to a page that may only be read
    rig.paged32({ 0xa3, 0x56, 0x04, 0x40, 0x00 });
    rig.setPage(page, 0x21000 | present);
    verdict.raises(rig, rig.run(), pageFault);
    verdict.equal("CR2 of a write", rig.state.cr2, page + 0x456);
    verdict.equal("error code of a write", rig.pushed(0), present | writable);
}

void supervisorWritesWithoutWriteProtection(SessionRig& rig, Verdict& verdict)
{
    // mov dword [400000h],5
    rig.paged32({ 0xc7, 0x05, 0x00, 0x00, 0x40, 0x00, 0x05, 0x00, 0x00, 0x00 });
    rig.state.cr0 &= ~cr0::writeProtect;
    rig.setPage(page, 0x21000 | present);
    verdict.halts(rig, rig.run());
    verdict.equal("what was written", rig.read<uint32_t>(0x21000), 5u);
}

void usersMayNotTouchTheSystem(SessionRig& rig, Verdict& verdict)
{
    // to user mode at 10014h: mov eax,cs:[400000h]
    rig.paged32(
        { 0x6a, 0x23, 0x68, 0x00, 0x00, 0x07, 0x00, 0x6a, 0x02, 0x6a, 0x1b, 0x68, 0x14, 0x00, 0x01, 0x00, 0xcf });
    rig.store(SessionRig::codeAddress + 0x14, { 0x2e, 0xa1, 0x00, 0x00, 0x40, 0x00 });
    rig.setPage(page, 0x21000 | present | writable);
    verdict.raises(rig, rig.run(), pageFault);
    verdict.equal("error code", rig.pushed(0), present | user);
    verdict.equal("CR2", rig.state.cr2, page);
    verdict.equal("code segment pushed", rig.pushed(2) & 0xffff, SessionRig::userCode);
}

void fetchFaults(SessionRig& rig, Verdict& verdict)
{
    // jmp 400000h
    rig.paged32({ 0xe9, 0xfb, 0xff, 0x3e, 0x00 });
    rig.setPage(page, 0);
    verdict.raises(rig, rig.run(), pageFault);
    verdict.equal("CR2", rig.state.cr2, page);
    verdict.equal("return address", rig.pushed(1), page);
}

void faultIsMendedAndTheInstructionRunsAgain(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[400000h]; the handler: mov dword [32000h],21003h; pop eax; iretd
    rig.paged32({ 0xa1, 0x00, 0x00, 0x40, 0x00 });
    rig.store(SessionRig::handlersAddress + 16 * pageFault,
        { 0xc7, 0x05, 0x00, 0x20, 0x03, 0x00, 0x03, 0x10, 0x02, 0x00, 0x58, 0xcf });
    rig.setPage(page, 0);
    rig.write<uint32_t>(0x21000, 0xcafe);
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 0xcafeu);
}

void invalidatedPagesAreLookedUpAgain(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[400000h]; mov dword [32000h],22003h; invlpg [400000h]; mov ebx,[400000h];
    // mov dword [32000h],23003h; mov ecx,cr3; mov cr3,ecx; mov ecx,[400000h]
    rig.paged32({ 0xa1, 0x00, 0x00, 0x40, 0x00, 0xc7, 0x05, 0x00, 0x20, 0x03, 0x00, 0x03, 0x20, 0x02, 0x00, 0x0f, 0x01,
        0x3d, 0x00, 0x00, 0x40, 0x00, 0x8b, 0x1d, 0x00, 0x00, 0x40, 0x00, 0xc7, 0x05, 0x00, 0x20, 0x03, 0x00, 0x03,
        0x30, 0x02, 0x00, 0x0f, 0x20, 0xd9, 0x0f, 0x22, 0xd9, 0x8b, 0x0d, 0x00, 0x00, 0x40, 0x00 });
    rig.setPage(page, 0x21000 | present | writable);
    rig.write<uint32_t>(0x21000, 1);
    rig.write<uint32_t>(0x22000, 2);
    rig.write<uint32_t>(0x23000, 3);
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 1u);
    verdict.equal("EBX after INVLPG", rig.reg(Ebx), 2u);
    verdict.equal("ECX after a load of CR3", rig.reg(Ecx), 3u);
}

void largePage(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[400000h + 21000h]
    rig.paged32({ 0xa1, 0x00, 0x10, 0x42, 0x00 });
    rig.state.cr4 |= cr4::pageSizeExtensions;
    rig.write<uint32_t>(SessionRig::pageDirectory + 4, 0x83); // 4 MiB from 0
    rig.write<uint32_t>(0x21000, 0xbeef);
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 0xbeefu);
}

void devicesThroughPages(SessionRig& rig, Verdict& verdict)
{
    // mov [400004h],eax; mov ebx,[400008h]
    rig.paged32({ 0xb8, 0x44, 0x33, 0x22, 0x11, 0xa3, 0x04, 0x00, 0x40, 0x00, 0x8b, 0x1d, 0x08, 0x00, 0x40, 0x00 });
    rig.setPage(page, 0xb8000 | present | writable);
    verdict.halts(rig, rig.run());
    verdict.holds(
        "the write is another", rig.bus.mmioWrites == std::vector<RigBus::Access> { { 0xb8004, 4, 0x11223344 } });
    verdict.equal("EBX", rig.reg(Ebx), 0x55667788u);
}

void repetitionFaultsInTheMiddle(SessionRig& rig, Verdict& verdict)
{
    // mov edi,400ff0h; mov ecx,100h; mov eax,55555555h; rep stosd
    rig.paged32(
        { 0xbf, 0xf0, 0x0f, 0x40, 0x00, 0xb9, 0x00, 0x01, 0x00, 0x00, 0xb8, 0x55, 0x55, 0x55, 0x55, 0xf3, 0xab });
    rig.setPage(page, 0x21000 | present | writable);
    rig.setPage(page + 0x1000, 0);
    verdict.raises(rig, rig.run(), pageFault);
    verdict.equal("EDI", rig.reg(Edi), page + 0x1000);
    verdict.equal("ECX", rig.reg(Ecx), 0xfcu);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress + 15);
    verdict.equal("CR2", rig.state.cr2, page + 0x1000);
    verdict.equal("error code", rig.pushed(0), writable);
}

void repetitionAcrossScatteredPages(SessionRig& rig, Verdict& verdict)
{
    // mov esi,100000h; mov edi,400800h; mov ecx,3000h; rep movsb
    rig.paged32(
        { 0xbe, 0x00, 0x00, 0x10, 0x00, 0xbf, 0x00, 0x08, 0x40, 0x00, 0xb9, 0x00, 0x30, 0x00, 0x00, 0xf3, 0xa4 });
    for (uint32_t i = 0; i < 4; ++i)
        rig.setPage(page + 0x1000 * i, (0x200000 - 0x1000 * i) | present | writable);
    for (uint32_t i = 0; i < 0x3000; i += 4)
        rig.write<uint32_t>(0x100000 + i, i * 2654435761u);
    verdict.halts(rig, rig.run());
    for (uint32_t i = 0; i < 0x3000; i += 4) {
        const uint32_t linear = 0x800 + i;
        const uint32_t physical = 0x200000 - (linear & ~0xfffu) + (linear & 0xfff);
        verdict.equal("a word", rig.read<uint32_t>(physical), i * 2654435761u);
        if (!verdict.text().empty())
            return;
    }
}

// -- PAE

constexpr uint32_t paePointers = 0x40000, paeDirectory = 0x41000, paeTable = 0x42000;
constexpr uint64_t noExecute = uint64_t { 1 } << 63;
constexpr unsigned generalProtection = 13;

// With PAE: 2 MiB onto themselves, and the next 2 MiB through a page table.
void pae32(SessionRig& rig, std::vector<uint8_t> code)
{
    rig.flat32(std::move(code));
    rig.write<uint64_t>(paePointers, paeDirectory | present);
    for (const uint32_t pointer : { 8u, 16u, 24u })
        rig.write<uint64_t>(paePointers + pointer, 0);
    rig.write<uint64_t>(paeDirectory, 0x83 | user);
    rig.write<uint64_t>(paeDirectory + 8, paeTable | present | writable | user);
    for (uint32_t n = 0; n < 512; ++n)
        rig.write<uint64_t>(paeTable + 8 * n, 0);
    rig.state.cr3 = paePointers;
    rig.state.cr4 |= cr4::physicalAddressExtension;
    rig.state.cr0 |= cr0::paging | cr0::writeProtect;
}

void paeTranslates(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[200000h]; mov [201000h],eax
    pae32(rig, { 0xa1, 0x00, 0x00, 0x20, 0x00, 0xa3, 0x00, 0x10, 0x20, 0x00 });
    rig.write<uint64_t>(paeTable, 0x21000 | present);
    rig.write<uint64_t>(paeTable + 8, 0x22000 | present | writable);
    rig.write<uint32_t>(0x21000, 0x12345678);
    verdict.halts(rig, rig.run());
    verdict.equal("what was written", rig.read<uint32_t>(0x22000), 0x12345678u);
    verdict.equal("entry of the page written", rig.read<uint64_t>(paeTable + 8),
        0x22000u | present | writable | accessed | dirty);
}

void paeNoExecute(SessionRig& rig, Verdict& verdict)
{
    // jmp 200000h
    pae32(rig, { 0xe9, 0xfb, 0xff, 0x1e, 0x00 });
    rig.state.efer = efer::noExecuteEnable;
    rig.write<uint64_t>(paeTable, 0x21000 | present | noExecute);
    verdict.raises(rig, rig.run(), pageFault);
    verdict.equal("error code", rig.pushed(0), 0x11u);
    verdict.equal("CR2", rig.state.cr2, 0x200000u);
}

void paeReservedBits(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[200000h], where NX is not enabled
    pae32(rig, { 0xa1, 0x00, 0x00, 0x20, 0x00 });
    rig.write<uint64_t>(paeTable, 0x21000 | present | noExecute);
    verdict.raises(rig, rig.run(), pageFault);
    verdict.equal("error code", rig.pushed(0), 9u);
}

void paeReservedPointers(SessionRig& rig, Verdict& verdict)
{
    // mov eax,43000h; mov cr3,eax
    pae32(rig, { 0xb8, 0x00, 0x30, 0x04, 0x00, 0x0f, 0x22, 0xd8 });
    rig.write<uint64_t>(0x43000, paeDirectory | present | writable);
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("CR3", rig.state.cr3, paePointers);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress + 5);
}

} // namespace

std::vector<ConformanceCase> pagingCases()
{
    return {
        { "paging goes on", pagingGoesOn, &host_fault::paging32DoesNotWork },
        { "pages are where the tables say", pagesAreWhereTheTablesSay, &host_fault::paging32DoesNotWork },
        { "an access across two pages", accessAcrossTwoPages, &host_fault::paging32DoesNotWork },
        { "#PF: CR2, error codes", faultsTellWhere, &host_fault::paging32DoesNotWork },
        { "no write protection for the supervisor", supervisorWritesWithoutWriteProtection,
            &host_fault::paging32DoesNotWork },
        { "#PF: a user touches the system's page", usersMayNotTouchTheSystem, &host_fault::paging32DoesNotWork },
        { "#PF: a fetch", fetchFaults, &host_fault::paging32DoesNotWork },
        { "#PF: mended, and the instruction runs again", faultIsMendedAndTheInstructionRunsAgain,
            &host_fault::paging32DoesNotWork },
        { "INVLPG, load of CR3", invalidatedPagesAreLookedUpAgain, &host_fault::paging32DoesNotWork },
        { "a page of 4 MiB", largePage, &host_fault::paging32DoesNotWork },
        { "a device through a page", devicesThroughPages, &host_fault::paging32DoesNotWork },
        { "REP STOSD faults in the middle", repetitionFaultsInTheMiddle, &host_fault::paging32DoesNotWork },
        { "REP MOVSB across scattered pages", repetitionAcrossScatteredPages, &host_fault::paging32DoesNotWork },
        { "PAE translates", paeTranslates, &host_fault::pagingPaeDoesNotWork },
        { "PAE: no execute", paeNoExecute, &host_fault::pagingPaeDoesNotWork },
        { "PAE: reserved bits", paeReservedBits, &host_fault::pagingPaeDoesNotWork },
        { "PAE: reserved bits where CR3 points to", paeReservedPointers, &host_fault::pagingPaeDoesNotWork },
    };
}

} // namespace namsan
