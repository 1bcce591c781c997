// SPDX-License-Identifier: GPL-3.0-or-later
// Ports, devices in memory, string I/O.
#include "tests/session/session_rig.h"

namespace namsan {

namespace {

using Accesses = std::vector<RigBus::Access>;
using End = SessionRig::End;

void portReadsOfEachWidth(SessionRig& rig, Verdict& verdict)
{
    // mov dx,123h; xor eax,eax; in al,dx; mov ebx,eax; xor eax,eax; in ax,dx; mov ecx,eax; in eax,dx; mov esi,eax;
    // in al,44h
    rig.flat32({ 0x66, 0xba, 0x23, 0x01, 0x31, 0xc0, 0xec, 0x89, 0xc3, 0x31, 0xc0, 0x66, 0xed, 0x89, 0xc1, 0xed, 0x89,
        0xc6, 0xe4, 0x44 });
    verdict.halts(rig, rig.run());
    verdict.equal("AL", rig.reg(Ebx), 0x21u);
    verdict.equal("AX", rig.reg(Ecx), 0x4321u);
    verdict.equal("EAX", rig.reg(Esi), 0x87654321u);
    verdict.holds("the ports read are others",
        rig.bus.portReads
            == Accesses { { 0x123, 1, 0x87654321 }, { 0x123, 2, 0x87654321 }, { 0x123, 4, 0x87654321 },
                { 0x44, 1, 0x87654321 } });
}

void portWritesOfEachWidth(SessionRig& rig, Verdict& verdict)
{
    // mov dx,3f8h; mov eax,12345678h; out dx,al; out dx,ax; out dx,eax; out 80h,al
    rig.flat32({ 0x66, 0xba, 0xf8, 0x03, 0xb8, 0x78, 0x56, 0x34, 0x12, 0xee, 0x66, 0xef, 0xef, 0xe6, 0x80 });
    verdict.halts(rig, rig.run());
    verdict.holds("the ports written are others",
        rig.bus.portWrites
            == Accesses { { 0x3f8, 1, 0x78 }, { 0x3f8, 2, 0x5678 }, { 0x3f8, 4, 0x12345678 }, { 0x80, 1, 0x78 } });
}

void deviceReadsOfEachWidth(SessionRig& rig, Verdict& verdict)
{
    // mov edi,a0000h; xor eax,eax; mov al,[edi]; mov ebx,eax; mov ax,[edi+2]; mov ecx,eax; mov eax,[edi+4]
    rig.flat32({ 0xbf, 0x00, 0x00, 0x0a, 0x00, 0x31, 0xc0, 0x8a, 0x07, 0x89, 0xc3, 0x66, 0x8b, 0x47, 0x02, 0x89, 0xc1,
        0x8b, 0x47, 0x04 });
    verdict.halts(rig, rig.run());
    verdict.equal("AL", rig.reg(Ebx), 0x88u);
    verdict.equal("AX", rig.reg(Ecx), 0x7788u);
    verdict.equal("EAX", rig.reg(Eax), 0x55667788u);
    verdict.equal("number of reads", rig.bus.mmioReads.size(), 3u);
    if (rig.bus.mmioReads.size() == 3) {
        verdict.equal("address", rig.bus.mmioReads[1].address, 0xa0002u);
        verdict.equal("size", rig.bus.mmioReads[2].size, 4u);
    }
}

void deviceWritesOfEachWidth(SessionRig& rig, Verdict& verdict)
{
    // mov edi,b8000h; mov eax,12345678h; mov [edi],al; mov [edi+2],ax; mov [edi+4],eax; mov byte [edi+8],5ah
    rig.flat32({ 0xbf, 0x00, 0x80, 0x0b, 0x00, 0xb8, 0x78, 0x56, 0x34, 0x12, 0x88, 0x07, 0x66, 0x89, 0x47, 0x02, 0x89,
        0x47, 0x04, 0xc6, 0x47, 0x08, 0x5a });
    verdict.halts(rig, rig.run());
    verdict.holds("the writes are others",
        rig.bus.mmioWrites
            == Accesses {
                { 0xb8000, 1, 0x78 }, { 0xb8002, 2, 0x5678 }, { 0xb8004, 4, 0x12345678 }, { 0xb8008, 1, 0x5a } });
}

void deviceReadModifyWrite(SessionRig& rig, Verdict& verdict)
{
    // add dword [a0010h],1
    rig.flat32({ 0x83, 0x05, 0x10, 0x00, 0x0a, 0x00, 0x01 });
    verdict.halts(rig, rig.run());
    verdict.holds("the write is another", rig.bus.mmioWrites == Accesses { { 0xa0010, 4, 0x55667789 } });
    verdict.equal("number of reads", rig.bus.mmioReads.size(), 1u);
}

void deviceQuadword(SessionRig& rig, Verdict& verdict)
{
    // movq mm0,[a0000h]; movq [a0008h],mm0
    rig.flat32({ 0x0f, 0x6f, 0x05, 0x00, 0x00, 0x0a, 0x00, 0x0f, 0x7f, 0x05, 0x08, 0x00, 0x0a, 0x00 });
    verdict.halts(rig, rig.run());
    verdict.holds("the write is another", rig.bus.mmioWrites == Accesses { { 0xa0008, 8, 0x1122334455667788 } });
}

void deviceAndMemoryInOneAccess(SessionRig& rig, Verdict& verdict)
{
    // Two bytes of RAM below 640 KiB and two of video memory. mov dword [9fffeh],44332211h; mov eax,[9fffeh]
    rig.flat32({ 0xc7, 0x05, 0xfe, 0xff, 0x09, 0x00, 0x11, 0x22, 0x33, 0x44, 0xa1, 0xfe, 0xff, 0x09, 0x00 });
    verdict.halts(rig, rig.run());
    verdict.equal("RAM", rig.read<uint16_t>(0x9fffe), 0x2211u);
    verdict.equal("EAX", rig.reg(Eax), 0x77882211u);
    uint64_t written = 0;
    for (const auto& access : rig.bus.mmioWrites)
        written |= access.value << 8 * (access.address - 0xa0000);
    verdict.equal("written to the device", written, 0x4433u);
}

void stringOutput(SessionRig& rig, Verdict& verdict)
{
    // mov esi,20000h; mov ecx,100; mov dx,e9h; rep outsb
    rig.flat32({ 0xbe, 0x00, 0x00, 0x02, 0x00, 0xb9, 0x64, 0x00, 0x00, 0x00, 0x66, 0xba, 0xe9, 0x00, 0xf3, 0x6e });
    for (uint8_t i = 0; i < 100; ++i)
        rig.write<uint8_t>(SessionRig::dataAddress + i, static_cast<uint8_t>(3 * i));
    verdict.halts(rig, rig.run());
    verdict.equal("number of writes", rig.bus.portWrites.size(), 100u);
    for (size_t i = 0; i < rig.bus.portWrites.size(); ++i)
        verdict.equal("a byte", rig.bus.portWrites[i].value, 3 * i & 0xff);
    verdict.equal("ESI", rig.reg(Esi), SessionRig::dataAddress + 100);
    verdict.equal("ECX", rig.reg(Ecx), 0u);
}

void stringInputAcrossPages(SessionRig& rig, Verdict& verdict)
{
    // mov edi,20ff8h; mov ecx,2000; mov dx,1f0h; rep insw
    rig.flat32(
        { 0xbf, 0xf8, 0x0f, 0x02, 0x00, 0xb9, 0xd0, 0x07, 0x00, 0x00, 0x66, 0xba, 0xf0, 0x01, 0xf3, 0x66, 0x6d });
    uint32_t next = 0;
    rig.bus.onPortIn = [&next](Port) { return next++; };
    verdict.halts(rig, rig.run());
    verdict.equal("number of reads", rig.bus.portReads.size(), 2000u);
    verdict.equal("the last word", rig.read<uint16_t>(0x20ff8 + 2 * 1999), 1999u);
    verdict.equal("a word behind the page's end", rig.read<uint16_t>(0x21000), 4u);
    verdict.equal("EDI", rig.reg(Edi), 0x20ff8u + 4000);
}

void stringIoDownwards(SessionRig& rig, Verdict& verdict)
{
    // std; mov esi,20003h; mov ecx,4; mov dl,e9h; rep outsb; cld
    rig.flat32(
        { 0xfd, 0xbe, 0x03, 0x00, 0x02, 0x00, 0xb9, 0x04, 0x00, 0x00, 0x00, 0x31, 0xd2, 0xb2, 0xe9, 0xf3, 0x6e, 0xfc });
    rig.write<uint32_t>(SessionRig::dataAddress, 0x44332211);
    verdict.halts(rig, rig.run());
    verdict.holds("the writes are others",
        rig.bus.portWrites == Accesses { { 0xe9, 1, 0x44 }, { 0xe9, 1, 0x33 }, { 0xe9, 1, 0x22 }, { 0xe9, 1, 0x11 } });
}

void stringMoveToDevice(SessionRig& rig, Verdict& verdict)
{
    // mov esi,20000h; mov edi,b8000h; mov ecx,8; rep movsd
    rig.flat32(
        { 0xbe, 0x00, 0x00, 0x02, 0x00, 0xbf, 0x00, 0x80, 0x0b, 0x00, 0xb9, 0x08, 0x00, 0x00, 0x00, 0xf3, 0xa5 });
    for (uint32_t i = 0; i < 8; ++i)
        rig.write<uint32_t>(SessionRig::dataAddress + 4 * i, 0x01010101 * (i + 1));
    verdict.halts(rig, rig.run());
    verdict.equal("number of writes", rig.bus.mmioWrites.size(), 8u);
    for (size_t i = 0; i < rig.bus.mmioWrites.size(); ++i)
        verdict.equal("a value", rig.bus.mmioWrites[i].value, 0x01010101u * (i + 1));
}

void portsInRealMode(SessionRig& rig, Verdict& verdict)
{
    // mov si,0; mov cx,3; mov dx,3f8h; cld; rep outsb; in ax,60h
    rig.real16({ 0xbe, 0x00, 0x00, 0xb9, 0x03, 0x00, 0xba, 0xf8, 0x03, 0xfc, 0xf3, 0x6e, 0xe5, 0x60 });
    rig.store(SessionRig::dataAddress, { 'a', 'b', 'c' });
    verdict.halts(rig, rig.run());
    verdict.holds("the writes are others",
        rig.bus.portWrites == Accesses { { 0x3f8, 1, 'a' }, { 0x3f8, 1, 'b' }, { 0x3f8, 1, 'c' } });
    verdict.equal("AX", rig.reg(Eax) & 0xffff, 0x4321u);
}

} // namespace

std::vector<ConformanceCase> accessCases()
{
    return {
        { "IN of 1, 2, 4 bytes", portReadsOfEachWidth },
        { "OUT of 1, 2, 4 bytes", portWritesOfEachWidth },
        { "device reads of 1, 2, 4 bytes", deviceReadsOfEachWidth },
        { "device writes of 1, 2, 4 bytes", deviceWritesOfEachWidth },
        { "device read-modify-write", deviceReadModifyWrite },
        { "device access of 8 bytes (MMX)", deviceQuadword },
        { "access over the edge of RAM to a device", deviceAndMemoryInOneAccess },
        { "REP OUTSB", stringOutput },
        { "REP INSW across pages", stringInputAcrossPages },
        { "REP OUTSB downwards", stringIoDownwards },
        { "REP MOVSD to a device", stringMoveToDevice },
        { "ports in real mode", portsInRealMode },
    };
}

} // namespace namsan
