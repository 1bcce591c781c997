// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/debug_registers.h"

#include <array>

namespace namsan {

namespace {

constexpr unsigned breakpointCount = 4;
constexpr unsigned status = 6;
constexpr unsigned control = 7;
constexpr uint32_t dr6AlwaysOne = 0xffff0ff0;
constexpr uint32_t dr6AlwaysZero = 1 << 12;
constexpr uint32_t dr7AlwaysOne = 1 << 10;
constexpr uint32_t dr7AlwaysZero = 0xd800;

// R/W fields of DR7.
enum class Condition : uint8_t { Execute, Write, PortAccess, Access };

struct Breakpoint {
    bool enabled;
    Condition condition;
    unsigned size;
    uint32_t first; // the low bits of the register do not count for lengths beyond 1
};

// Intel SDM volume 3, 17.2.4. The length 10b is 8 bytes on processors of 64 bits and undefined on others.
Breakpoint breakpoint(const Processor& processor, unsigned number)
{
    static constexpr std::array<unsigned, 4> sizes { 1, 2, 8, 4 };
    const uint32_t dr7 = processor.dr[control];
    const unsigned size = sizes[dr7 >> (18 + 4 * number) & 3];
    return { (dr7 >> (2 * number) & 3) != 0, static_cast<Condition>(dr7 >> (16 + 4 * number) & 3), size,
        processor.dr[number] & ~(size - 1) };
}

bool isAlias(unsigned number)
{
    return number == 4 || number == 5;
}

unsigned indexOf(Processor& processor, unsigned number)
{
    if (processor.dr[control] & dr7::generalDetect) {
        processor.dr[status] |= dr6::debugRegisterAccess;
        // A fault that is no instruction breakpoint's: restarting it must not end in one. SDM volume 3, 17.3.1.1.
        processor.otherFlags |= eflags::resume;
        throw Fault { Exception::Debug, {} };
    }
    return isAlias(number) ? number + 2 : number;
}

} // namespace

void requireDebugRegister(const Processor& processor, unsigned number)
{
    if (isAlias(number) && (processor.cr4 & cr4::debuggingExtensions))
        throwInvalidOpcode();
}

uint32_t readDebugRegister(Processor& processor, unsigned number)
{
    return processor.dr[indexOf(processor, number)];
}

void writeDebugRegister(Processor& processor, unsigned number, uint32_t value)
{
    const unsigned index = indexOf(processor, number);
    if (index == status)
        value = (value | dr6AlwaysOne) & ~dr6AlwaysZero;
    else if (index == control)
        value = (value | dr7AlwaysOne) & ~dr7AlwaysZero;
    processor.dr[index] = value;
    applyBreakpoints(processor);
}

void applyBreakpoints(Processor& processor)
{
    const bool before = processor.breakpointsArmed;
    processor.breakpointsArmed = processor.dr[control] & dr7::enables;
    if (!before && !processor.breakpointsArmed)
        return;
    std::array<LinearMemory::Watch, LinearMemory::watchCount> watches {};
    for (unsigned n = 0; n < breakpointCount; ++n) {
        const Breakpoint b = breakpoint(processor, n);
        if (b.enabled && (b.condition == Condition::Write || b.condition == Condition::Access))
            watches[n] = { b.first, b.size, b.condition == Condition::Access };
    }
    processor.memory.setWatches(watches);
    processor.leaveBlock = true;
}

void disableLocalBreakpoints(Processor& processor)
{
    processor.dr[control] &= ~dr7::localEnables;
    applyBreakpoints(processor);
}

uint32_t instructionBreakpointsAt(const Processor& processor, uint32_t linear)
{
    uint32_t hits = 0;
    for (unsigned n = 0; n < breakpointCount; ++n) {
        const Breakpoint b = breakpoint(processor, n);
        if (b.enabled && b.condition == Condition::Execute && processor.dr[n] == linear)
            hits |= 1u << n;
    }
    return hits;
}

void notePortAccess(Processor& processor, uint16_t port, Width width)
{
    if (!(processor.cr4 & cr4::debuggingExtensions))
        return;
    for (unsigned n = 0; n < breakpointCount; ++n) {
        const Breakpoint b = breakpoint(processor, n);
        const bool overlaps = port - b.first < b.size || b.first - port < bytesOf(width);
        if (b.enabled && b.condition == Condition::PortAccess && overlaps)
            processor.pendingDebug |= 1u << n;
    }
}

} // namespace namsan
