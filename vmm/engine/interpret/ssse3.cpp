// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/integers_on_host.h"
#include "vmm/engine/interpret/simd_handlers.h"

// SSSE3: on MMX and on XMM registers. Intel SDM volume 1, 12.6.
namespace namsan {

namespace {

// The destination above the source, moved down by some bytes; zeros follow.
template <size_t size>
std::array<uint8_t, size> align(
    const std::array<uint8_t, size>& upper, const std::array<uint8_t, size>& lower, unsigned count)
{
    std::array<uint8_t, size> result {};
    for (unsigned i = 0; i < size; ++i) {
        const unsigned from = i + count;
        if (from < size)
            result[i] = lower[from];
        else if (from < 2 * size)
            result[i] = upper[from - size];
    }
    return result;
}

void alignXmm(Processor& processor, const Instruction& instruction)
{
    using Bytes = std::array<uint8_t, 16>;
    requireSse(processor);
    const auto lower = std::bit_cast<Bytes>(readXmmRm<16>(processor, instruction));
    RegisterXmm& destination = xmmRegister(processor, instruction.reg);
    destination
        = std::bit_cast<RegisterXmm>(align(std::bit_cast<Bytes>(destination), lower, instruction.immediate & 0xff));
}

void alignMmx(Processor& processor, const Instruction& instruction)
{
    using Bytes = std::array<uint8_t, 8>;
    requireMmx(processor);
    const uint64_t operand = instruction.rmIsMemory ? processor.readOperand<uint64_t>(instruction) : 0;
    MmxRegisters registers(processor);
    const auto lower = std::bit_cast<Bytes>(instruction.rmIsMemory ? operand : registers.get(instruction.rm));
    const auto upper = std::bit_cast<Bytes>(registers.get(instruction.reg));
    registers.set(instruction.reg, std::bit_cast<uint64_t>(align(upper, lower, instruction.immediate & 0xff)));
}

} // namespace

#define NAMSAN_BIND_SSSE3(Name, mnemonic)                                                                              \
    table.bind(Operation::Name##Mmx, mmxBinary<NAMSAN_MMX(mnemonic), 8>);                                              \
    table.bind(Operation::Name##Xmm, xmmBinary<NAMSAN_XMM(mnemonic)>)

void bindSsse3(HandlerTable& table)
{
    NAMSAN_BIND_SSSE3(Pshufb, "pshufb");
    NAMSAN_BIND_SSSE3(Phaddw, "phaddw");
    NAMSAN_BIND_SSSE3(Phaddd, "phaddd");
    NAMSAN_BIND_SSSE3(Phaddsw, "phaddsw");
    NAMSAN_BIND_SSSE3(Pmaddubsw, "pmaddubsw");
    NAMSAN_BIND_SSSE3(Phsubw, "phsubw");
    NAMSAN_BIND_SSSE3(Phsubd, "phsubd");
    NAMSAN_BIND_SSSE3(Phsubsw, "phsubsw");
    NAMSAN_BIND_SSSE3(Psignb, "psignb");
    NAMSAN_BIND_SSSE3(Psignw, "psignw");
    NAMSAN_BIND_SSSE3(Psignd, "psignd");
    NAMSAN_BIND_SSSE3(Pmulhrsw, "pmulhrsw");
    NAMSAN_BIND_SSSE3(Pabsb, "pabsb");
    NAMSAN_BIND_SSSE3(Pabsw, "pabsw");
    NAMSAN_BIND_SSSE3(Pabsd, "pabsd");
    table.bind(Operation::PalignrXmm, alignXmm);
    table.bind(Operation::PalignrMmx, alignMmx);
}

} // namespace namsan
