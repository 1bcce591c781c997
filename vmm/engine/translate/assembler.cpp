// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/assembler.h"

#include <algorithm>

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
    uint64_t bytes = 0;
    unsigned bits = 0;
    const auto append = [&](uint64_t byte) {
        bytes |= byte << bits;
        bits += 8;
    };
    if (operandSize == 2)
        append(0x66);
    unsigned rex = reg & 8 ? rexR : 0;
    if (rm.memory)
        rex |= rexX | rexB;
    else if (rm.number & 8)
        rex |= rexB;
    if (rex)
        append(0x40 | rex);
    if (map == OpcodeMap::Extended0F)
        append(0x0f);
    append(opcode);
    if (rm.memory) {
        append((reg & 7u) << 3 | 4);
        append((register_map::address64.getIdx() & 7u) << 3 | (register_map::host.getIdx() & 7u));
    } else {
        append(0xc0 | (reg & 7u) << 3 | (rm.number & 7u));
    }
    put(bytes, bits / 8);
}

void Assembler::fillTo(size_t alignment)
{
    constexpr uint64_t breakpoints = 0xcccccccccccccccc;
    const size_t missing = (alignment - size_ % alignment) % alignment;
    for (size_t done = 0; done < missing; done += sizeof breakpoints)
        put(breakpoints, std::min(missing - done, sizeof breakpoints));
}

void Assembler::move(const Xbyak::Reg32& to, const Xbyak::Reg32& from)
{
    encode(
        OpcodeMap::Primary, 0x8b, 4, static_cast<uint8_t>(to.getIdx()), { false, static_cast<uint8_t>(from.getIdx()) });
}

void Assembler::move(const Xbyak::Reg32& to, uint32_t value)
{
    constexpr uint8_t rexB = 0x41;
    const auto number = static_cast<unsigned>(to.getIdx());
    if (number & 8)
        put(rexB, 1);
    put((0xb8 | (number & 7)) | uint64_t { value } << 8, 5);
}

void Assembler::moveWide(const Xbyak::Reg64& to, uint64_t value)
{
    const auto number = static_cast<unsigned>(to.getIdx());
    put((0x40 | rexW | (number & 8) >> 3) | uint64_t { 0xb8 | (number & 7) } << 8, 2);
    put(value, sizeof value);
}

// Intel SDM volume 2, tables 2-2 and 2-3: a base whose low bits are ESP's needs a SIB byte, one whose low bits are
// EBP's a displacement; no base at all is SIB's EBP without one, which takes four bytes of displacement.
void Assembler::encodeWithPlace(uint8_t opcode, uint8_t reg, const Place& place, unsigned rex, bool extended)
{
    constexpr uint8_t none = Place::none;
    if (place.base == none && place.index != none && place.scale <= 1) {
        const uint8_t once = place.scale == 0 ? none : place.index;
        return encodeWithPlace(opcode, reg, { place.index, once, 0, place.displacement }, rex, extended);
    }
    constexpr unsigned sibFollows = 4;
    constexpr unsigned noBase = 5;
    constexpr unsigned noIndex = 4;
    const bool hasBase = place.base != none;
    const bool hasIndex = place.index != none;
    const bool needsSib = !hasBase || hasIndex || (place.base & 7) == sibFollows;
    const bool isByte = place.displacement == static_cast<int8_t>(place.displacement);
    const unsigned mod = !hasBase || (place.displacement == 0 && (place.base & 7) != noBase) ? 0 : isByte ? 1 : 2;
    rex |= (reg & 8 ? 4u : 0u) | (hasIndex && (place.index & 8) ? 2u : 0u) | (hasBase && (place.base & 8) ? 1u : 0u);
    uint64_t bytes = 0;
    unsigned bits = 0;
    const auto append = [&](uint64_t byte) {
        bytes |= byte << bits;
        bits += 8;
    };
    if (rex)
        append(0x40 | rex);
    if (extended)
        append(0x0f);
    append(opcode);
    append(mod << 6 | (reg & 7u) << 3 | (needsSib ? sibFollows : place.base & 7u));
    if (needsSib)
        append(unsigned { place.scale } << 6 | (hasIndex ? place.index & 7u : noIndex) << 3
            | (hasBase ? place.base & 7u : noBase));
    put(bytes, bits / 8);
    if (mod == 1)
        put(static_cast<uint8_t>(place.displacement), 1);
    else if (mod == 2 || !hasBase)
        put(static_cast<uint32_t>(place.displacement), 4);
}

void Assembler::encodeAt(OpcodeMap map, uint8_t opcode, unsigned operandSize, uint8_t reg, const Place& place)
{
    if (operandSize == 2)
        put(0x66, 1);
    encodeWithPlace(opcode, reg, place, 0, map == OpcodeMap::Extended0F);
}

void Assembler::loadAddress(const Xbyak::Reg32& to, const Place& place)
{
    encodeWithPlace(0x8d, static_cast<uint8_t>(to.getIdx()), place);
}

void Assembler::load(const Xbyak::Reg32& to, const Place& place)
{
    encodeWithPlace(0x8b, static_cast<uint8_t>(to.getIdx()), place);
}

void Assembler::store(const Place& place, const Xbyak::Reg32& from)
{
    encodeWithPlace(0x89, static_cast<uint8_t>(from.getIdx()), place);
}

void Assembler::store(const Place& place, uint32_t value)
{
    encodeWithPlace(0xc7, 0, place);
    put(value, sizeof value);
}

void Assembler::distanceTo(JumpLabel& label)
{
    if (label.m_place != JumpLabel::unknown) {
        put(label.m_place - static_cast<uint32_t>(size_ + sizeof(uint32_t)), sizeof(uint32_t));
        return;
    }
    const auto here = static_cast<uint32_t>(size_);
    put(label.m_lastJump, sizeof label.m_lastJump);
    label.m_lastJump = here;
}

void Assembler::bind(JumpLabel& label)
{
    label.m_place = static_cast<uint32_t>(size_);
    for (uint32_t jump = label.m_lastJump; jump != 0;) {
        uint32_t before;
        std::memcpy(&before, top_ + jump, sizeof before);
        const uint32_t distance = label.m_place - (jump + static_cast<uint32_t>(sizeof before));
        std::memcpy(top_ + jump, &distance, sizeof distance);
        jump = before;
    }
}

} // namespace namsan
