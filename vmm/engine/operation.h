// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// What an instruction does, apart from its operands' kinds and widths: ADD is one operation with a dozen encodings.
// The instruction table names one for each encoding; the interpreter and the translator have one implementation for
// each.
enum class Operation : uint16_t {
    Undefined, // no instruction: #UD

    // General purpose (general_instructions.cpp)
    Add,
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    Cmp,
    Test,
    Inc,
    Dec,
    Neg,
    Not,
    Mul,
    Imul, // the accumulator's form with a product of twice the width
    ImulTruncating, // two and three operands
    Div,
    Idiv,
    Rol,
    Ror,
    Rcl,
    Rcr,
    Shl,
    Shr,
    Sar,
    Shld,
    Shrd,
    Mov,
    MovzxByte,
    MovzxWord,
    MovsxByte,
    MovsxWord,
    Movnti,
    Lea,
    Xchg,
    Xadd,
    Cmpxchg,
    Cmpxchg8b,
    Bswap,
    Bsf,
    Bsr,
    Bt,
    Bts,
    Btr,
    Btc,
    Setcc, // the condition is in the opcode's low four bits, here and below
    Cmovcc,
    Jcc,
    JmpRelative,
    JmpIndirect,
    CallRelative,
    CallIndirect,
    RetNear,
    Loop,
    Loope,
    Loopne,
    Jcxz,
    Push,
    Pop,
    Pusha,
    Popa,
    Enter,
    Leave,
    SignExtendAccumulator, // CBW, CWDE
    SignExtendIntoDx, // CWD, CDQ
    Lahf,
    Sahf,
    Clc,
    Stc,
    Cmc,
    Cld,
    Std,
    Xlat,
    Movs,
    Cmps,
    Stos,
    Lods,
    Scas,
    Daa,
    Das,
    Aaa,
    Aas,
    Aam,
    Aad,
    Salc,
    Bound,
    Nop,
    Ud, // UD0, UD1, UD2: instructions whose purpose is #UD

    // System, segmentation and far transfers (system_instructions.cpp)
    MoveFromSegment,
    MoveToSegment,
    PushSegment, // which one is in bits 3 to 5 of the opcode, here and below
    PopSegment,
    LoadFarPointer, // LES, LDS, LSS, LFS, LGS by the opcode
    JmpFar,
    JmpFarIndirect,
    CallFar,
    CallFarIndirect,
    RetFar,
    Iret,
    Int,
    Int1,
    Int3,
    Into,
    Sysenter,
    Sysexit,
    Lgdt,
    Lidt,
    Sgdt,
    Sidt,
    Lldt,
    Sldt,
    Ltr,
    Str,
    Lar,
    Lsl,
    Verr,
    Verw,
    Arpl,
    MoveFromControl,
    MoveToControl,
    MoveFromDebug,
    MoveToDebug,
    Smsw,
    Lmsw,
    Clts,
    Invlpg,
    Invd,
    Wbinvd,
    Hlt,
    Cli,
    Sti,
    Pushf,
    Popf,
    In, // width and port operand by the opcode, here and below
    Out,
    Ins,
    Outs,
    Rdtsc,
    Rdpmc,
    Rdmsr,
    Wrmsr,
    Cpuid,

    // x87 (x87_instructions.cpp)

    // MMX, SSE, SSE2 (simd_instructions.cpp)

    Count,
};

} // namespace namsan
