// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/translator.h"

#include "vmm/engine/interpret/descriptor.h"
#include "vmm/engine/translate/assembler.h"
#include "vmm/engine/translate/floating_point_operations.h"
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/unit_emitter.h"

#include <algorithm>
#include <cpuid.h>
#include <cstring>
#include <utility>

namespace namsan {

namespace {

constexpr uint32_t wholeLimit = 0xffffffff;

// LAHF and SAHF in 64-bit mode, which the first processors lacked.
bool hostHasLahf()
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & 1);
}

bool isWhole(const SegmentState& segment)
{
    constexpr uint32_t kind = access_rights::code | access_rights::expandDown | access_rights::writable;
    return isUsable(segment) && segment.limit == wholeLimit && (segment.accessRights & kind) == access_rights::writable;
}

} // namespace

Result<std::unique_ptr<Translator>> Translator::create(Processor& processor, GuestMemory& memory, CodeCache& codeCache,
    const Decoder& decoder, const Attention& attention, const TranslatorOptions& options)
{
    if (!hostHasLahf())
        return Error { "This host's processor lacks LAHF in 64-bit mode, which translated code needs. Choose the "
                       "engine soft:interpreter." };
    auto region = CodeRegion::create(options.codeBytes);
    if (!region)
        return region.error();
    return std::unique_ptr<Translator>(
        new Translator(processor, memory, codeCache, decoder, attention, options, std::move(*region)));
}

Translator::Translator(Processor& processor, GuestMemory& memory, CodeCache& codeCache, const Decoder& decoder,
    const Attention& attention, const TranslatorOptions& options, std::unique_ptr<CodeRegion> region)
    : m_processor(processor)
    , m_memory(memory)
    , m_codeCache(codeCache)
    , m_options(options)
    , m_units(memory)
    , m_runtime(processor, memory, m_units)
    , m_collector(memory, codeCache, decoder)
    , m_region(std::move(region))
    , m_assembler(std::make_unique<Assembler>(m_region->size(), m_region->writable()))
    , m_memoryForm(makeTlbForm())
    , m_thunks(emitThunks(*m_assembler, *m_region, processor))
    , m_thunkBytes(m_assembler->getSize())
    , m_jumps(size_t { 1 } << TranslatedFrame::jumpBits)
    , m_heat(heatCount)
{
    m_frame.attention = &attention.word();
    m_frame.jumps = m_jumps.data();
    m_frame.runtime = &m_runtime;
    if (options.lockstep)
        m_emptyTable.assign(LinearMemory::FastLayout::entryCount * LinearMemory::FastLayout::entryBytes, 0xff);
    codeCache.setFollower(this);
}

Translator::~Translator()
{
    m_codeCache.dropAll(); // its pages share their Code flags with those here
    m_codeCache.setFollower(nullptr);
}

// -- the dispatcher
// ----------------------------------------------------------------------------------------------------

bool Translator::isTranslatable() const
{
    const auto& segments = m_processor.segments;
    return m_processor.protectedMode() && !m_processor.virtual8086() && m_processor.code32() && m_processor.stack32()
        && segments[Cs].flatReadable && segments[Ds].flatWritable && segments[Es].flatWritable
        && segments[Ss].flatWritable;
}

uint32_t Translator::modeNow() const
{
    return (m_processor.cpl == 3 ? unit_mode::user : 0)
        | (isWhole(m_processor.segments[Fs].state) ? unit_mode::fsIsWhole : 0)
        | (isWhole(m_processor.segments[Gs].state) ? unit_mode::gsIsWhole : 0) | floatingPointModeOf(m_processor);
}

// The keys of the jump table say under which mapping and mode they hold, so that most changes need no clearing.
void Translator::setContext()
{
    m_mode = modeNow();
    const uint64_t context = m_processor.memory.fetchGeneration() << 4 | m_mode >> 1;
    if (context >> 32 != m_contextEpoch) {
        m_contextEpoch = context >> 32;
        std::ranges::fill(m_jumps, JumpEntry {});
    }
    m_frame.context = context << 32;
}

Accelerator::Outcome Translator::run()
{
    m_linkWaits = false;
    for (;;) {
        if (!isTranslatable())
            return Outcome::Interpret;
        setContext();
        const uint8_t* code = findCode();
        if (!code)
            return Outcome::Interpret;
        m_thunks.enter(
            &m_frame, &m_processor, code, m_options.lockstep ? m_emptyTable.data() : m_processor.memory.fastEntries());
        m_processor.counters.instructions.add(std::exchange(m_frame.instructions, 0));
        countLeave();
        switch (m_frame.reason) {
        case LeaveReason::Link:
            m_linkWaits = !m_options.lockstep;
            [[fallthrough]];
        case LeaveReason::Lookup:
            if (m_options.lockstep)
                return Outcome::GoOn;
            break;
        case LeaveReason::Handler:
            return Outcome::GoOn;
        case LeaveReason::Attention:
        case LeaveReason::Interpret:
            // Flags that were dead may be old ones still: after the interpreter's block, which replaces them, nobody
            // can see that in an interrupt's frame.
            return Outcome::Interpret;
        case LeaveReason::Fault:
            m_runtime.rethrowOther();
            return Outcome::Faulted;
        }
    }
}

void Translator::countLeave()
{
    VcpuCounters& counters = m_processor.counters;
    switch (m_frame.reason) {
    case LeaveReason::Lookup:
        counters.leavesForLookup.add();
        break;
    case LeaveReason::Link:
        counters.leavesForLink.add();
        break;
    case LeaveReason::Attention:
        counters.leavesForAttention.add();
        break;
    case LeaveReason::Interpret:
        counters.leavesForInterpreter.add();
        break;
    case LeaveReason::Handler:
        counters.leavesAfterHandler.add();
        break;
    case LeaveReason::Fault:
        counters.leavesForFault.add();
        break;
    }
}

// Where the processor goes on, in the executable view; nothing where that is to be interpreted.
const uint8_t* Translator::findCode()
{
    const uint32_t linear = m_processor.nextEip; // CS is flat
    m_processor.eip = linear; // where a fault of the fetch is
    JumpEntry& entry = m_jumps[linear % m_jumps.size()];
    const uint64_t key = m_frame.context | linear;
    if (entry.key == key && !m_linkWaits && !m_options.lockstep)
        return entry.code;
    const TranslatedUnit* unit = findUnit(linear);
    if (!unit)
        return nullptr;
    if (m_linkWaits)
        link(*unit);
    const uint8_t* code = m_region->executable(unit->entry);
    if (!m_options.lockstep)
        entry = { key, code };
    return code;
}

TranslatedUnit* Translator::findUnit(uint32_t linear)
{
    const PhysicalAddress physical = m_processor.memory.translateFetch(linear);
    if (!m_memory.pageHost(physical))
        return nullptr;
    if (TranslatedUnit* unit = m_units.find(physical, linear, m_mode))
        return unit;
    return isHot(physical) ? translate(linear, physical) : nullptr;
}

bool Translator::isHot(PhysicalAddress physical)
{
    uint8_t& heat = m_heat[(physical ^ physical >> 16) % m_heat.size()];
    if (heat + 1u < m_options.hotAfter) {
        ++heat;
        return false;
    }
    heat = 0;
    return true;
}

void Translator::link(const TranslatedUnit& unit)
{
    m_linkWaits = false;
    const bool forward = m_frame.link & 1;
    patchJump(m_region->writable() + (m_frame.link >> 1), forward ? unit.uncheckedEntry : unit.entry);
}

// distance: the four bytes after the opcode of a near jump.
void Translator::patchJump(uint8_t* distance, const uint8_t* target)
{
    const auto value = static_cast<int32_t>(target - (distance + 4));
    std::memcpy(distance, &value, sizeof value);
}

// -- translating
// -------------------------------------------------------------------------------------------------------

TranslatedUnit* Translator::translate(uint32_t linear, PhysicalAddress physical)
{
    if (m_assembler->getSize() + roomForUnit > m_region->size())
        m_codeCache.dropAll(); // a new generation; nothing translated runs meanwhile
    const auto guest = m_collector.collect(
        linear, physical, m_mode, { m_options.longestUnit, m_options.lockstep, m_options.exactFlags });
    if (!guest)
        return nullptr;
    if (m_options.lockstep && !guest->steps.front().native)
        return nullptr;
    const size_t before = m_assembler->getSize();
    const ProcessorOffsets offsets = ProcessorOffsets::of(m_processor);
    UnitEmitter emitter({ *m_assembler, *m_region, m_thunks, *m_memoryForm, offsets, m_units, m_jumps.data() }, *guest);
    TranslatedUnit& unit = m_units.add(emitter.emit());
    VcpuCounters& counters = m_processor.counters;
    counters.unitsTranslated.add();
    counters.instructionsTranslated.add(guest->steps.size());
    counters.codeBytesEmitted.add(m_assembler->getSize() - before);
    return &unit;
}

std::optional<Translator::EmittedCode> Translator::codeAt(uint32_t linear)
{
    m_mode = modeNow();
    const TranslatedUnit* unit = m_units.find(m_processor.memory.translateFetch(linear), linear, m_mode);
    if (!unit)
        return {};
    return EmittedCode { m_region->executable(unit->entry), m_region->executable(unit->deadEntry) };
}

// -- stores into code
// --------------------------------------------------------------------------------------------------

// Whoever still jumps to a unit that is gone finds there the way to what has taken its place.
void Translator::codeWritten(PhysicalAddress physical, uint64_t size)
{
    m_units.drop(physical, size, [this](TranslatedUnit& unit) {
        constexpr uint8_t nearJump = 0xe9;
        for (uint8_t* entry : { unit.entry, unit.uncheckedEntry }) {
            *entry = nearJump;
            patchJump(entry + 1, unit.deadEntry);
        }
        JumpEntry& jump = m_jumps[unit.linear % m_jumps.size()];
        if (jump.code == m_region->executable(unit.entry))
            jump = {};
        m_processor.counters.unitsDropped.add();
        m_processor.leaveBlock = true; // the unit that runs may be among them
    });
}

void Translator::dropAllCode()
{
    m_units.clear();
    std::ranges::fill(m_jumps, JumpEntry {});
    m_assembler->setSize(m_thunkBytes);
    m_linkWaits = false;
}

} // namespace namsan
