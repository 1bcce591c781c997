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

const GuestUnit* UnitCollector::collect(uint32_t linear, PhysicalAddress physical, uint32_t mode, const Rules& rules)
{
    do {
        if (!collectOnce(linear, physical, mode, rules))
            return nullptr;
    } while (!m_codeCache.watchLines(physical, linesOf(m_unit)));
    return &m_unit;
}

void UnitCollector::beginUnit(uint32_t linear, PhysicalAddress physical, uint32_t mode)
{
    m_unit.physical = physical;
    m_unit.linear = linear;
    m_unit.mode = mode;
    ++m_number;
    m_unit.steps.clear();
    m_unit.ranges.clear();
    m_unit.secondPage.reset();
    m_unit.rangeInSecondPage = {};
    m_page = m_memory.pageHost(physical);
}

void UnitCollector::look(GuestUnit::Step& step, uint32_t mode)
{
    step.native = isNative(step.instruction, mode);
    step.endsUnit = namsan::endsUnit(step.instruction, step.native);
    step.effect = flagEffectOf(step.instruction, step.native, step.endsUnit);
}

UnitCollector::Seen& UnitCollector::note(const GuestUnit::Step& step)
{
    const Operation operation = step.instruction.entry->operation;
    Seen& seen = m_seen[step.eip % seenCount];
    seen.unit = m_number;
    seen.eip = step.eip;
    seen.next = step.eip + step.instruction.length;
    seen.target = targetOf(step);
    seen.effect = step.effect;
    seen.jumps = jumpsRelatively(step.instruction) && operation != Operation::CallRelative;
    seen.alwaysJumps = operation == Operation::JmpRelative;
    seen.ends = step.endsUnit || mayStore(step.instruction, step.native);
    return seen;
}

bool UnitCollector::collectOnce(uint32_t linear, PhysicalAddress physical, uint32_t mode, const Rules& rules)
{
    m_codeCache.watchPage(physical); // before a byte is read, so that no store is missed
    beginUnit(linear, physical, mode);
    uint32_t eip = linear;
    uint32_t offset = linear & pageOffsetMask;
    while (m_unit.steps.size() < rules.most) {
        GuestUnit::Step& step = m_unit.steps.emplace_back();
        step.eip = eip;
        if (!decodeAt(offset, step.instruction)) {
            m_unit.steps.pop_back();
            break;
        }
        look(step, mode);
        const bool alone = rules.handlersStandAlone && !step.native;
        if (alone && m_unit.steps.size() > 1) {
            m_unit.steps.pop_back();
            break;
        }
        eip += step.instruction.length;
        offset += step.instruction.length;
        if (alone || step.endsUnit)
            break;
    }
    if (m_unit.steps.empty())
        return false;
    m_unit.nextEip = eip;
    m_unit.ranges.push_back({ static_cast<uint16_t>(linear & pageOffsetMask), static_cast<uint16_t>(offset - 1) });
    markLiveFlags(rules);
    return true;
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

const GuestUnit* UnitCollector::collectStraddling(
    uint32_t linear, PhysicalAddress physical, PhysicalAddress secondPage, uint32_t mode, const Rules& rules)
{
    m_codeCache.watchPage(physical);
    m_codeCache.watchPage(secondPage);
    beginUnit(linear, physical, mode);
    const uint32_t offset = linear & pageOffsetMask;
    const uint64_t inFirst = GuestMemory::pageSize - offset;
    std::array<uint8_t, Decoder::longestInstruction> bytes;
    std::copy_n(m_page + offset, inFirst, bytes.begin());
    std::copy_n(m_memory.pageHost(secondPage), bytes.size() - inFirst, bytes.begin() + inFirst);
    GuestUnit::Step& step = m_unit.steps.emplace_back();
    step.eip = linear;
    m_decoder.decode(bytes, true, step.instruction); // the longest there is has room
    look(step, mode);
    m_unit.nextEip = linear + step.instruction.length;
    m_unit.ranges.push_back({ static_cast<uint16_t>(offset), static_cast<uint16_t>(pageOffsetMask) });
    m_unit.secondPage = secondPage;
    const uint64_t inSecond = std::max<uint64_t>(step.instruction.length, inFirst + 1) - inFirst;
    m_unit.rangeInSecondPage = { 0, static_cast<uint16_t>(inSecond - 1) };
    markLiveFlags(rules);
    return &m_unit;
}

void UnitCollector::markLiveFlags(const Rules& rules)
{
    for (const GuestUnit::Step& step : m_unit.steps)
        note(step);
    m_unit.liveOut
        = m_unit.steps.back().endsUnit || rules.exactFlags ? uint32_t { eflags::arithmetic } : liveAt(m_unit.nextEip);
    uint32_t live = m_unit.liveOut;
    for (size_t n = m_unit.steps.size(); n-- > 0;) {
        GuestUnit::Step& step = m_unit.steps[n];
        if (jumpsRelatively(step.instruction)) {
            // Never believed dead across a call: little is to be gained, and returns come from anywhere.
            const bool call = step.instruction.entry->operation == Operation::CallRelative;
            step.liveAtTarget = call || rules.exactFlags ? uint32_t { eflags::arithmetic } : liveAt(targetOf(step));
            if (step.instruction.entry->operation == Operation::JmpRelative)
                live = 0;
            live |= step.liveAtTarget;
        }
        // What follows a store may be replaced by it, and then it is the interpreter who goes on.
        if (mayStore(step.instruction, step.native))
            live = eflags::arithmetic;
        live = liveBefore(step.effect, live);
        if (rules.exactFlags && mayFault(step))
            live = eflags::arithmetic;
        step.liveIn = live;
    }
}

// Which of the flags matter at a place: those that some way from there reads before it replaces them.
class UnitCollector::LookAhead {
public:
    explicit LookAhead(UnitCollector& collector)
        : m_collector(collector)
    {
    }

    // Of those that are undecided. A way that comes back to a place adds nothing to what is found from there on.
    uint32_t liveAt(uint32_t eip, uint32_t undecided)
    {
        uint32_t live = 0;
        while (undecided && !wasHere(eip, undecided)) {
            const Seen* seen = m_left == 0 ? nullptr : see(eip);
            if (!seen)
                return live | undecided;
            --m_left;
            live |= seen->effect.read & undecided;
            undecided &= ~(seen->effect.read | seen->effect.replaced);
            if (seen->jumps) {
                eip = seen->target;
                if (!seen->alwaysJumps)
                    live |= liveAt(seen->next, undecided);
            } else if (seen->ends) {
                return live | undecided;
            } else {
                eip = seen->next;
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
    const Seen* see(uint32_t eip)
    {
        const Seen& known = m_collector.m_seen[eip % seenCount];
        if (known.eip == eip && known.unit == m_collector.m_number)
            return &known;
        GuestUnit& unit = m_collector.m_unit;
        if ((eip ^ unit.linear) & ~pageOffsetMask)
            return nullptr;
        GuestUnit::Step step;
        step.eip = eip;
        const uint32_t offset = eip & pageOffsetMask;
        if (!m_collector.decodeAt(offset, step.instruction))
            return nullptr;
        look(step, unit.mode);
        noteRange(unit, offset, step.instruction.length);
        return &m_collector.note(step);
    }

    static void noteRange(GuestUnit& unit, uint32_t offset, unsigned length)
    {
        const auto first = static_cast<uint16_t>(offset);
        const auto last = static_cast<uint16_t>(offset + length - 1);
        auto& known = unit.ranges.back();
        if (first == known.last + 1)
            known.last = last;
        else if (first < known.first || last > known.last)
            unit.ranges.push_back({ first, last });
    }

    static constexpr unsigned most = 16; // instructions

    UnitCollector& m_collector;
    unsigned m_left = most;
    std::array<Visit, most + 1> m_visits;
    size_t m_visitCount = 0;
};

uint32_t UnitCollector::liveAt(uint32_t eip)
{
    return LookAhead(*this).liveAt(eip, eflags::arithmetic);
}

} // namespace namsan
