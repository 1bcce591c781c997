// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_state.h"
#include "vmm/engine/instruction_table.h"

// SSE3, SSSE3, SSE4.1, SSE4.2, POPCNT, AES and PCLMULQDQ: what came after the Pentium 4. Intel SDM volume 2, tables A-3
// to A-5, and volume 1, chapter 12.
namespace namsan {

namespace {

constexpr uint16_t plain = attribute::userTestable;
constexpr uint16_t mmx = plain | attribute::mmx;
constexpr uint16_t simd = plain | attribute::simd;

// Short names for the columns, so that an entry is a line.
using enum Operand;
using eflags::arithmetic;
constexpr OpcodeMap map0F = OpcodeMap::Extended0F;
constexpr OpcodeMap map38 = OpcodeMap::Extended0F38;
constexpr OpcodeMap map3A = OpcodeMap::Extended0F3A;
constexpr MandatoryPrefix none = MandatoryPrefix::None;
constexpr MandatoryPrefix p66 = MandatoryPrefix::P66;
constexpr MandatoryPrefix pF3 = MandatoryPrefix::PF3;
constexpr MandatoryPrefix pF2 = MandatoryPrefix::PF2;
constexpr ModRm any = ModRm::Any;
constexpr ModRm memory = ModRm::Memory;
constexpr ModRm registers = ModRm::Register;
constexpr uint16_t aligned = attribute::aligned16;
constexpr uint16_t writes = attribute::writesDestination;

// clang-format off
constexpr InstructionEntry entries[] = {
    // SSE3
    { map0F, 0x12, pF2, any, -1, -1, "MOVDDUP", { Xmm, XmmRm64 }, Operation::Movddup, 0, 0, 0, simd | writes, Feature::Sse3 },
    { map0F, 0x12, pF3, any, -1, -1, "MOVSLDUP", { Xmm, XmmRm128 }, Operation::Movsldup, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0x16, pF3, any, -1, -1, "MOVSHDUP", { Xmm, XmmRm128 }, Operation::Movshdup, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0x7c, p66, any, -1, -1, "HADDPD", { Xmm, XmmRm128 }, Operation::Haddpd, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0x7c, pF2, any, -1, -1, "HADDPS", { Xmm, XmmRm128 }, Operation::Haddps, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0x7d, p66, any, -1, -1, "HSUBPD", { Xmm, XmmRm128 }, Operation::Hsubpd, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0x7d, pF2, any, -1, -1, "HSUBPS", { Xmm, XmmRm128 }, Operation::Hsubps, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0xd0, p66, any, -1, -1, "ADDSUBPD", { Xmm, XmmRm128 }, Operation::Addsubpd, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0xd0, pF2, any, -1, -1, "ADDSUBPS", { Xmm, XmmRm128 }, Operation::Addsubps, 0, 0, 0, simd | aligned | writes, Feature::Sse3 },
    { map0F, 0xf0, pF2, memory, -1, -1, "LDDQU", { Xmm, Mem128 }, Operation::LoadXmm, 0, 0, 0, simd | writes, Feature::Sse3 },
    // SSSE3: an entry for MMX, then its twin
    { map38, 0x00, none, any, -1, -1, "PSHUFB", { Mmx, MmxRm64 }, Operation::PshufbMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x00, p66, any, -1, -1, "PSHUFB", { Xmm, XmmRm128 }, Operation::PshufbXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x01, none, any, -1, -1, "PHADDW", { Mmx, MmxRm64 }, Operation::PhaddwMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x01, p66, any, -1, -1, "PHADDW", { Xmm, XmmRm128 }, Operation::PhaddwXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x02, none, any, -1, -1, "PHADDD", { Mmx, MmxRm64 }, Operation::PhadddMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x02, p66, any, -1, -1, "PHADDD", { Xmm, XmmRm128 }, Operation::PhadddXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x03, none, any, -1, -1, "PHADDSW", { Mmx, MmxRm64 }, Operation::PhaddswMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x03, p66, any, -1, -1, "PHADDSW", { Xmm, XmmRm128 }, Operation::PhaddswXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x04, none, any, -1, -1, "PMADDUBSW", { Mmx, MmxRm64 }, Operation::PmaddubswMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x04, p66, any, -1, -1, "PMADDUBSW", { Xmm, XmmRm128 }, Operation::PmaddubswXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x05, none, any, -1, -1, "PHSUBW", { Mmx, MmxRm64 }, Operation::PhsubwMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x05, p66, any, -1, -1, "PHSUBW", { Xmm, XmmRm128 }, Operation::PhsubwXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x06, none, any, -1, -1, "PHSUBD", { Mmx, MmxRm64 }, Operation::PhsubdMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x06, p66, any, -1, -1, "PHSUBD", { Xmm, XmmRm128 }, Operation::PhsubdXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x07, none, any, -1, -1, "PHSUBSW", { Mmx, MmxRm64 }, Operation::PhsubswMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x07, p66, any, -1, -1, "PHSUBSW", { Xmm, XmmRm128 }, Operation::PhsubswXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x08, none, any, -1, -1, "PSIGNB", { Mmx, MmxRm64 }, Operation::PsignbMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x08, p66, any, -1, -1, "PSIGNB", { Xmm, XmmRm128 }, Operation::PsignbXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x09, none, any, -1, -1, "PSIGNW", { Mmx, MmxRm64 }, Operation::PsignwMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x09, p66, any, -1, -1, "PSIGNW", { Xmm, XmmRm128 }, Operation::PsignwXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x0a, none, any, -1, -1, "PSIGND", { Mmx, MmxRm64 }, Operation::PsigndMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x0a, p66, any, -1, -1, "PSIGND", { Xmm, XmmRm128 }, Operation::PsigndXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x0b, none, any, -1, -1, "PMULHRSW", { Mmx, MmxRm64 }, Operation::PmulhrswMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x0b, p66, any, -1, -1, "PMULHRSW", { Xmm, XmmRm128 }, Operation::PmulhrswXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x1c, none, any, -1, -1, "PABSB", { Mmx, MmxRm64 }, Operation::PabsbMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x1c, p66, any, -1, -1, "PABSB", { Xmm, XmmRm128 }, Operation::PabsbXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x1d, none, any, -1, -1, "PABSW", { Mmx, MmxRm64 }, Operation::PabswMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x1d, p66, any, -1, -1, "PABSW", { Xmm, XmmRm128 }, Operation::PabswXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map38, 0x1e, none, any, -1, -1, "PABSD", { Mmx, MmxRm64 }, Operation::PabsdMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map38, 0x1e, p66, any, -1, -1, "PABSD", { Xmm, XmmRm128 }, Operation::PabsdXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    { map3A, 0x0f, none, any, -1, -1, "PALIGNR", { Mmx, MmxRm64, Imm8 }, Operation::PalignrMmx, 0, 0, 0, mmx | writes, Feature::Ssse3 },
    { map3A, 0x0f, p66, any, -1, -1, "PALIGNR", { Xmm, XmmRm128, Imm8 }, Operation::PalignrXmm, 0, 0, 0, simd | aligned | writes, Feature::Ssse3 },
    // SSE4.1
    { map38, 0x10, p66, any, -1, -1, "PBLENDVB", { Xmm, XmmRm128 }, Operation::Pblendvb, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x14, p66, any, -1, -1, "BLENDVPS", { Xmm, XmmRm128 }, Operation::Blendvps, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x15, p66, any, -1, -1, "BLENDVPD", { Xmm, XmmRm128 }, Operation::Blendvpd, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x17, p66, any, -1, -1, "PTEST", { Xmm, XmmRm128 }, Operation::Ptest, 0, arithmetic, 0, simd | aligned, Feature::Sse41 },
    { map38, 0x20, p66, any, -1, -1, "PMOVSXBW", { Xmm, XmmRm64 }, Operation::Pmovsxbw, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x21, p66, any, -1, -1, "PMOVSXBD", { Xmm, XmmRm32 }, Operation::Pmovsxbd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x22, p66, any, -1, -1, "PMOVSXBQ", { Xmm, XmmRm16 }, Operation::Pmovsxbq, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x23, p66, any, -1, -1, "PMOVSXWD", { Xmm, XmmRm64 }, Operation::Pmovsxwd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x24, p66, any, -1, -1, "PMOVSXWQ", { Xmm, XmmRm32 }, Operation::Pmovsxwq, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x25, p66, any, -1, -1, "PMOVSXDQ", { Xmm, XmmRm64 }, Operation::Pmovsxdq, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x30, p66, any, -1, -1, "PMOVZXBW", { Xmm, XmmRm64 }, Operation::Pmovzxbw, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x31, p66, any, -1, -1, "PMOVZXBD", { Xmm, XmmRm32 }, Operation::Pmovzxbd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x32, p66, any, -1, -1, "PMOVZXBQ", { Xmm, XmmRm16 }, Operation::Pmovzxbq, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x33, p66, any, -1, -1, "PMOVZXWD", { Xmm, XmmRm64 }, Operation::Pmovzxwd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x34, p66, any, -1, -1, "PMOVZXWQ", { Xmm, XmmRm32 }, Operation::Pmovzxwq, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x35, p66, any, -1, -1, "PMOVZXDQ", { Xmm, XmmRm64 }, Operation::Pmovzxdq, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map38, 0x28, p66, any, -1, -1, "PMULDQ", { Xmm, XmmRm128 }, Operation::Pmuldq, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x29, p66, any, -1, -1, "PCMPEQQ", { Xmm, XmmRm128 }, Operation::Pcmpeqq, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x2a, p66, memory, -1, -1, "MOVNTDQA", { Xmm, Mem128 }, Operation::LoadXmm, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x2b, p66, any, -1, -1, "PACKUSDW", { Xmm, XmmRm128 }, Operation::Packusdw, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x38, p66, any, -1, -1, "PMINSB", { Xmm, XmmRm128 }, Operation::Pminsb, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x39, p66, any, -1, -1, "PMINSD", { Xmm, XmmRm128 }, Operation::Pminsd, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x3a, p66, any, -1, -1, "PMINUW", { Xmm, XmmRm128 }, Operation::Pminuw, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x3b, p66, any, -1, -1, "PMINUD", { Xmm, XmmRm128 }, Operation::Pminud, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x3c, p66, any, -1, -1, "PMAXSB", { Xmm, XmmRm128 }, Operation::Pmaxsb, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x3d, p66, any, -1, -1, "PMAXSD", { Xmm, XmmRm128 }, Operation::Pmaxsd, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x3e, p66, any, -1, -1, "PMAXUW", { Xmm, XmmRm128 }, Operation::Pmaxuw, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x3f, p66, any, -1, -1, "PMAXUD", { Xmm, XmmRm128 }, Operation::Pmaxud, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x40, p66, any, -1, -1, "PMULLD", { Xmm, XmmRm128 }, Operation::Pmulld, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map38, 0x41, p66, any, -1, -1, "PHMINPOSUW", { Xmm, XmmRm128 }, Operation::Phminposuw, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x08, p66, any, -1, -1, "ROUNDPS", { Xmm, XmmRm128, Imm8 }, Operation::Roundps, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x09, p66, any, -1, -1, "ROUNDPD", { Xmm, XmmRm128, Imm8 }, Operation::Roundpd, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x0a, p66, any, -1, -1, "ROUNDSS", { Xmm, XmmRm32, Imm8 }, Operation::Roundss, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x0b, p66, any, -1, -1, "ROUNDSD", { Xmm, XmmRm64, Imm8 }, Operation::Roundsd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x0c, p66, any, -1, -1, "BLENDPS", { Xmm, XmmRm128, Imm8 }, Operation::Blendps, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x0d, p66, any, -1, -1, "BLENDPD", { Xmm, XmmRm128, Imm8 }, Operation::Blendpd, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x0e, p66, any, -1, -1, "PBLENDW", { Xmm, XmmRm128, Imm8 }, Operation::Pblendw, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x14, p66, registers, -1, -1, "PEXTRB", { Rm32, Xmm, Imm8 }, Operation::Pextrb, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x14, p66, memory, -1, -1, "PEXTRB", { Mem8, Xmm, Imm8 }, Operation::Pextrb, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x15, p66, registers, -1, -1, "PEXTRW", { Rm32, Xmm, Imm8 }, Operation::Pextrw, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x15, p66, memory, -1, -1, "PEXTRW", { Mem16, Xmm, Imm8 }, Operation::Pextrw, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x16, p66, any, -1, -1, "PEXTRD", { Rm32, Xmm, Imm8 }, Operation::Pextrd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x17, p66, any, -1, -1, "EXTRACTPS", { Rm32, Xmm, Imm8 }, Operation::Pextrd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x20, p66, registers, -1, -1, "PINSRB", { Xmm, Rm32, Imm8 }, Operation::Pinsrb, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x20, p66, memory, -1, -1, "PINSRB", { Xmm, Mem8, Imm8 }, Operation::Pinsrb, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x21, p66, any, -1, -1, "INSERTPS", { Xmm, XmmRm32, Imm8 }, Operation::Insertps, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x22, p66, any, -1, -1, "PINSRD", { Xmm, Rm32, Imm8 }, Operation::Pinsrd, 0, 0, 0, simd | writes, Feature::Sse41 },
    { map3A, 0x40, p66, any, -1, -1, "DPPS", { Xmm, XmmRm128, Imm8 }, Operation::Dpps, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x41, p66, any, -1, -1, "DPPD", { Xmm, XmmRm128, Imm8 }, Operation::Dppd, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    { map3A, 0x42, p66, any, -1, -1, "MPSADBW", { Xmm, XmmRm128, Imm8 }, Operation::Mpsadbw, 0, 0, 0, simd | aligned | writes, Feature::Sse41 },
    // SSE4.2, POPCNT
    { map38, 0x37, p66, any, -1, -1, "PCMPGTQ", { Xmm, XmmRm128 }, Operation::Pcmpgtq, 0, 0, 0, simd | aligned | writes, Feature::Sse42 },
    { map3A, 0x60, p66, any, -1, -1, "PCMPESTRM", { Xmm, XmmRm128, Imm8 }, Operation::Pcmpestrm, 0, arithmetic, 0, simd, Feature::Sse42 },
    { map3A, 0x61, p66, any, -1, -1, "PCMPESTRI", { Xmm, XmmRm128, Imm8 }, Operation::Pcmpestri, 0, arithmetic, 0, simd, Feature::Sse42 },
    { map3A, 0x62, p66, any, -1, -1, "PCMPISTRM", { Xmm, XmmRm128, Imm8 }, Operation::Pcmpistrm, 0, arithmetic, 0, simd, Feature::Sse42 },
    { map3A, 0x63, p66, any, -1, -1, "PCMPISTRI", { Xmm, XmmRm128, Imm8 }, Operation::Pcmpistri, 0, arithmetic, 0, simd, Feature::Sse42 },
    { map38, 0xf0, pF2, any, -1, -1, "CRC32", { Reg32, Rm8 }, Operation::Crc32, 0, 0, 0, plain | writes, Feature::Sse42 },
    { map38, 0xf1, pF2, any, -1, -1, "CRC32", { Reg32, RmV }, Operation::Crc32, 0, 0, 0, plain | writes, Feature::Sse42 },
    { map0F, 0xb8, pF3, any, -1, -1, "POPCNT", { RegV, RmV }, Operation::Popcnt, 0, arithmetic, 0, plain | writes, Feature::Popcnt },
    // AES, PCLMULQDQ
    { map38, 0xdb, p66, any, -1, -1, "AESIMC", { Xmm, XmmRm128 }, Operation::Aesimc, 0, 0, 0, simd | aligned | writes, Feature::Aes },
    { map38, 0xdc, p66, any, -1, -1, "AESENC", { Xmm, XmmRm128 }, Operation::Aesenc, 0, 0, 0, simd | aligned | writes, Feature::Aes },
    { map38, 0xdd, p66, any, -1, -1, "AESENCLAST", { Xmm, XmmRm128 }, Operation::Aesenclast, 0, 0, 0, simd | aligned | writes, Feature::Aes },
    { map38, 0xde, p66, any, -1, -1, "AESDEC", { Xmm, XmmRm128 }, Operation::Aesdec, 0, 0, 0, simd | aligned | writes, Feature::Aes },
    { map38, 0xdf, p66, any, -1, -1, "AESDECLAST", { Xmm, XmmRm128 }, Operation::Aesdeclast, 0, 0, 0, simd | aligned | writes, Feature::Aes },
    { map3A, 0xdf, p66, any, -1, -1, "AESKEYGENASSIST", { Xmm, XmmRm128, Imm8 }, Operation::Aeskeygenassist, 0, 0, 0, simd | aligned | writes, Feature::Aes },
    { map3A, 0x44, p66, any, -1, -1, "PCLMULQDQ", { Xmm, XmmRm128, Imm8 }, Operation::Pclmulqdq, 0, 0, 0, simd | aligned | writes, Feature::Pclmulqdq },
};
// clang-format on

} // namespace

std::span<const InstructionEntry> laterSimdInstructions()
{
    return entries;
}

} // namespace namsan
