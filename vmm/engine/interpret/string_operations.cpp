// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/general_handlers.h"
#include "vmm/engine/interpret/host_arithmetic.h"
#include "vmm/engine/interpret/operand_access.h"

#include <algorithm>
#include <cstring>

// MOVS, CMPS, STOS, LODS, SCAS and their repetition. Intel SDM volume 1, 7.3.9.
//
// ESI, EDI and ECX are brought up to date after each element, so a fault finds them as hardware leaves them. A long
// repetition is done in pieces: after each the handler returns with the loop still at the instruction, so that
// interrupts and kicks come through. Where both sides are plain RAM, the part up to the page ends is done at once.
namespace namsan {

namespace {

constexpr uint32_t elementsPerPiece = 4096;

uint32_t stepOf(const Processor& processor, unsigned size)
{
    return (processor.otherFlags & eflags::direction) ? 0u - size : size;
}

void advance(Processor& processor, const Instruction& instruction, Gpr reg, uint32_t by)
{
    uint32_t& whole = processor.gpr[reg];
    whole = (whole & ~instruction.addressMask) | ((whole + by) & instruction.addressMask);
}

uint32_t indexOf(const Processor& processor, const Instruction& instruction, Gpr reg)
{
    return processor.gpr[reg] & instruction.addressMask;
}

// How many whole elements from an offset lie in its page.
template <class T> uint32_t elementsInPage(uint32_t offset)
{
    return static_cast<uint32_t>((GuestMemory::pageSize - offset % GuestMemory::pageSize) / sizeof(T));
}

// Whether runs of elements may be handled by address alone: upwards, in flat segments, with 32-bit addresses.
bool runsArePossible(const Processor& processor, const Instruction& instruction)
{
    return !instruction.address16 && !(processor.otherFlags & eflags::direction);
}
bool sourceIsFlat(const Processor& processor, const Instruction& instruction)
{
    return processor.segments[instruction.segment].flatReadable;
}

// Each operation: element() does one element and advances the registers; run() does up to `most` of them at once and
// returns how many, or 0 where it cannot; finished() tells after either whether the repetition ends early.
template <class T> struct Movs {
    static void element(Processor& processor, const Instruction& instruction)
    {
        const uint32_t step = stepOf(processor, sizeof(T));
        const T value
            = processor.read<T>(static_cast<SegmentIndex>(instruction.segment), indexOf(processor, instruction, Esi));
        processor.write<T>(Es, indexOf(processor, instruction, Edi), value);
        advance(processor, instruction, Esi, step);
        advance(processor, instruction, Edi, step);
    }

    static uint32_t run(Processor& processor, const Instruction& instruction, uint32_t most)
    {
        uint32_t& source = processor.gpr[Esi];
        uint32_t& destination = processor.gpr[Edi];
        if (!sourceIsFlat(processor, instruction) || !processor.segments[Es].flatWritable)
            return 0;
        const uint32_t count = std::min({ most, elementsInPage<T>(source), elementsInPage<T>(destination) });
        const auto bytes = count * static_cast<uint32_t>(sizeof(T));
        if (count == 0)
            return 0;
        const uint8_t* from = processor.memory.directRead(source, bytes);
        if (!from)
            return 0;
        uint8_t* to = processor.memory.directWrite(destination, bytes);
        if (!to)
            return 0;
        if (to < from + bytes && from < to + bytes)
            copyOneByOne(to, from, count); // overlapping upwards repeats a pattern, and guests rely on it
        else
            std::memcpy(to, from, bytes);
        source += bytes;
        destination += bytes;
        return count;
    }

    static void copyOneByOne(uint8_t* to, const uint8_t* from, uint32_t count)
    {
        for (uint32_t n = 0; n < count; ++n) {
            T value;
            std::memcpy(&value, from + n * sizeof(T), sizeof value);
            std::memcpy(to + n * sizeof(T), &value, sizeof value);
        }
    }

    static bool finished(const Processor&, const Instruction&) { return false; }
};

template <class T> struct Stos {
    static void element(Processor& processor, const Instruction& instruction)
    {
        processor.write<T>(Es, indexOf(processor, instruction, Edi), readRegister<T>(processor, Eax));
        advance(processor, instruction, Edi, stepOf(processor, sizeof(T)));
    }

    static uint32_t run(Processor& processor, const Instruction&, uint32_t most)
    {
        uint32_t& destination = processor.gpr[Edi];
        if (!processor.segments[Es].flatWritable)
            return 0;
        const uint32_t count = std::min(most, elementsInPage<T>(destination));
        const auto bytes = count * static_cast<uint32_t>(sizeof(T));
        uint8_t* to = count ? processor.memory.directWrite(destination, bytes) : nullptr;
        if (!to)
            return 0;
        const T value = readRegister<T>(processor, Eax);
        for (uint32_t n = 0; n < count; ++n)
            std::memcpy(to + n * sizeof(T), &value, sizeof value);
        destination += bytes;
        return count;
    }

    static bool finished(const Processor&, const Instruction&) { return false; }
};

template <class T> struct Lods {
    static void element(Processor& processor, const Instruction& instruction)
    {
        const T value
            = processor.read<T>(static_cast<SegmentIndex>(instruction.segment), indexOf(processor, instruction, Esi));
        writeRegister<T>(processor, Eax, value);
        advance(processor, instruction, Esi, stepOf(processor, sizeof(T)));
    }
    static uint32_t run(Processor&, const Instruction&, uint32_t) { return 0; }
    static bool finished(const Processor&, const Instruction&) { return false; }
};

// REPE goes on while equal, REPNE while not.
bool comparisonEndsRepetition(const Processor& processor, const Instruction& instruction)
{
    const bool equal = processor.arithmeticFlags & host_flags::zero;
    return equal == instruction.repne;
}

template <class T> T elementAt(const uint8_t* from, uint32_t n)
{
    T value;
    std::memcpy(&value, from + n * sizeof(T), sizeof value);
    return value;
}

template <class T> struct Cmps {
    static void element(Processor& processor, const Instruction& instruction)
    {
        const uint32_t step = stepOf(processor, sizeof(T));
        // Where neither can be read, hosts fault for EDI's; the manual leaves the order open.
        const T right = processor.read<T>(Es, indexOf(processor, instruction, Edi));
        const T left
            = processor.read<T>(static_cast<SegmentIndex>(instruction.segment), indexOf(processor, instruction, Esi));
        host_arithmetic::Sub::apply<T>(left, right, processor.arithmeticFlags);
        advance(processor, instruction, Esi, step);
        advance(processor, instruction, Edi, step);
    }

    static uint32_t run(Processor& processor, const Instruction& instruction, uint32_t most)
    {
        uint32_t& source = processor.gpr[Esi];
        uint32_t& destination = processor.gpr[Edi];
        if (!sourceIsFlat(processor, instruction) || !processor.segments[Es].flatReadable)
            return 0;
        const uint32_t count = std::min({ most, elementsInPage<T>(source), elementsInPage<T>(destination) });
        const auto bytes = count * static_cast<uint32_t>(sizeof(T));
        const uint8_t* left = count ? processor.memory.directRead(source, bytes) : nullptr;
        const uint8_t* right = left ? processor.memory.directRead(destination, bytes) : nullptr;
        if (!right)
            return 0;
        uint32_t done = 0;
        while (done < count && (elementAt<T>(left, done) == elementAt<T>(right, done)) != instruction.repne)
            ++done;
        const uint32_t last = std::min(done, count - 1);
        host_arithmetic::Sub::apply<T>(elementAt<T>(left, last), elementAt<T>(right, last), processor.arithmeticFlags);
        source += (last + 1) * static_cast<uint32_t>(sizeof(T));
        destination += (last + 1) * static_cast<uint32_t>(sizeof(T));
        return last + 1;
    }

    static bool finished(const Processor& processor, const Instruction& instruction)
    {
        return comparisonEndsRepetition(processor, instruction);
    }
};

template <class T> struct Scas {
    static void element(Processor& processor, const Instruction& instruction)
    {
        const T value = processor.read<T>(Es, indexOf(processor, instruction, Edi));
        host_arithmetic::Sub::apply<T>(readRegister<T>(processor, Eax), value, processor.arithmeticFlags);
        advance(processor, instruction, Edi, stepOf(processor, sizeof(T)));
    }

    static uint32_t run(Processor& processor, const Instruction& instruction, uint32_t most)
    {
        uint32_t& destination = processor.gpr[Edi];
        if (!processor.segments[Es].flatReadable)
            return 0;
        const uint32_t count = std::min(most, elementsInPage<T>(destination));
        const auto bytes = count * static_cast<uint32_t>(sizeof(T));
        const uint8_t* from = count ? processor.memory.directRead(destination, bytes) : nullptr;
        if (!from)
            return 0;
        const T wanted = readRegister<T>(processor, Eax);
        uint32_t done = 0;
        while (done < count && (elementAt<T>(from, done) == wanted) != instruction.repne)
            ++done;
        const uint32_t last = std::min(done, count - 1);
        host_arithmetic::Sub::apply<T>(wanted, elementAt<T>(from, last), processor.arithmeticFlags);
        destination += (last + 1) * static_cast<uint32_t>(sizeof(T));
        return last + 1;
    }

    static bool finished(const Processor& processor, const Instruction& instruction)
    {
        return comparisonEndsRepetition(processor, instruction);
    }
};

template <template <class> class String> struct Repeated {
    template <class T, RmForm> struct Of {
        static void execute(Processor& processor, const Instruction& instruction)
        {
            if (!instruction.rep && !instruction.repne) {
                String<T>::element(processor, instruction);
                return;
            }
            const bool runs = runsArePossible(processor, instruction);
            // Debug traps come after each element. RF tells that the instruction has begun, so that an instruction
            // breakpoint on it is hit once. Intel SDM volume 3, 17.3.1.1 and 17.3.1.4.
            const bool traps = (processor.otherFlags & eflags::trap) || processor.breakpointsArmed;
            uint32_t left = traps ? 1 : elementsPerPiece;
            for (uint32_t count = indexOf(processor, instruction, Ecx); count != 0;) {
                if (left == 0) {
                    processor.nextEip = processor.eip;
                    processor.otherFlags |= eflags::resume;
                    processor.leaveBlock = true;
                    return;
                }
                uint32_t done = runs ? String<T>::run(processor, instruction, std::min(left, count)) : 0;
                if (done == 0) {
                    String<T>::element(processor, instruction);
                    done = 1;
                }
                count -= done;
                left -= done;
                advance(processor, instruction, Ecx, 0u - done);
                if (String<T>::finished(processor, instruction))
                    return;
            }
        }
    };
};

} // namespace

void bindStringOperations(HandlerTable& table)
{
    bindByWidth<Repeated<Movs>::Of>(table, Operation::Movs);
    bindByWidth<Repeated<Cmps>::Of>(table, Operation::Cmps);
    bindByWidth<Repeated<Stos>::Of>(table, Operation::Stos);
    bindByWidth<Repeated<Lods>::Of>(table, Operation::Lods);
    bindByWidth<Repeated<Scas>::Of>(table, Operation::Scas);
}

} // namespace namsan
