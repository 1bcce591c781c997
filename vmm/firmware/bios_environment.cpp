// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/bios_environment.h"

#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/memory_map.h"

#include <array>

namespace namsan {

namespace {

using namespace biosenvironment;

// Offsets in stubSegment.
constexpr uint16_t timerHandler = 0xfea5; // where the IBM PC's BIOS has its own
constexpr uint16_t masterHandler = 0xff00;
constexpr uint16_t slaveHandler = 0xff10;
constexpr uint16_t resetStub = 0xff20;
constexpr uint16_t resetVector = 0xfff0;
constexpr uint16_t modelByte = 0xfffe;

// Vectors of the hardware interrupts.
constexpr unsigned timerVector = 0x08;
constexpr unsigned firstMasterVector = 0x08;
constexpr unsigned firstSlaveVector = 0x70;

void writeStub(GuestMemory& memory, uint16_t offset, std::initializer_list<uint8_t> code)
{
    memory.write((stubSegment << 4) + offset, std::span(code.begin(), code.size()));
}

void writeStubs(GuestMemory& memory)
{
    // push ax; push ds; xor ax,ax; mov ds,ax; inc dword [46Ch]; mov al,20h; out 20h,al; pop ds; pop ax; iret
    writeStub(memory, timerHandler,
        { 0x50, 0x1e, 0x31, 0xc0, 0x8e, 0xd8, 0x66, 0xff, 0x06, 0x6c, 0x04, 0xb0, 0x20, 0xe6, 0x20, 0x1f, 0x58, 0xcf });
    // push ax; mov al,20h; (out A0h,al;) out 20h,al; pop ax; iret
    writeStub(memory, masterHandler, { 0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf });
    writeStub(memory, slaveHandler, { 0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf });
    writeStub(memory, interruptReturn, { 0xcf });
    // mov al,0FEh; out 64h,al (the keyboard controller pulls the reset line); hlt; jmp to hlt
    writeStub(memory, resetStub, { 0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd });
    // A far jump: programs come here as FFFF:0000, too.
    writeStub(memory, resetVector,
        { 0xea, resetStub & 0xff, resetStub >> 8, stubSegment & 0xff, static_cast<uint8_t>(stubSegment >> 8) });
    constexpr uint8_t at = 0xfc;
    writeStub(memory, modelByte, { at });
}

void writeVectors(GuestMemory& memory)
{
    std::array<uint8_t, 256 * 4> table {};
    for (unsigned vector = 0; vector < 256; ++vector) {
        uint16_t offset = interruptReturn;
        if (vector >= firstMasterVector && vector < firstMasterVector + 8)
            offset = masterHandler;
        else if (vector >= firstSlaveVector && vector < firstSlaveVector + 8)
            offset = slaveHandler;
        if (vector == timerVector)
            offset = timerHandler;
        putLittleEndian<uint16_t>(table, 4 * vector, offset);
        putLittleEndian<uint16_t>(table, 4 * vector + 2, stubSegment);
    }
    memory.write(0, table);
}

void writeDataArea(GuestMemory& memory)
{
    std::array<uint8_t, 0x100> area {};
    const std::span<uint8_t> bytes(area);
    putLittleEndian<uint16_t>(bytes, 0x00, 0x3f8); // COM1
    putLittleEndian<uint16_t>(bytes, 0x0e, memorymap::endOfBaseMemory >> 4); // segment of the EBDA
    putLittleEndian<uint16_t>(bytes, 0x10, 0x0226); // equipment: coprocessor, mouse, 80 x 25 in colour, one serial port
    putLittleEndian<uint16_t>(bytes, 0x13, memorymap::endOfBaseMemory >> 10); // base memory in KiB
    constexpr uint16_t keyBuffer = 0x1e; // empty: head and tail meet
    putLittleEndian<uint16_t>(bytes, 0x1a, keyBuffer);
    putLittleEndian<uint16_t>(bytes, 0x1c, keyBuffer);
    putLittleEndian<uint16_t>(bytes, 0x80, keyBuffer);
    putLittleEndian<uint16_t>(bytes, 0x82, keyBuffer + 32);
    area[0x49] = 3; // video mode
    putLittleEndian<uint16_t>(bytes, 0x4a, 80); // columns
    putLittleEndian<uint16_t>(bytes, 0x4c, 0x1000); // bytes of a page
    putLittleEndian<uint16_t>(bytes, 0x60, 0x0607); // the cursor's lines
    putLittleEndian<uint16_t>(bytes, 0x63, 0x3d4); // the CRTC's index port
    area[0x84] = 24; // the last row
    putLittleEndian<uint16_t>(bytes, 0x85, 16); // height of a character
    area[0x96] = 0x10; // a keyboard with 101 or 102 keys
    memory.write(dataArea, area);
    memory.fill(memorymap::endOfBaseMemory, 1, 1); // the EBDA's first byte: its size in KiB
}

} // namespace

void writeBiosEnvironment(GuestMemory& memory)
{
    writeVectors(memory);
    writeDataArea(memory);
    writeStubs(memory);
}

} // namespace namsan
