// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/integers_on_host.h"
#include "vmm/engine/interpret/simd_handlers.h"

// SSE2 on integers: on the host's own unit. Intel SDM volume 1, 11.4.2.
namespace namsan {

namespace {

template <auto host> void shiftByImmediate(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    Xmm value = xmmOf(xmmRegister(processor, instruction.rm));
    host(value, _mm_cvtsi32_si128(static_cast<int>(instruction.immediate & 0xff)));
    setXmm(processor, instruction.rm, value);
}

// PSRLDQ and PSLLDQ: by bytes.
void shiftBytesRight(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto before = std::bit_cast<std::array<uint8_t, 16>>(xmmRegister(processor, instruction.rm));
    const unsigned count = instruction.immediate & 0xff;
    std::array<uint8_t, 16> after {};
    for (unsigned i = 0; i + count < 16; ++i)
        after[i] = before[i + count];
    xmmRegister(processor, instruction.rm) = std::bit_cast<RegisterXmm>(after);
}
void shiftBytesLeft(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto before = std::bit_cast<std::array<uint8_t, 16>>(xmmRegister(processor, instruction.rm));
    const unsigned count = instruction.immediate & 0xff;
    std::array<uint8_t, 16> after {};
    for (unsigned i = count; i < 16; ++i)
        after[i] = before[i - count];
    xmmRegister(processor, instruction.rm) = std::bit_cast<RegisterXmm>(after);
}

#define NAMSAN_BIND_XMM(Name, mnemonic) table.bind(Operation::Name##Xmm, xmmBinary<NAMSAN_XMM(mnemonic)>)
#define NAMSAN_BIND_XMM_SHIFT(Name, mnemonic)                                                                          \
    table.bind(Operation::Name##Xmm, xmmBinary<NAMSAN_XMM(mnemonic)>);                                                 \
    table.bind(Operation::Name##XmmImmediate, shiftByImmediate<NAMSAN_XMM(mnemonic)>)

void bindPacking(HandlerTable& table)
{
    NAMSAN_BIND_XMM(Punpcklbw, "punpcklbw");
    NAMSAN_BIND_XMM(Punpcklwd, "punpcklwd");
    NAMSAN_BIND_XMM(Punpckldq, "punpckldq");
    NAMSAN_BIND_XMM(Packsswb, "packsswb");
    NAMSAN_BIND_XMM(Packuswb, "packuswb");
    NAMSAN_BIND_XMM(Punpckhbw, "punpckhbw");
    NAMSAN_BIND_XMM(Punpckhwd, "punpckhwd");
    NAMSAN_BIND_XMM(Punpckhdq, "punpckhdq");
    NAMSAN_BIND_XMM(Packssdw, "packssdw");
    NAMSAN_BIND_XMM(Punpcklqdq, "punpcklqdq");
    NAMSAN_BIND_XMM(Punpckhqdq, "punpckhqdq");
}

void bindComparisonsAndLogic(HandlerTable& table)
{
    NAMSAN_BIND_XMM(Pcmpgtb, "pcmpgtb");
    NAMSAN_BIND_XMM(Pcmpgtw, "pcmpgtw");
    NAMSAN_BIND_XMM(Pcmpgtd, "pcmpgtd");
    NAMSAN_BIND_XMM(Pcmpeqb, "pcmpeqb");
    NAMSAN_BIND_XMM(Pcmpeqw, "pcmpeqw");
    NAMSAN_BIND_XMM(Pcmpeqd, "pcmpeqd");
    NAMSAN_BIND_XMM(Pand, "pand");
    NAMSAN_BIND_XMM(Pandn, "pandn");
    NAMSAN_BIND_XMM(Por, "por");
    NAMSAN_BIND_XMM(Pxor, "pxor");
    NAMSAN_BIND_XMM(Pminub, "pminub");
    NAMSAN_BIND_XMM(Pmaxub, "pmaxub");
    NAMSAN_BIND_XMM(Pminsw, "pminsw");
    NAMSAN_BIND_XMM(Pmaxsw, "pmaxsw");
}

void bindSums(HandlerTable& table)
{
    NAMSAN_BIND_XMM(Paddb, "paddb");
    NAMSAN_BIND_XMM(Paddw, "paddw");
    NAMSAN_BIND_XMM(Paddd, "paddd");
    NAMSAN_BIND_XMM(Paddq, "paddq");
    NAMSAN_BIND_XMM(Paddsb, "paddsb");
    NAMSAN_BIND_XMM(Paddsw, "paddsw");
    NAMSAN_BIND_XMM(Paddusb, "paddusb");
    NAMSAN_BIND_XMM(Paddusw, "paddusw");
    NAMSAN_BIND_XMM(Psubb, "psubb");
    NAMSAN_BIND_XMM(Psubw, "psubw");
    NAMSAN_BIND_XMM(Psubd, "psubd");
    NAMSAN_BIND_XMM(Psubq, "psubq");
    NAMSAN_BIND_XMM(Psubsb, "psubsb");
    NAMSAN_BIND_XMM(Psubsw, "psubsw");
    NAMSAN_BIND_XMM(Psubusb, "psubusb");
    NAMSAN_BIND_XMM(Psubusw, "psubusw");
    NAMSAN_BIND_XMM(Pavgb, "pavgb");
    NAMSAN_BIND_XMM(Pavgw, "pavgw");
    NAMSAN_BIND_XMM(Psadbw, "psadbw");
}

void bindProducts(HandlerTable& table)
{
    NAMSAN_BIND_XMM(Pmullw, "pmullw");
    NAMSAN_BIND_XMM(Pmulhw, "pmulhw");
    NAMSAN_BIND_XMM(Pmulhuw, "pmulhuw");
    NAMSAN_BIND_XMM(Pmuludq, "pmuludq");
    NAMSAN_BIND_XMM(Pmaddwd, "pmaddwd");
}

void bindShifts(HandlerTable& table)
{
    NAMSAN_BIND_XMM_SHIFT(Psrlw, "psrlw");
    NAMSAN_BIND_XMM_SHIFT(Psrld, "psrld");
    NAMSAN_BIND_XMM_SHIFT(Psrlq, "psrlq");
    NAMSAN_BIND_XMM_SHIFT(Psraw, "psraw");
    NAMSAN_BIND_XMM_SHIFT(Psrad, "psrad");
    NAMSAN_BIND_XMM_SHIFT(Psllw, "psllw");
    NAMSAN_BIND_XMM_SHIFT(Pslld, "pslld");
    NAMSAN_BIND_XMM_SHIFT(Psllq, "psllq");
}

} // namespace

void bindSseIntegers(HandlerTable& table)
{
    bindPacking(table);
    bindComparisonsAndLogic(table);
    bindSums(table);
    bindProducts(table);
    bindShifts(table);
    table.bind(Operation::Psrldq, shiftBytesRight);
    table.bind(Operation::Pslldq, shiftBytesLeft);
}

} // namespace namsan
