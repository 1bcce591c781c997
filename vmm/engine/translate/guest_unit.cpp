// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/guest_unit.h"

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/translate/liveness.h"
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/unit_store.h"

#include <algorithm>
#include <array>

namespace namsan {

namespace {

constexpr uint32_t pageOffsetMask = GuestMemory::pageSize - 1;

bool jumpsRelatively(const Instruction& instruction)
{
    switch (instruction.entry->operation) {
    case Operation::Jcc:
    case Operation::JmpRelative:
    case Operation::CallRelative:
    case Operation::Loop:
    case Operation::Loope:
    case Operation::Loopne:
    case Operation::Jcxz:
        return isNative(instruction, 0);
    default:
        return false;
    }
}

bool mayFault(const GuestUnit::Step& step)
{
    const Instruction& instruction = step.instruction;
    switch (instruction.entry->operation) {
    case Operation::Push:
    case Operation::Pop:
    case Operation::Pushf:
    case Operation::Popf:
    case Operation::Leave:
    case Operation::RetNear:
    case Operation::CallRelative:
    case Operation::CallIndirect:
    case Operation::Div:
    case Operation::Idiv:
    case Operation::Movs:
    case Operation::Stos:
    case Operation::Lods:
    case Operation::Cmps:
    case Operation::Scas:
        return true;
    case Operation::Lea:
    case Operation::Nop:
        return false;
    default:
        return !step.native || instruction.rmIsMemory;
    }
}

} // namespace

uint32_t targetOf(const GuestUnit::Step& step)
{
    return step.eip + step.instruction.length + step.instruction.immediate;
}

UnitCollector::UnitCollector(GuestMemory& memory, CodeCache& codeCache, const Decoder& decoder)
    : m_memory(memory)
    , m_codeCache(codeCache)
    , m_decoder(decoder)
{
}

bool UnitCollector::decodeAt(uint32_t pageOffset, Instruction& instruction) const
{
    if (pageOffset >= GuestMemory::pageSize)
        return false;
    return m_decoder.decode({ m_page + pageOffset, GuestMemory::pageSize - pageOffset }, true, instruction)
        == Decoder::Outcome::Decoded;
}

static uint64_t linesOf(const GuestUnit& unit)
{
    uint64_t lines = 0;
    for (const GuestUnit::Range& range : unit.ranges)
        lines |= UnitStore::linesOf(range.first, range.last);
    return lines;
}

std::optional<GuestUnit> UnitCollector::collect(
    uint32_t linear, PhysicalAddress physical, uint32_t mode, const Rules& rules)
{
    auto unit = collectOnce(linear, physical, mode, rules);
    while (unit && !m_codeCache.watchLines(physical, linesOf(*unit)))
        unit = collectOnce(linear, physical, mode, rules);
    return unit;
}

std::optional<GuestUnit> UnitCollector::collectOnce(
    uint32_t linear, PhysicalAddress physical, uint32_t mode, const Rules& rules)
{
    m_codeCache.watchPage(physical); // before a byte is read, so that no store is missed
    m_page = m_memory.pageHost(physical);
    GuestUnit unit;
    unit.physical = physical;
    unit.linear = linear;
    unit.mode = mode;
    uint32_t eip = linear;
    uint32_t offset = linear & pageOffsetMask;
    while (unit.steps.size() < rules.most) {
        GuestUnit::Step step;
        step.eip = eip;
        if (!decodeAt(offset, step.instruction))
            break;
        step.native = isNative(step.instruction, mode);
        const bool alone = rules.handlersStandAlone && !step.native;
        if (alone && !unit.steps.empty())
            break;
        unit.steps.push_back(step);
        eip += step.instruction.length;
        offset += step.instruction.length;
        if (alone || endsUnit(step.instruction, mode))
            break;
    }
    if (unit.steps.empty())
        return {};
    unit.nextEip = eip;
    unit.ranges.push_back({ static_cast<uint16_t>(linear & pageOffsetMask), static_cast<uint16_t>(offset - 1) });
    markLiveFlags(unit, rules);
    return unit;
}

bool UnitCollector::straddles(PhysicalAddress physical) const
{
    const uint64_t inFirst = GuestMemory::pageSize - physical % GuestMemory::pageSize;
    Instruction instruction;
    return inFirst < Decoder::longestInstruction
        && m_decoder.decode(
               { m_memory.pageHost(physical) + physical % GuestMemory::pageSize, inFirst }, true, instruction)
        == Decoder::Outcome::NeedsMore;
}

GuestUnit UnitCollector::collectStraddling(
    uint32_t linear, PhysicalAddress physical, PhysicalAddress secondPage, uint32_t mode, const Rules& rules)
{
    m_codeCache.watchPage(physical);
    m_codeCache.watchPage(secondPage);
    m_page = m_memory.pageHost(physical);
    const uint32_t offset = linear & pageOffsetMask;
    const uint64_t inFirst = GuestMemory::pageSize - offset;
    std::array<uint8_t, Decoder::longestInstruction> bytes;
    std::copy_n(m_page + offset, inFirst, bytes.begin());
    std::copy_n(m_memory.pageHost(secondPage), bytes.size() - inFirst, bytes.begin() + inFirst);
    GuestUnit unit;
    unit.physical = physical;
    unit.linear = linear;
    unit.mode = mode;
    GuestUnit::Step step;
    step.eip = linear;
    m_decoder.decode(bytes, true, step.instruction); // the longest there is has room
    step.native = isNative(step.instruction, mode);
    unit.steps.push_back(step);
    unit.nextEip = linear + step.instruction.length;
    unit.ranges.push_back({ static_cast<uint16_t>(offset), static_cast<uint16_t>(pageOffsetMask) });
    unit.secondPage = secondPage;
    const uint64_t inSecond = std::max<uint64_t>(step.instruction.length, inFirst + 1) - inFirst;
    unit.rangeInSecondPage = { 0, static_cast<uint16_t>(inSecond - 1) };
    markLiveFlags(unit, rules);
    return unit;
}

void UnitCollector::markLiveFlags(GuestUnit& unit, const Rules& rules) const
{
    const Instruction& last = unit.steps.back().instruction;
    unit.liveOut
        = endsUnit(last, unit.mode) || rules.exactFlags ? uint32_t { eflags::arithmetic } : liveAt(unit.nextEip, unit);
    uint32_t live = unit.liveOut;
    for (size_t n = unit.steps.size(); n-- > 0;) {
        GuestUnit::Step& step = unit.steps[n];
        if (jumpsRelatively(step.instruction)) {
            // Never believed dead across a call: little is to be gained, and returns come from anywhere.
            const bool call = step.instruction.entry->operation == Operation::CallRelative;
            step.liveAtTarget
                = call || rules.exactFlags ? uint32_t { eflags::arithmetic } : liveAt(targetOf(step), unit);
            if (step.instruction.entry->operation == Operation::JmpRelative)
                live = 0;
            live |= step.liveAtTarget;
        }
        // What follows a store may be replaced by it, and then it is the interpreter who goes on.
        if (mayStore(step.instruction, unit.mode))
            live = eflags::arithmetic;
        live = liveBefore(flagEffectOf(step.instruction, unit.mode), live);
        if (rules.exactFlags && mayFault(step))
            live = eflags::arithmetic;
        step.liveIn = live;
    }
}

// Which of the flags matter at a place: those that some way from there reads before it replaces them.
class UnitCollector::LookAhead {
public:
    LookAhead(const UnitCollector& collector, GuestUnit& unit)
        : m_collector(collector)
        , m_unit(unit)
    {
    }

    // Of those that are undecided. A way that comes back to a place adds nothing to what is found from there on.
    uint32_t liveAt(uint32_t eip, uint32_t undecided)
    {
        uint32_t live = 0;
        while (undecided && !wasHere(eip, undecided)) {
            Instruction instruction;
            if (m_left == 0 || !decode(eip, instruction))
                return live | undecided;
            --m_left;
            const FlagEffect effect = flagEffectOf(instruction, m_unit.mode);
            live |= effect.read & undecided;
            undecided &= ~(effect.read | effect.replaced);
            const uint32_t next = eip + instruction.length;
            if (jumpsRelatively(instruction) && instruction.entry->operation != Operation::CallRelative) {
                const uint32_t target = targetOf({ instruction, eip });
                if (instruction.entry->operation != Operation::JmpRelative)
                    live |= liveAt(next, undecided);
                eip = target;
            } else if (endsUnit(instruction, m_unit.mode) || mayStore(instruction, m_unit.mode)) {
                return live | undecided;
            } else {
                eip = next;
            }
        }
        return live;
    }

private:
    struct Visit {
        uint32_t eip;
        uint32_t undecided;
    };

    bool wasHere(uint32_t eip, uint32_t undecided)
    {
        for (size_t n = 0; n < m_visitCount; ++n)
            if (m_visits[n].eip == eip && (undecided & ~m_visits[n].undecided) == 0)
                return true;
        if (m_visitCount < m_visits.size())
            m_visits[m_visitCount++] = { eip, undecided };
        return false;
    }

    // What another page holds is not known for longer than its mapping lasts, so everything matters there.
    bool decode(uint32_t eip, Instruction& instruction)
    {
        if ((eip ^ m_unit.linear) & ~pageOffsetMask)
            return false;
        const uint32_t offset = eip & pageOffsetMask;
        if (!m_collector.decodeAt(offset, instruction))
            return false;
        const auto first = static_cast<uint16_t>(offset);
        const auto last = static_cast<uint16_t>(offset + instruction.length - 1);
        auto& known = m_unit.ranges.back();
        if (first == known.last + 1)
            known.last = last;
        else if (first < known.first || last > known.last)
            m_unit.ranges.push_back({ first, last });
        return true;
    }

    static constexpr unsigned most = 16; // instructions

    const UnitCollector& m_collector;
    GuestUnit& m_unit;
    unsigned m_left = most;
    std::array<Visit, most + 1> m_visits {};
    size_t m_visitCount = 0;
};

uint32_t UnitCollector::liveAt(uint32_t eip, GuestUnit& unit) const
{
    return LookAhead(*this, unit).liveAt(eip, eflags::arithmetic);
}

} // namespace namsan
