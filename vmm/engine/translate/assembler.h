// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/instruction_table.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/translate/translated_frame.h"

#include <xbyak/xbyak.h>

#include <array>
#include <cstddef>
#include <cstdint>

// Included by the .cpp files of this folder only: Xbyak is not for the rest of the program to see.
namespace namsan {

// Which host register holds what while translated code runs. ENGINE.md of the design, section 3: a guest register lives
// in the host register of its own number, except ESP, since rsp stays the host's stack; r12 takes ESP's place because
// the low three bits of its number are the same.
namespace register_map {
constexpr std::array<uint8_t, 8> hostOfGuest { 0, 1, 2, 3, 12, 5, 6, 7 };
inline const Xbyak::Reg64 frame { 13 };
inline const Xbyak::Reg64 processor { 14 };
inline const Xbyak::Reg64 pageTable { 15 };
inline const Xbyak::Reg32 address { 8 }; // the linear address of a memory operand
inline const Xbyak::Reg64 address64 { 8 };
inline const Xbyak::Reg64 host { 10 }; // host + address64 is the operand's place
inline const Xbyak::Reg32 temporary { 9 };
inline const Xbyak::Reg64 temporary64 { 9 };
inline const Xbyak::Reg32 host32 { 10 };
inline const Xbyak::Reg64 value64 { 11 };
inline const Xbyak::Reg32 value { 11 }; // survives a second access of the same instruction
inline Xbyak::Reg32 guest(unsigned number)
{
    return Xbyak::Reg32(hostOfGuest[number]);
}
inline Xbyak::Reg64 guest64(unsigned number)
{
    return Xbyak::Reg64(hostOfGuest[number]);
}
} // namespace register_map

// Where things are in Processor, as seen from its own address. The same for all processors.
struct ProcessorOffsets {
    int gpr;
    int eip;
    int nextEip;
    int arithmeticFlags;
    int otherFlags;
    int fxsave;
    int pausesLeft;
    std::array<int, 6> segmentBase;
    std::array<int, 6> segmentSelector;

    static ProcessorOffsets of(const Processor&);
};

// What an operation's ModRM.rm is: a host register, or the memory at host + address64.
struct HostRm {
    bool memory = false;
    uint8_t number = 0;
};

class Assembler : public Xbyak::CodeGenerator {
public:
    using CodeGenerator::CodeGenerator;

    // One instruction as the guest has it, with host registers. reg: a host register's number or the opcode's
    // extension. operandSize: 2 adds the prefix.
    void encode(OpcodeMap, uint8_t opcode, unsigned operandSize, uint8_t reg, HostRm);
    void immediate(unsigned bytes, uint32_t value);

    Xbyak::Address inProcessor(int offset) { return ptr[register_map::processor + offset]; }
    Xbyak::Address inFrame(size_t offset) { return ptr[register_map::frame + static_cast<int>(offset)]; }
    Xbyak::Address operand() { return ptr[register_map::host + register_map::address64]; }
};

} // namespace namsan
