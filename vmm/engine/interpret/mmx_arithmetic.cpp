// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/integers_on_host.h"
#include "vmm/engine/interpret/simd_handlers.h"

// MMX arithmetic, shifts, packing: on the host's own MMX unit. Intel SDM volume 1, 9.4.
namespace namsan {

namespace {

template <auto host> void shiftByImmediate(Processor& processor, const Instruction& instruction)
{
    requireMmx(processor);
    MmxRegisters registers(processor);
    uint64_t value = registers.get(instruction.rm);
    host(value, instruction.immediate & 0xff);
    registers.set(instruction.rm, value);
}

#define NAMSAN_BIND_MMX(Name, mnemonic, bytes) table.bind(Operation::Name##Mmx, mmxBinary<NAMSAN_MMX(mnemonic), bytes>)

#define NAMSAN_BIND_MMX_SHIFT(Name, mnemonic)                                                                          \
    table.bind(Operation::Name##Mmx, mmxBinary<NAMSAN_MMX(mnemonic), 8>);                                              \
    table.bind(Operation::Name##MmxImmediate, shiftByImmediate<NAMSAN_MMX(mnemonic)>)

void bindPacking(HandlerTable& table)
{
    NAMSAN_BIND_MMX(Punpcklbw, "punpcklbw", 4);
    NAMSAN_BIND_MMX(Punpcklwd, "punpcklwd", 4);
    NAMSAN_BIND_MMX(Punpckldq, "punpckldq", 4);
    NAMSAN_BIND_MMX(Packsswb, "packsswb", 8);
    NAMSAN_BIND_MMX(Packuswb, "packuswb", 8);
    NAMSAN_BIND_MMX(Punpckhbw, "punpckhbw", 8);
    NAMSAN_BIND_MMX(Punpckhwd, "punpckhwd", 8);
    NAMSAN_BIND_MMX(Punpckhdq, "punpckhdq", 8);
    NAMSAN_BIND_MMX(Packssdw, "packssdw", 8);
}

void bindComparisonsAndLogic(HandlerTable& table)
{
    NAMSAN_BIND_MMX(Pcmpgtb, "pcmpgtb", 8);
    NAMSAN_BIND_MMX(Pcmpgtw, "pcmpgtw", 8);
    NAMSAN_BIND_MMX(Pcmpgtd, "pcmpgtd", 8);
    NAMSAN_BIND_MMX(Pcmpeqb, "pcmpeqb", 8);
    NAMSAN_BIND_MMX(Pcmpeqw, "pcmpeqw", 8);
    NAMSAN_BIND_MMX(Pcmpeqd, "pcmpeqd", 8);
    NAMSAN_BIND_MMX(Pand, "pand", 8);
    NAMSAN_BIND_MMX(Pandn, "pandn", 8);
    NAMSAN_BIND_MMX(Por, "por", 8);
    NAMSAN_BIND_MMX(Pxor, "pxor", 8);
    NAMSAN_BIND_MMX(Pminub, "pminub", 8);
    NAMSAN_BIND_MMX(Pmaxub, "pmaxub", 8);
    NAMSAN_BIND_MMX(Pminsw, "pminsw", 8);
    NAMSAN_BIND_MMX(Pmaxsw, "pmaxsw", 8);
}

void bindSums(HandlerTable& table)
{
    NAMSAN_BIND_MMX(Paddb, "paddb", 8);
    NAMSAN_BIND_MMX(Paddw, "paddw", 8);
    NAMSAN_BIND_MMX(Paddd, "paddd", 8);
    NAMSAN_BIND_MMX(Paddq, "paddq", 8);
    NAMSAN_BIND_MMX(Paddsb, "paddsb", 8);
    NAMSAN_BIND_MMX(Paddsw, "paddsw", 8);
    NAMSAN_BIND_MMX(Paddusb, "paddusb", 8);
    NAMSAN_BIND_MMX(Paddusw, "paddusw", 8);
    NAMSAN_BIND_MMX(Psubb, "psubb", 8);
    NAMSAN_BIND_MMX(Psubw, "psubw", 8);
    NAMSAN_BIND_MMX(Psubd, "psubd", 8);
    NAMSAN_BIND_MMX(Psubq, "psubq", 8);
    NAMSAN_BIND_MMX(Psubsb, "psubsb", 8);
    NAMSAN_BIND_MMX(Psubsw, "psubsw", 8);
    NAMSAN_BIND_MMX(Psubusb, "psubusb", 8);
    NAMSAN_BIND_MMX(Psubusw, "psubusw", 8);
    NAMSAN_BIND_MMX(Pavgb, "pavgb", 8);
    NAMSAN_BIND_MMX(Pavgw, "pavgw", 8);
    NAMSAN_BIND_MMX(Psadbw, "psadbw", 8);
}

void bindProducts(HandlerTable& table)
{
    NAMSAN_BIND_MMX(Pmullw, "pmullw", 8);
    NAMSAN_BIND_MMX(Pmulhw, "pmulhw", 8);
    NAMSAN_BIND_MMX(Pmulhuw, "pmulhuw", 8);
    NAMSAN_BIND_MMX(Pmuludq, "pmuludq", 8);
    NAMSAN_BIND_MMX(Pmaddwd, "pmaddwd", 8);
}

void bindShifts(HandlerTable& table)
{
    NAMSAN_BIND_MMX_SHIFT(Psrlw, "psrlw");
    NAMSAN_BIND_MMX_SHIFT(Psrld, "psrld");
    NAMSAN_BIND_MMX_SHIFT(Psrlq, "psrlq");
    NAMSAN_BIND_MMX_SHIFT(Psraw, "psraw");
    NAMSAN_BIND_MMX_SHIFT(Psrad, "psrad");
    NAMSAN_BIND_MMX_SHIFT(Psllw, "psllw");
    NAMSAN_BIND_MMX_SHIFT(Pslld, "pslld");
    NAMSAN_BIND_MMX_SHIFT(Psllq, "psllq");
}

} // namespace

void bindMmxArithmetic(HandlerTable& table)
{
    bindPacking(table);
    bindComparisonsAndLogic(table);
    bindSums(table);
    bindProducts(table);
    bindShifts(table);
}

} // namespace namsan
