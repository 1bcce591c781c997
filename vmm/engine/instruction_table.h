// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_feature.h"
#include "vmm/engine/operation.h"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

// The one description of the IA-32 instruction set that decoder, interpreter, translator and tests all read.
//
// One entry is one encoding. Notation and facts: Intel SDM volume 2, chapters 3 to 5 and appendix A (opcode map).
namespace namsan {

enum class OpcodeMap : uint8_t {
    Primary, // one byte
    Extended0F, // 0F xx
    Extended0F38, // 0F 38 xx
    Extended0F3A, // 0F 3A xx
};

// The bytes that choose a map, before the opcode.
constexpr std::string_view escapeOf(OpcodeMap map)
{
    switch (map) {
    case OpcodeMap::Primary:
        return "";
    case OpcodeMap::Extended0F:
        return "\x0f";
    case OpcodeMap::Extended0F38:
        return "\x0f\x38";
    case OpcodeMap::Extended0F3A:
        return "\x0f\x3a";
    }
    return "";
}

// What the prefixes 66, F2, F3 have to do with the encoding.
enum class MandatoryPrefix : uint8_t {
    Any, // they are no part of it: 66 chooses the operand size, F2 and F3 repeat or do nothing
    None, // part of it by absence: an entry with 66, F3 or F2 stands beside it
    P66,
    PF3,
    PF2,
};

enum class ModRm : uint8_t {
    Absent,
    Any,
    Memory, // mod is not 3
    Register, // mod is 3
};

// An operand as the manual's letters give it (appendix A.2), written out.
enum class Operand : uint8_t {
    None,
    // From ModRM.rm: memory or general register
    Rm8, // Eb
    Rm16, // Ew
    Rm32, // Ed
    RmV, // Ev: 16 or 32 bits by the operand size
    // From ModRM.reg
    Reg8, // Gb
    Reg16, // Gw
    Reg32, // Gd
    RegV, // Gv
    SegmentReg, // Sw
    ControlReg, // Cd
    DebugReg, // Dd
    // From the opcode's low three bits
    OpcodeReg8,
    OpcodeRegV,
    // Immediates
    Imm8, // Ib
    Imm8Signed, // Ib, sign-extended to the operand size
    Imm16, // Iw
    ImmV, // Iz: 16 or 32 bits by the operand size
    Rel8, // Jb
    RelV, // Jz
    FarPointerV, // Ap: offset by the operand size, then a 16-bit selector
    Offset8, // Ob: memory at an address-size offset, 8 bits
    OffsetV, // Ov
    // Implied
    Al,
    Ax,
    AccumulatorV, // AX or EAX
    Cl,
    Dx,
    One,
    StringSourceB, // DS:(E)SI, overridable
    StringSourceV,
    StringDestinationB, // ES:(E)DI, never overridable
    StringDestinationV,
    ImpliedSegment, // PUSH ES ...: which one is in bits 3 to 5 of the opcode
    // Memory only, by size in bits where the operand size does not tell it
    Memory, // M: an address (LEA, INVLPG) or a structure whose size the operation knows
    Mem8,
    Mem16,
    Mem32,
    Mem64,
    Mem80,
    Mem128,
    MemFarV, // Mp: 16:16 or 16:32
    // x87
    St0,
    StI, // ST(ModRM.rm)
    // MMX and SSE: ModRM.reg, or ModRM.rm as register or memory of that many bits
    Mmx, // Pq
    MmxRm32, // Qd
    MmxRm64, // Qq
    Xmm, // Vdq
    XmmRm16,
    XmmRm32, // Wd or Wss
    XmmRm64, // Wq or Wsd
    XmmRm128, // Wdq or Wps
};

// Facts about an encoding that no operand tells.
namespace attribute {
constexpr uint16_t lockable = 1 << 0; // LOCK is allowed with a memory destination; elsewhere it is #UD
constexpr uint16_t endsBlock = 1 << 1; // may go on elsewhere than at the next instruction, or changes the mode
constexpr uint16_t privileged = 1 << 2; // #GP outside CPL 0
constexpr uint16_t ioPrivileged = 1 << 3; // checked against IOPL (and the I/O map)
constexpr uint16_t repeatable = 1 << 4; // REP (CMPS, SCAS: REPE, REPNE) repeats it
constexpr uint16_t fpu = 1 << 5; // #NM by CR0.EM, CR0.TS
constexpr uint16_t simd = 1 << 6; // #UD by CR0.EM, CR4.OSFXSR; #NM by CR0.TS
constexpr uint16_t mmx = 1 << 7; // #UD by CR0.EM; #NM by CR0.TS; pending x87 faults
constexpr uint16_t aligned16 = 1 << 8; // a 16-byte memory operand must be aligned, else #GP
constexpr uint16_t writesDestination = 1 << 9; // the first operand is written
constexpr uint16_t readsDestination = 1 << 10; // the first operand is read
constexpr uint16_t userTestable = 1 << 11; // runs alike in user mode on any host: compared with the host CPU
} // namespace attribute

struct InstructionEntry {
    OpcodeMap map;
    uint8_t opcode; // for OpcodeReg operands the first of eight
    MandatoryPrefix prefix;
    ModRm modRm;
    int8_t extension; // ModRM.reg that is part of the opcode (/0 to /7), or -1
    int8_t rmExtension; // ModRM.rm that is part of the opcode (x87: D9 E0 has 0), or -1; only with ModRm::Register
    std::string_view mnemonic; // Intel's, upper case
    std::array<Operand, 3> operands;
    Operation operation;
    uint32_t flagsRead; // bits of EFLAGS
    uint32_t flagsWritten; // defined results
    uint32_t flagsUndefined; // changed, the manual does not say how
    uint16_t attributes;
    Feature feature = Feature::Base; // a CPU model without it has no such instruction: #UD
};

// Each part in a file of its own; the whole is their concatenation, and a test proves that no two overlap.
std::span<const InstructionEntry> generalInstructions();
std::span<const InstructionEntry> systemInstructions();
std::span<const InstructionEntry> x87Instructions();
std::span<const InstructionEntry> simdInstructions(); // MMX to SSE2
std::span<const InstructionEntry> laterSimdInstructions();

} // namespace namsan
