// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/runtime.h"

#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/translate/fault_sites.h"
#include "vmm/engine/translate/unit_store.h"

#include <algorithm>
#include <utility>

namespace namsan {

static constexpr uint32_t goOn = 0;
static constexpr uint32_t leave = 1;

uint32_t TranslatorRuntime::leaveFor(TranslatedFrame& frame, LeaveReason reason)
{
    frame.reason = reason;
    frame.instructions += frame.executedBefore;
    return leave;
}

template <class Action> uint32_t TranslatorRuntime::guarded(TranslatedFrame& frame, Action&& action)
{
    TranslatorRuntime& runtime = *frame.runtime;
    try {
        return action(runtime);
    } catch (const Fault& fault) {
        runtime.m_fault = fault;
    } catch (...) {
        runtime.m_other = std::current_exception();
    }
    return leaveFor(frame, LeaveReason::Fault);
}

std::optional<Fault> TranslatorRuntime::takeFault()
{
    return std::exchange(m_fault, {});
}

void TranslatorRuntime::rethrowOther()
{
    if (m_other)
        std::rethrow_exception(std::exchange(m_other, nullptr));
}

uint64_t TranslatorRuntime::read(uint32_t linear, uint32_t size)
{
    LinearMemory& memory = m_processor.memory;
    switch (size) {
    case 1:
        return memory.read<uint8_t>(linear);
    case 2:
        return memory.read<uint16_t>(linear);
    case 4:
        return memory.read<uint32_t>(linear);
    default:
        return memory.read<uint64_t>(linear);
    }
}

// More than 8 bytes are read in two parts; both can be before one is, for the sake of devices.
void TranslatorRuntime::readIntoScratch(TranslatedFrame& frame, uint32_t linear, uint32_t size)
{
    if (size <= sizeof(uint64_t)) {
        frame.scratch[0] = read(linear, size);
        return;
    }
    m_processor.memory.probeRead(linear, size);
    frame.scratch[0] = read(linear, 8);
    frame.scratch[1] = read(linear + 8, size - 8);
}

void TranslatorRuntime::write(uint32_t linear, uint32_t size, uint64_t value)
{
    LinearMemory& memory = m_processor.memory;
    switch (size) {
    case 1:
        return memory.write(linear, static_cast<uint8_t>(value));
    case 2:
        return memory.write(linear, static_cast<uint16_t>(value));
    case 4:
        return memory.write(linear, static_cast<uint32_t>(value));
    default:
        return memory.write(linear, value);
    }
}

// A store into instructions that were translated ends what was made of them, perhaps the unit that runs: the
// interpreter does it, between two units. Stores beside code are none of that.
bool TranslatorRuntime::writeMustBeInterpreted(uint32_t linear, uint32_t size)
{
    const auto inFirstPage = static_cast<uint32_t>(GuestMemory::pageSize - linear % GuestMemory::pageSize);
    const PhysicalAddress first = m_processor.memory.translateWrite(linear);
    if (size <= inFirstPage)
        return (m_memory.flags(first) & GuestMemory::Code) && m_units.covers(first, size);
    const PhysicalAddress second = m_processor.memory.translateWrite(linear + inFirstPage);
    return m_units.covers(first, inFirstPage) || m_units.covers(second, size - inFirstPage);
}

static bool crossesPages(uint32_t linear, uint32_t size)
{
    return linear % GuestMemory::pageSize + size > GuestMemory::pageSize;
}

// Before anything is looked up, which may enter the page.
void TranslatorRuntime::noteHeld(uint32_t linear, uint32_t size, bool write)
{
    m_wasHeld = m_flat && !crossesPages(linear, size)
        && m_processor.memory.flatTables().holds(linear, m_processor.cpl == 3, write);
}

// One that translated code does not get done.
void TranslatorRuntime::noteSlowWay(const TranslatedFrame& frame, uint32_t linear, uint32_t size)
{
    if (m_flat)
        m_sites.tookSlowWay(frame.site, false, crossesPages(linear, size));
}

// One that crosses pages goes the slow way always.
void TranslatorRuntime::learn(const TranslatedFrame& frame, uint32_t linear, uint32_t size, bool write)
{
    if (!m_flat)
        return;
    LinearMemory& memory = m_processor.memory;
    const bool crosses = crossesPages(linear, size);
    const bool stillThere = m_wasHeld && memory.flatPagesStay();
    if (!crosses && !stillThere && canBeHeld(linear, write))
        memory.enterFlat(linear, write);
    m_sites.tookSlowWay(frame.site, m_wasHeld, crosses);
}

// To ask for an entry is dear where there can be none.
bool TranslatorRuntime::canBeHeld(uint32_t linear, bool write)
{
    const PhysicalAddress physical = m_processor.memory.translateRead(linear);
    return m_memory.pageHost(physical) && !(write && (m_memory.flags(physical) & GuestMemory::writesAreSpecial));
}

template <class Site> static uint32_t eipOf(const TranslatedFrame& frame, const Site& site)
{
    return site.eip + (site.anyPage ? frame.linearPage : 0);
}

// Where the guest is, for whoever looks at a fault. The size of the access.
uint32_t TranslatorRuntime::beginSlowWay(TranslatedFrame& frame, uint32_t number)
{
    const FaultSites::Site& site = frame.runtime->m_sites.at(number);
    Processor& processor = frame.runtime->m_processor;
    processor.eip = processor.nextEip = eipOf(frame, site);
    frame.site = number;
    frame.executedBefore = site.executedBefore;
    return site.size;
}

// Page faults are common, and exceptions of C++ are dear.
template <class Action>
uint32_t TranslatorRuntime::access(TranslatedFrame& frame, uint32_t linear, uint32_t size, bool write, Action&& action)
{
    TranslatorRuntime& runtime = *frame.runtime;
    runtime.noteHeld(linear, size, write);
    if (!runtime.m_observer) // who sees it first
        runtime.m_fault = runtime.m_processor.memory.tryProbe(linear, size, write);
    if (!runtime.m_fault)
        return guarded(frame, action);
    runtime.noteSlowWay(frame, linear, size);
    return leaveFor(frame, LeaveReason::Fault);
}

uint32_t TranslatorRuntime::readSlowly(TranslatedFrame* frame, uint32_t linear, uint32_t site)
{
    const uint32_t size = beginSlowWay(*frame, site);
    return access(*frame, linear, size, false, [=](TranslatorRuntime& runtime) {
        if (runtime.refused(linear, size, false))
            return leaveFor(*frame, LeaveReason::Interpret);
        runtime.readIntoScratch(*frame, linear, size);
        runtime.learn(*frame, linear, size, false);
        return goOn;
    });
}

uint32_t TranslatorRuntime::readForWriteSlowly(TranslatedFrame* frame, uint32_t linear, uint32_t site)
{
    const uint32_t size = beginSlowWay(*frame, site);
    return access(*frame, linear, size, true, [=](TranslatorRuntime& runtime) {
        if (runtime.writeMustBeInterpreted(linear, size)) {
            runtime.noteSlowWay(*frame, linear, size);
            return leaveFor(*frame, LeaveReason::Interpret);
        }
        if (runtime.refused(linear, size, true))
            return leaveFor(*frame, LeaveReason::Interpret);
        runtime.readIntoScratch(*frame, linear, size);
        return goOn;
    });
}

uint32_t TranslatorRuntime::prepareWrite(TranslatedFrame* frame, uint32_t linear, uint32_t site)
{
    const uint32_t size = beginSlowWay(*frame, site);
    return access(*frame, linear, size, true, [=](TranslatorRuntime& runtime) {
        if (runtime.writeMustBeInterpreted(linear, size)) {
            runtime.noteSlowWay(*frame, linear, size);
            return leaveFor(*frame, LeaveReason::Interpret);
        }
        if (runtime.refused(linear, size, true))
            return leaveFor(*frame, LeaveReason::Interpret);
        return goOn;
    });
}

// Nothing here can fault: the write was prepared.
uint32_t TranslatorRuntime::commitWrite(TranslatedFrame* frame, uint32_t linear)
{
    return guarded(*frame, [=](TranslatorRuntime& runtime) {
        const uint32_t size = runtime.m_sites.at(frame->site).size;
        const uint32_t first = std::min<uint32_t>(size, sizeof(uint64_t));
        runtime.write(linear, first, frame->scratch[0]);
        if (size > first)
            runtime.write(linear + first, size - first, frame->scratch[1]);
        runtime.learn(*frame, linear, size, true);
        return goOn;
    });
}

uint32_t TranslatorRuntime::runHandler(TranslatedFrame* frame, const HandlerSite* site)
{
    frame->executedBefore = site->executedBefore;
    if (site->insteadOfNative && frame->runtime->m_observer) {
        frame->runtime->m_processor.nextEip = eipOf(*frame, *site);
        return leaveFor(*frame, LeaveReason::Interpret);
    }
    return guarded(*frame, [=](TranslatorRuntime& runtime) {
        Processor& processor = runtime.m_processor;
        const uint32_t eip = eipOf(*frame, *site);
        const uint32_t following = eip + site->instruction.length;
        processor.eip = eip;
        processor.nextEip = following;
        processor.leaveBlock = false;
        const auto linear = static_cast<uint32_t>(frame->savedAddress);
        if (site->write) {
            frame->site = site->write->site;
            runtime.noteHeld(linear, site->write->size, true);
        }
        site->instruction.execute(processor, site->instruction);
        if (site->write)
            runtime.learn(*frame, linear, site->write->size, true);
        const bool sameRules = !site->loadsSegment || runtime.m_rules->stillHold();
        if (!site->endsUnit && sameRules && !processor.leaveBlock && processor.nextEip == following)
            return goOn;
        // A piece of a repetition leaves EIP where it was, and is not yet one that was carried out.
        const bool unfinished
            = processor.nextEip == eip && (site->instruction.entry->attributes & attribute::repeatable);
        if (!unfinished)
            ++frame->executedBefore;
        // Flags that were dead may be old ones still, unless the unit was to end here.
        const bool exactFlags = (site->endsUnit && !site->insteadOfNative) || unfinished;
        const bool needsCare = processor.interruptShadow || processor.halted || processor.pendingDebug
            || (processor.otherFlags & (eflags::trap | eflags::resume));
        return leaveFor(*frame, exactFlags || needsCare ? LeaveReason::Handler : LeaveReason::Interpret);
    });
}

} // namespace namsan
