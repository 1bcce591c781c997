// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/immediate_on_host.h"
#include "vmm/engine/interpret/simd_handlers.h"

#include "vmm/engine/interpret/eflags_access.h"

#include <bit>

// SSE4.2's comparisons of strings, CRC32 and POPCNT. Intel SDM volume 1, 12.9, and volume 2, 4.1.
namespace namsan {

namespace {

// What a comparison takes and gives, beside XMM0 and ECX the flags as LAHF and SETO leave them.
struct Comparison {
    Xmm first;
    Xmm second;
    uint32_t firstLength = 0; // EAX, signed
    uint32_t secondLength = 0; // EDX
    Xmm mask {};
    uint32_t index = 0;
    uint16_t flags = 0;
};

#define NAMSAN_SAVE_FLAGS "\n\tlahf\n\tseto %%al"

struct HostPcmpestrm {
    using Function = void (*)(Comparison&);
    template <unsigned control> static void apply(Comparison& c)
    {
        uint32_t ax = c.firstLength;
        asm("pcmpestrm %[control], %[second], %[first]" NAMSAN_SAVE_FLAGS
            : "=Yz"(c.mask), "+a"(ax)
            : [first] "x"(c.first), [second] "x"(c.second), "d"(c.secondLength), [control] "i"(control)
            : "cc");
        c.flags = static_cast<uint16_t>(ax);
    }
};
struct HostPcmpestri {
    using Function = void (*)(Comparison&);
    template <unsigned control> static void apply(Comparison& c)
    {
        uint32_t ax = c.firstLength;
        asm("pcmpestri %[control], %[second], %[first]" NAMSAN_SAVE_FLAGS
            : "=c"(c.index), "+a"(ax)
            : [first] "x"(c.first), [second] "x"(c.second), "d"(c.secondLength), [control] "i"(control)
            : "cc");
        c.flags = static_cast<uint16_t>(ax);
    }
};
struct HostPcmpistrm {
    using Function = void (*)(Comparison&);
    template <unsigned control> static void apply(Comparison& c)
    {
        asm("pcmpistrm %[control], %[second], %[first]" NAMSAN_SAVE_FLAGS
            : "=Yz"(c.mask), "=a"(c.flags)
            : [first] "x"(c.first), [second] "x"(c.second), [control] "i"(control)
            : "cc");
    }
};
struct HostPcmpistri {
    using Function = void (*)(Comparison&);
    template <unsigned control> static void apply(Comparison& c)
    {
        asm("pcmpistri %[control], %[second], %[first]" NAMSAN_SAVE_FLAGS
            : "=c"(c.index), "=a"(c.flags)
            : [first] "x"(c.first), [second] "x"(c.second), [control] "i"(control)
            : "cc");
    }
};

enum class Gives : bool { Mask, Index };

template <class Host, Gives gives> void compareStrings(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    constexpr unsigned controls = 128; // bit 7 is reserved and ignored
    Comparison comparison { .first = xmmOf(xmmRegister(processor, instruction.reg)),
        .second = readXmmRm<16>(processor, instruction),
        .firstLength = processor.gpr[Eax],
        .secondLength = processor.gpr[Edx] };
    withImmediate<Host, controls>(instruction.immediate % controls)(comparison);
    if (gives == Gives::Mask)
        setXmm(processor, 0, comparison.mask);
    else
        processor.gpr[Ecx] = comparison.index;
    processor.arithmeticFlags = comparison.flags;
}

// The polynomial is Castagnoli's, reflected.
template <class T> uint32_t addToChecksum(uint32_t checksum, T value)
{
    constexpr uint32_t polynomial = 0x82f63b78;
    checksum ^= value;
    for (unsigned bit = 0; bit < 8 * sizeof(T); ++bit)
        checksum = checksum >> 1 ^ (checksum & 1 ? polynomial : 0);
    return checksum;
}

template <class T> T readSource(Processor& processor, const Instruction& instruction)
{
    if (instruction.rmIsMemory)
        return processor.readOperand<T>(instruction);
    if (sizeof(T) == 1 && instruction.rm >= 4) // AH, CH, DH, BH
        return static_cast<T>(processor.gpr[instruction.rm - 4] >> 8);
    return static_cast<T>(processor.gpr[instruction.rm]);
}

void checksum(Processor& processor, const Instruction& instruction)
{
    uint32_t& destination = processor.gpr[instruction.reg];
    if (instruction.opcode == 0xf0)
        destination = addToChecksum(destination, readSource<uint8_t>(processor, instruction));
    else if (instruction.operandSize == 2)
        destination = addToChecksum(destination, readSource<uint16_t>(processor, instruction));
    else
        destination = addToChecksum(destination, readSource<uint32_t>(processor, instruction));
}

void countBits(Processor& processor, const Instruction& instruction)
{
    uint32_t count = 0;
    uint32_t& destination = processor.gpr[instruction.reg];
    if (instruction.operandSize == 2) {
        count = static_cast<uint32_t>(std::popcount(readSource<uint16_t>(processor, instruction)));
        destination = (destination & 0xffff0000) | count;
    } else {
        count = static_cast<uint32_t>(std::popcount(readSource<uint32_t>(processor, instruction)));
        destination = count;
    }
    processor.arithmeticFlags = static_cast<uint16_t>(host_flags::alwaysOne | (count == 0 ? host_flags::zero : 0));
}

} // namespace

void bindSse4Strings(HandlerTable& table)
{
    table.bind(Operation::Pcmpestrm, compareStrings<HostPcmpestrm, Gives::Mask>);
    table.bind(Operation::Pcmpestri, compareStrings<HostPcmpestri, Gives::Index>);
    table.bind(Operation::Pcmpistrm, compareStrings<HostPcmpistrm, Gives::Mask>);
    table.bind(Operation::Pcmpistri, compareStrings<HostPcmpistri, Gives::Index>);
    table.bind(Operation::Crc32, checksum);
    table.bind(Operation::Popcnt, countBits);
}

} // namespace namsan
