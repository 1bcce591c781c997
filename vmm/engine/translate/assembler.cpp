// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/assembler.h"

namespace namsan {

ProcessorOffsets ProcessorOffsets::of(const Processor& processor)
{
    const auto* base = reinterpret_cast<const char*>(&processor);
    const auto offset
        = [base](const auto& member) { return static_cast<int>(reinterpret_cast<const char*>(&member) - base); };
    ProcessorOffsets offsets {};
    offsets.gpr = offset(processor.gpr);
    offsets.eip = offset(processor.eip);
    offsets.nextEip = offset(processor.nextEip);
    offsets.arithmeticFlags = offset(processor.arithmeticFlags);
    offsets.otherFlags = offset(processor.otherFlags);
    offsets.fxsave = offset(processor.fxsave);
    offsets.pausesLeft = offset(processor.pausesLeft);
    for (size_t index = 0; index < offsets.segmentBase.size(); ++index) {
        offsets.segmentBase[index] = offset(processor.segments[index].state.base);
        offsets.segmentSelector[index] = offset(processor.segments[index].state.selector);
    }
    return offsets;
}

// Intel SDM volume 2, 2.2.1. With a REX prefix the byte registers 4 to 7 are not AH to BH: whoever needs those gives
// operands that need no prefix.
void Assembler::encode(OpcodeMap map, uint8_t opcode, unsigned operandSize, uint8_t reg, HostRm rm)
{
    constexpr unsigned rexR = 4;
    constexpr unsigned rexX = 2;
    constexpr unsigned rexB = 1;
    if (operandSize == 2)
        db(0x66);
    unsigned rex = reg & 8 ? rexR : 0;
    if (rm.memory)
        rex |= rexX | rexB;
    else if (rm.number & 8)
        rex |= rexB;
    if (rex)
        db(static_cast<int>(0x40 | rex));
    if (map == OpcodeMap::Extended0F)
        db(0x0f);
    db(opcode);
    if (rm.memory) {
        db((reg & 7) << 3 | 4);
        db((register_map::address64.getIdx() & 7) << 3 | (register_map::host.getIdx() & 7));
    } else {
        db(0xc0 | (reg & 7) << 3 | (rm.number & 7));
    }
}

void Assembler::immediate(unsigned bytes, uint32_t value)
{
    for (; bytes > 0; --bytes, value >>= 8)
        db(static_cast<int>(value & 0xff));
}

} // namespace namsan
