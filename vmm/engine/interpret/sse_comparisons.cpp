// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/sse_host.h"

// CMPPS and its kin by predicate; COMISS and its kin to EFLAGS. Intel SDM volume 1, 10.4.2.1 and 11.4.1.3.
namespace namsan {

namespace {

// The predicate is part of the host's instruction: eight of them, of which the immediate chooses one.
#define NAMSAN_SSE_PREDICATES(mnemonic)                                                                                \
    [](Xmm& destination, Xmm source, unsigned predicate) {                                                             \
        switch (predicate) {                                                                                           \
        case 0:                                                                                                        \
            asm volatile(mnemonic " $0, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        case 1:                                                                                                        \
            asm volatile(mnemonic " $1, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        case 2:                                                                                                        \
            asm volatile(mnemonic " $2, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        case 3:                                                                                                        \
            asm volatile(mnemonic " $3, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        case 4:                                                                                                        \
            asm volatile(mnemonic " $4, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        case 5:                                                                                                        \
            asm volatile(mnemonic " $5, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        case 6:                                                                                                        \
            asm volatile(mnemonic " $6, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        default:                                                                                                       \
            asm volatile(mnemonic " $7, %1, %0" : "+x"(destination) : "x"(source));                                    \
            break;                                                                                                     \
        }                                                                                                              \
    }

// The immediate's upper five bits are reserved; processors ignore them.
template <auto host, unsigned bytes> void byPredicate(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    Xmm value = xmmOf(xmmRegister(processor, instruction.reg));
    runSse<host>(processor, value, source, instruction.immediate & 7);
    setXmm(processor, instruction.reg, value);
}

// The flags as LAHF and SETO give them, which is how Processor keeps them.
#define NAMSAN_SSE_TO_FLAGS(mnemonic)                                                                                  \
    [](uint16_t& flags, Xmm first, Xmm second) {                                                                       \
        asm volatile(mnemonic " %2, %1\n\tlahf\n\tseto %%al" : "=a"(flags) : "x"(first), "x"(second) : "cc");          \
    }

template <auto host, unsigned bytes> void toFlags(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const Xmm source = readXmmRm<bytes>(processor, instruction);
    uint16_t flags;
    runSse<host>(processor, flags, xmmOf(xmmRegister(processor, instruction.reg)), source);
    processor.arithmeticFlags = flags;
}

} // namespace

void bindSseComparisons(HandlerTable& table)
{
    table.bind(Operation::Cmpps, byPredicate<NAMSAN_SSE_PREDICATES("cmpps"), 16>);
    table.bind(Operation::Cmppd, byPredicate<NAMSAN_SSE_PREDICATES("cmppd"), 16>);
    table.bind(Operation::Cmpss, byPredicate<NAMSAN_SSE_PREDICATES("cmpss"), 4>);
    table.bind(Operation::Cmpsd, byPredicate<NAMSAN_SSE_PREDICATES("cmpsd"), 8>);
    table.bind(Operation::Comiss, toFlags<NAMSAN_SSE_TO_FLAGS("comiss"), 4>);
    table.bind(Operation::Comisd, toFlags<NAMSAN_SSE_TO_FLAGS("comisd"), 8>);
    table.bind(Operation::Ucomiss, toFlags<NAMSAN_SSE_TO_FLAGS("ucomiss"), 4>);
    table.bind(Operation::Ucomisd, toFlags<NAMSAN_SSE_TO_FLAGS("ucomisd"), 8>);
}

} // namespace namsan
