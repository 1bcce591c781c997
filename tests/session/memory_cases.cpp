// SPDX-License-Identifier: GPL-3.0-or-later
// Memory without paging: self-modifying code, A20, ROM, dirty pages, wraps.
#include "tests/session/session_rig.h"

namespace namsan {

namespace {

using End = SessionRig::End;

void codeThatChangesItself(SessionRig& rig, Verdict& verdict)
{
    // mov byte [10008h],42h (inc edx): at 10008h stands inc eax
    rig.flat32({ 0xc6, 0x05, 0x08, 0x00, 0x01, 0x00, 0x42, 0x90, 0x40 });
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 0u);
    verdict.equal("EDX", rig.reg(Edx), CpuState::afterReset().gpr[Edx] + 1);
}

void codeThatChangesInALoop(SessionRig& rig, Verdict& verdict)
{
    // mov ecx,100; again: add eax,0 (its immediate lies at 10006h); inc dword [10006h]; dec ecx; jnz again
    rig.flat32({ 0xb9, 0x64, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0xff, 0x05, 0x06, 0x00, 0x01, 0x00, 0x49,
        0x75, 0xf2 });
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 99u * 100 / 2);
}

void codeWrittenFromOutside(SessionRig& rig, Verdict& verdict)
{
    // again: inc eax; out 10h,al; jmp again. The device turns the jump into HLT.
    rig.flat32({ 0x40, 0xe6, 0x10, 0xeb, 0xfb });
    rig.bus.onPortOut = [&rig](Port, uint32_t value) {
        if (value == 5)
            rig.write<uint8_t>(SessionRig::codeAddress + 3, 0xf4);
    };
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 5u);
}

void closedGateWraps(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[100500h]; mov dword [100600h],77h; out 92h,al (opens it); mov ebx,[100500h]; mov dword [100700h],88h;
    // out 93h,al (closes it); mov ecx,[100700h]; mov edx,[300500h]
    rig.flat32({ 0xa1, 0x00, 0x05, 0x10, 0x00, 0xc7, 0x05, 0x00, 0x06, 0x10, 0x00, 0x77, 0x00, 0x00, 0x00, 0xe6, 0x92,
        0x8b, 0x1d, 0x00, 0x05, 0x10, 0x00, 0xc7, 0x05, 0x00, 0x07, 0x10, 0x00, 0x88, 0x00, 0x00, 0x00, 0xe6, 0x93,
        0x8b, 0x0d, 0x00, 0x07, 0x10, 0x00, 0x8b, 0x15, 0x00, 0x05, 0x30, 0x00 });
    rig.bus.onPortOut = [&rig](Port port, uint32_t) { rig.session->setA20(port == 0x92); };
    rig.write<uint32_t>(0x500, 0x11);
    rig.write<uint32_t>(0x100500, 0x22);
    rig.write<uint32_t>(0x200500, 0x33);
    rig.write<uint32_t>(0x700, 0x44);
    rig.session->setA20(false);
    verdict.halts(rig, rig.run());
    verdict.equal("EAX, read with the gate closed", rig.reg(Eax), 0x11u);
    verdict.equal("what was written with the gate closed", rig.read<uint32_t>(0x600), 0x77u);
    verdict.equal("EBX, read with the gate open", rig.reg(Ebx), 0x22u);
    verdict.equal("what was written with the gate open", rig.read<uint32_t>(0x100700), 0x88u);
    verdict.equal("ECX, read with the gate closed again", rig.reg(Ecx), 0x44u);
    verdict.equal("EDX, read at 3 MiB with the gate closed", rig.reg(Edx), 0x33u);
    rig.session->setA20(true);
}

void closedGateLeadsToDevices(SessionRig& rig, Verdict& verdict)
{
    // mov dword [1b8000h],5
    rig.flat32({ 0xc7, 0x05, 0x00, 0x80, 0x1b, 0x00, 0x05, 0x00, 0x00, 0x00 });
    rig.session->setA20(false);
    verdict.halts(rig, rig.run());
    verdict.holds("the write is another", rig.bus.mmioWrites == std::vector<RigBus::Access> { { 0xb8000, 4, 5 } });
    rig.session->setA20(true);
}

void firstMegabyteInRealMode(SessionRig& rig, Verdict& verdict)
{
    // mov ax,ffffh; mov ds,ax; mov al,[510h] (100500h); with the gate open
    rig.real16({ 0xb8, 0xff, 0xff, 0x8e, 0xd8, 0xa0, 0x10, 0x05 });
    rig.write<uint8_t>(0x500, 0x11);
    rig.write<uint8_t>(0x100500, 0x22);
    verdict.halts(rig, rig.run());
    verdict.equal("AL with the gate open", rig.reg(Eax) & 0xff, 0x22u);
    rig.session->setA20(false);
    rig.real16({ 0xb8, 0xff, 0xff, 0x8e, 0xd8, 0xa0, 0x10, 0x05 });
    verdict.halts(rig, rig.run());
    verdict.equal("AL with the gate closed", rig.reg(Eax) & 0xff, 0x11u);
    rig.session->setA20(true);
}

void romSwallowsWrites(SessionRig& rig, Verdict& verdict)
{
    // mov dword [f0000h],5; mov eax,[f0000h]; mov edi,f0ffch; mov ecx,2; mov al,9; rep stosd
    rig.flat32({ 0xc7, 0x05, 0x00, 0x00, 0x0f, 0x00, 0x05, 0x00, 0x00, 0x00, 0xa1, 0x00, 0x00, 0x0f, 0x00, 0xbf, 0xfc,
        0x0f, 0x0f, 0x00, 0xb9, 0x02, 0x00, 0x00, 0x00, 0xf3, 0xab });
    rig.write<uint32_t>(0xf0000, 0x1234);
    rig.write<uint32_t>(0xf0ffc, 0x5678);
    rig.memory->setFlag(0xf0000, GuestMemory::ReadOnly);
    verdict.halts(rig, rig.run());
    verdict.equal("EAX", rig.reg(Eax), 0x1234u);
    verdict.equal("the ROM", rig.read<uint32_t>(0xf0000), 0x1234u);
    verdict.equal("the ROM's end", rig.read<uint32_t>(0xf0ffc), 0x5678u);
    verdict.equal("the RAM behind it", rig.read<uint32_t>(0xf1000), 0x1234u);
    verdict.equal("writes to devices", rig.bus.mmioWrites.size(), 0u);
}

std::set<PhysicalAddress> harvest(SessionRig& rig)
{
    std::set<PhysicalAddress> pages;
    rig.memory->harvestDirty(
        SessionRig::trackedBase, 16 * GuestMemory::pageSize, [&pages](PhysicalAddress page) { pages.insert(page); });
    return pages;
}

void dirtyPagesAreTold(SessionRig& rig, Verdict& verdict)
{
    // mov [e0002004h],eax; mov edi,e0004ff8h; mov ecx,4; rep stosd
    rig.flat32(
        { 0xa3, 0x04, 0x20, 0x00, 0xe0, 0xbf, 0xf8, 0x4f, 0x00, 0xe0, 0xb9, 0x04, 0x00, 0x00, 0x00, 0xf3, 0xab });
    verdict.halts(rig, rig.run());
    const PhysicalAddress base = SessionRig::trackedBase;
    verdict.holds("the dirty pages are others",
        harvest(rig) == std::set<PhysicalAddress> { base + 0x2000, base + 0x4000, base + 0x5000 });
    verdict.holds("pages are dirty that nobody wrote since", harvest(rig).empty());
    // mov eax,[e0003000h]: a read makes nothing dirty
    rig.flat32({ 0xa1, 0x00, 0x30, 0x00, 0xe0 });
    verdict.halts(rig, rig.run());
    verdict.holds("a read makes a page dirty", harvest(rig).empty());
    // movq [e0006000h],mm0: where KVM does not know the instruction, the interpreter's writes are told as well
    rig.flat32({ 0x0f, 0x7f, 0x05, 0x00, 0x60, 0x00, 0xe0 });
    verdict.halts(rig, rig.run());
    verdict.holds(
        "the page written with MMX is not dirty", harvest(rig) == std::set<PhysicalAddress> { base + 0x6000 });
}

void nothingIsThere(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[80000000h]; mov [80000000h],eax
    rig.flat32({ 0xa1, 0x00, 0x00, 0x00, 0x80, 0xa3, 0x00, 0x00, 0x00, 0x80 });
    verdict.halts(rig, rig.run());
    verdict.equal("reads of devices", rig.bus.mmioReads.size(), 1u);
    verdict.equal("writes to devices", rig.bus.mmioWrites.size(), 1u);
}

void copiesOfEachWidth(SessionRig& rig, Verdict& verdict)
{
    // std; mov esi,2000fh; mov edi,2010fh; mov ecx,16; rep movsb; cld; mov esi,20000h; mov edi,20200h; mov ecx,8;
    // rep movsw; mov edi,20100h; mov ecx,16; mov al,[2000fh]; repne scasb
    rig.flat32({ 0xfd, 0xbe, 0x0f, 0x00, 0x02, 0x00, 0xbf, 0x0f, 0x01, 0x02, 0x00, 0xb9, 0x10, 0x00, 0x00, 0x00, 0xf3,
        0xa4, 0xfc, 0xbe, 0x00, 0x00, 0x02, 0x00, 0xbf, 0x00, 0x02, 0x02, 0x00, 0xb9, 0x08, 0x00, 0x00, 0x00, 0xf3,
        0x66, 0xa5, 0xbf, 0x00, 0x01, 0x02, 0x00, 0xb9, 0x10, 0x00, 0x00, 0x00, 0xa0, 0x0f, 0x00, 0x02, 0x00, 0xf2,
        0xae });
    for (uint32_t i = 0; i < 16; ++i)
        rig.write<uint8_t>(SessionRig::dataAddress + i, static_cast<uint8_t>(i + 1));
    verdict.halts(rig, rig.run());
    verdict.equal("the copy's end", rig.read<uint32_t>(0x2010c), 0x100f0e0du);
    verdict.equal("the second copy's end", rig.read<uint32_t>(0x2020c), 0x100f0e0du);
    verdict.equal("EDI after the search", rig.reg(Edi), 0x20110u);
    verdict.equal("ECX after the search", rig.reg(Ecx), 0u);
    verdict.holds("ZF is clear", rig.state.eflags & eflags::zero);
}

} // namespace

std::vector<ConformanceCase> memoryCases()
{
    return {
        { "code changes the next instruction", codeThatChangesItself },
        { "code changes itself in a loop", codeThatChangesInALoop },
        { "a device changes code", codeWrittenFromOutside },
        { "A20: a closed gate wraps, an open one does not", closedGateWraps },
        { "A20: a closed gate leads to devices", closedGateLeadsToDevices },
        { "A20: FFFF:0510 in real mode", firstMegabyteInRealMode },
        { "ROM swallows writes", romSwallowsWrites },
        { "dirty pages are told, once", dirtyPagesAreTold },
        { "addresses where nothing is", nothingIsThere },
        { "REP MOVSB, MOVSW, SCASB", copiesOfEachWidth },
    };
}

} // namespace namsan
