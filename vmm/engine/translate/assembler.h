// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/instruction_table.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/translate/translated_frame.h"

#include <xbyak/xbyak.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

// Included by the .cpp files of this folder only: Xbyak is not for the rest of the program to see.
namespace namsan {

// Which host register holds what while translated code runs. ENGINE.md of the design, section 3: a guest register lives
// in the host register of its own number, except ESP, since rsp stays the host's stack; r12 takes ESP's place because
// the low three bits of its number are the same.
namespace register_map {
constexpr std::array<uint8_t, 8> hostOfGuest { 0, 1, 2, 3, 12, 5, 6, 7 };
inline const Xbyak::Reg64 frame { 13 };
inline const Xbyak::Reg64 processor { 14 };
inline const Xbyak::Reg64 pageTable { 15 };
inline const Xbyak::Reg32 address { 8 }; // the linear address of a memory operand
inline const Xbyak::Reg64 address64 { 8 };
inline const Xbyak::Reg64 host { 10 }; // host + address64 is the operand's place
inline const Xbyak::Reg32 temporary { 9 };
inline const Xbyak::Reg64 temporary64 { 9 };
inline const Xbyak::Reg32 host32 { 10 };
inline const Xbyak::Reg64 value64 { 11 };
inline const Xbyak::Reg32 value { 11 }; // survives a second access of the same instruction
// The places of kept bases (KeptBases): what units use of the registers above beside, they do not use between accesses.
constexpr std::array<uint8_t, 2> hostOfKept { 10, 11 };
inline uint8_t number(const Xbyak::Reg& reg)
{
    return static_cast<uint8_t>(reg.getIdx());
}
inline Xbyak::Reg32 guest(unsigned index)
{
    return Xbyak::Reg32(hostOfGuest[index]);
}
inline Xbyak::Reg64 guest64(unsigned index)
{
    return Xbyak::Reg64(hostOfGuest[index]);
}
} // namespace register_map

// Where things are in Processor, as seen from its own address. The same for all processors.
struct ProcessorOffsets {
    int gpr;
    int eip;
    int nextEip;
    int arithmeticFlags;
    int otherFlags;
    int fxsave;
    int pausesLeft;
    std::array<int, 6> segmentBase;
    std::array<int, 6> segmentSelector;

    static ProcessorOffsets of(const Processor&);
};

// What an operation's ModRM.rm is: a host register, or the memory at host + address64.
struct HostRm {
    bool memory = false;
    uint8_t number = 0;
};

// What jumps ask, by its number in their opcodes. Intel SDM volume 1, appendix B.
enum class Condition : uint8_t { Below = 2, AboveOrEqual, Equal, NotEqual, BelowOrEqual, Above };

// A place in emitted code that near jumps lead to, from before and from behind it. As long as it is not known, the
// distances of its jumps are a chain: each holds the offset of the one before, the first 0, where no jump can be.
class JumpLabel {
public:
    bool isUsed() const { return m_lastJump != 0; }

private:
    friend class Assembler;
    static constexpr uint32_t unknown = ~uint32_t { 0 };

    uint32_t m_place = unknown;
    uint32_t m_lastJump = 0;
};

// Code that is always the same: assembled once, copied from then on.
struct Snippet {
    static constexpr size_t mostBytes = 48;

    std::array<uint8_t, mostBytes> bytes {};
    size_t size = 0;
};

// Xbyak for whatever is rare or emitted once. What units are mostly made of is encoded here: Xbyak's cost for each
// instruction is a multiple of what else a translation takes.
class Assembler : public Xbyak::CodeGenerator {
public:
    using CodeGenerator::CodeGenerator;

    // One instruction as the guest has it, with host registers. reg: a host register's number or the opcode's
    // extension. operandSize: 2 adds the prefix.
    void encode(OpcodeMap, uint8_t opcode, unsigned operandSize, uint8_t reg, HostRm);
    // The same, with its memory operand there.
    struct Place;
    void encodeAt(OpcodeMap, uint8_t opcode, unsigned operandSize, uint8_t reg, const Place&);
    void immediate(unsigned bytes, uint32_t value) { put(value, bytes); }

    // -- unchecked: whoever emits a unit has made sure that there is room for the longest.

    // The low bytes of a number, at most 8.
    void put(uint64_t bytes, size_t count)
    {
        std::memcpy(top_ + size_, &bytes, sizeof bytes);
        size_ += count;
    }
    void copy(const Snippet& snippet)
    {
        std::memcpy(top_ + size_, snippet.bytes.data(), Snippet::mostBytes);
        size_ += snippet.size;
    }
    void fillTo(size_t alignment); // with what is never executed

    void move(const Xbyak::Reg32& to, const Xbyak::Reg32& from);
    void move(const Xbyak::Reg32& to, uint32_t value);
    // Registers by their host numbers; none: there is no such part.
    struct Place {
        static constexpr uint8_t none = 0xff;

        uint8_t base = none;
        uint8_t index = none;
        uint8_t scale = 0; // log2
        int32_t displacement = 0;
    };
    void loadAddress(const Xbyak::Reg32& to, const Place&);
    void load(const Xbyak::Reg32& to, const Place&);
    void store(const Place&, const Xbyak::Reg32& from);
    void store(const Place&, uint32_t value);

    // An instruction on 64 bits whose second operand is there.
    void encodeWide(uint8_t opcode, const Xbyak::Reg64& reg, const Place& place)
    {
        encodeWithPlace(opcode, register_map::number(reg), place, rexW);
    }
    void loadAddressWide(const Xbyak::Reg64& to, const Place& place) { encodeWide(0x8d, to, place); }
    void moveWide(const Xbyak::Reg64& to, uint64_t value);
    void jumpThrough(const Place& place) { encodeWithPlace(0xff, 4, place); }

    // The operand at host + address64, as a doubleword.
    static constexpr Place operandPlace() { return { 10, 8, 0, 0 }; }

    void bind(JumpLabel&);
    void jumpTo(JumpLabel& label)
    {
        put(0xe9, 1);
        distanceTo(label);
    }
    void jumpIf(Condition condition, JumpLabel& label) { jumpIf(static_cast<unsigned>(condition), label); }
    void jumpIf(unsigned condition, JumpLabel& label)
    {
        put(0x800f | condition << 8, 2);
        distanceTo(label);
    }
    // To a place in the writable view.
    void jumpIf(Condition condition, const uint8_t* target)
    {
        put(0x0f, 1);
        putDistance(static_cast<uint8_t>(0x80 | static_cast<unsigned>(condition)), target);
    }
    void jumpTo(const uint8_t* target) { putDistance(0xe9, target); }
    void call(const uint8_t* target) { putDistance(0xe8, target); }
    using CodeGenerator::call;

    Xbyak::Address inProcessor(int offset) { return ptr[register_map::processor + offset]; }
    Xbyak::Address inFrame(size_t offset) { return ptr[register_map::frame + static_cast<int>(offset)]; }
    Xbyak::Address operand() { return ptr[register_map::host + register_map::address64]; }

private:
    static constexpr unsigned rexW = 8;
    void encodeWithPlace(uint8_t opcode, uint8_t reg, const Place&, unsigned rex = 0, bool extended = false);
    void distanceTo(JumpLabel&);
    void putDistance(uint8_t opcode, const uint8_t* target)
    {
        const auto distance = static_cast<uint32_t>(target - (top_ + size_ + 5));
        put(opcode | uint64_t { distance } << 8, 5);
    }
};

// What the callback assembles.
template <class Callback> Snippet makeSnippet(Callback&& assemble)
{
    Snippet snippet;
    Assembler assembler(Snippet::mostBytes, snippet.bytes.data());
    assemble(assembler);
    snippet.size = assembler.getSize();
    return snippet;
}

} // namespace namsan
