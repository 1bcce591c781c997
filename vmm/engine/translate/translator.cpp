// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/translator.h"

#include "vmm/engine/interpret/descriptor.h"
#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/translate/assembler.h"
#include "vmm/engine/translate/fault_redirection.h"
#include "vmm/engine/translate/floating_point_operations.h"
#include "vmm/engine/translate/native_operations.h"
#include "vmm/engine/translate/unit_emitter.h"

#include <algorithm>
#include <chrono>
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

bool hostHasBmi2()
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1 << 8);
}

Result<void> hostServes()
{
    if (!hostHasLahf())
        return Error { "This host's processor lacks LAHF in 64-bit mode, which translated code needs. Choose the "
                       "engine soft:interpreter." };
    return {};
}

TranslatorOptions withConsequences(TranslatorOptions options)
{
    options.unitByUnit |= options.lockstep;
    return options;
}

uint32_t pageBehind(uint32_t linear)
{
    return (linear | (GuestMemory::pageSize - 1)) + 1;
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
    if (auto possible = hostServes(); !possible)
        return possible.error();
    auto region = CodeRegion::create(options.codeBytes);
    if (!region)
        return region.error();
    if (options.flat) {
        if (auto possible = canBeFlat(); !possible)
            return possible.error();
        const size_t tableBytes = LinearMemory::flatTableBytes / processor.place.count;
        if (auto started = processor.memory.startFlat(tableBytes); !started)
            return started.error();
    }
    return std::unique_ptr<Translator>(
        new Translator(processor, memory, codeCache, decoder, attention, options, std::move(*region)));
}

Result<void> Translator::isPossible()
{
    if (auto possible = hostServes(); !possible)
        return possible.error();
    if (auto region = CodeRegion::create(TranslatorOptions {}.codeBytes); !region)
        return region.error();
    return {};
}

Result<void> Translator::canBeFlat()
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return Error { "A build with sanitizers answers faults itself." };
#endif
    if (!hostHasBmi2())
        return Error { "This host's processor has no BMI2." };
    if (!FaultRedirection::install())
        return Error { "The host lets nobody answer faults." };
    return {};
}

Translator::Translator(Processor& processor, GuestMemory& memory, CodeCache& codeCache, const Decoder& decoder,
    const Attention& attention, const TranslatorOptions& options, std::unique_ptr<CodeRegion> region)
    : m_processor(processor)
    , m_memory(memory)
    , m_codeCache(codeCache)
    , m_options(withConsequences(options))
    , m_units(memory, !processor.isOneOfSeveral())
    , m_runtime(processor, memory, m_units, m_faultSites)
    , m_collector(memory, codeCache, decoder)
    , m_region(std::move(region))
    , m_faultSites(*m_region)
    , m_assembler(std::make_unique<Assembler>(m_region->size(), m_region->writable()))
    , m_memoryForm(options.flat ? makeFlatForm(processor.memory.flatPagesStay()) : makeTlbForm())
    , m_thunks(emitThunks(*m_assembler, *m_region, processor, *m_memoryForm))
    , m_parts(m_region->size(), m_assembler->getSize(), roomForUnit)
    , m_heat(heatCount)
{
    m_faultSites.beginPart(0, static_cast<uint32_t>(m_parts.beginOf(0)));
    m_frame.attention = &attention.word();
    m_frame.runtime = &m_runtime;
    m_emitter = std::make_unique<UnitEmitter>(UnitEmitter::Surroundings { *m_assembler, m_thunks, *m_memoryForm,
        ProcessorOffsets::of(processor), m_units, m_faultSites, options.keepsBases });
    m_runtime.setRules(*this);
    if (options.flat) {
        m_runtime.useFlatTables();
        m_faultSites.setLookupEmitter(*this);
        m_frame.hole = processor.memory.flatHole();
    }
    if (options.flat && options.lockstep)
        processor.memory.noteFlatWrites();
    if (options.lockstep && !options.flat)
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
        && segments[Ss].flatWritable && !m_processor.memory.looksCloser();
}

uint32_t Translator::modeNow() const
{
    return (m_processor.cpl == 3 ? unit_mode::user : 0)
        | (isWhole(m_processor.segments[Fs].state) ? unit_mode::fsIsWhole : 0)
        | (isWhole(m_processor.segments[Gs].state) ? unit_mode::gsIsWhole : 0) | floatingPointModeOf(m_processor)
        | (m_processor.isOneOfSeveral() ? unit_mode::oneOfSeveral : 0);
}

// The keys of the jump table say under which mapping and mode they hold, so that most changes need no clearing.
void Translator::setContext()
{
    m_mode = modeNow();
    // User and system have fetch generations of their own.
    constexpr uint32_t changing
        = unit_mode::fsIsWhole | unit_mode::gsIsWhole | unit_mode::x87IsNative | unit_mode::sseIsNative;
    const uint64_t context = m_processor.memory.fetchGeneration() << 4 | (m_mode & changing) >> 1;
    if (context >> 32 != m_contextEpoch) {
        m_contextEpoch = context >> 32;
        m_frame.jumps.fill({});
    }
    m_frame.context = context << 32;
}

const void* Translator::tables()
{
    LinearMemory& memory = m_processor.memory;
    if (m_options.flat)
        return m_memoryForm->tableRegister(memory.flatViews());
    return m_memoryForm->tableRegister(m_options.lockstep ? m_emptyTable.data() : memory.fastEntries());
}

Accelerator::Outcome Translator::run()
{
    const FaultRedirection redirection(*m_region, m_faultSites, m_processor.counters.accessFaults);
    m_linkWaits = false;
    for (;;) {
        if (!isTranslatable())
            return Outcome::Interpret;
        setContext();
        if (m_lastPageFault)
            expectAccessAgain();
        const uint8_t* code = findCode();
        if (!code)
            return Outcome::Interpret;
        m_thunks.enter(&m_frame, &m_processor, code, tables());
        m_processor.counters.instructions.add(std::exchange(m_frame.instructions, 0));
        countLeave();
        switch (m_frame.reason) {
        case LeaveReason::Dropped:
            m_frame.jumpOf(m_processor.nextEip) = {};
            break;
        case LeaveReason::Link:
            m_linkWaits = !m_options.unitByUnit;
            [[fallthrough]];
        case LeaveReason::Lookup:
            if (m_options.unitByUnit)
                return Outcome::GoOn;
            break;
        case LeaveReason::Handler:
            return Outcome::GoOn;
        case LeaveReason::Attention:
        case LeaveReason::Interpret:
            // Flags that were dead may be old ones still. The interpreter's block replaces most of them; in an
            // interrupt's frame, as in a fault's, there may be old values of flags that nobody asks for any more.
            return Outcome::Interpret;
        case LeaveReason::Fault:
            m_runtime.rethrowOther();
            noteFault();
            return Outcome::Faulted;
        }
    }
}

void Translator::noteFault()
{
    if (m_options.flat && m_runtime.leftWith(Exception::PageFault))
        m_lastPageFault = { m_processor.eip, m_processor.cr2 };
}

// The guest comes back to the instruction that faulted, most likely because the page is there now: it need not fault on
// the host first.
void Translator::expectAccessAgain()
{
    if (m_processor.nextEip != m_lastPageFault->eip)
        return;
    m_processor.memory.enterFlatEarly(m_lastPageFault->linear);
    m_lastPageFault.reset();
}

void Translator::countLeave()
{
    VcpuCounters& counters = m_processor.counters;
    switch (m_frame.reason) {
    case LeaveReason::Lookup:
    case LeaveReason::Dropped:
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
    JumpEntry& entry = m_frame.jumpOf(linear);
    const uint64_t key = m_frame.context | linear;
    if (entry.key == key && !m_linkWaits && !m_options.unitByUnit)
        return entry.code;
    const TranslatedUnit* unit = findUnit(linear);
    if (!unit)
        return nullptr;
    if (m_linkWaits)
        link(*unit);
    const uint8_t* code = m_region->executable(unit->tableEntry);
    if (!m_options.unitByUnit)
        entry = { key, code };
    return code;
}

TranslatedUnit* Translator::findUnit(uint32_t linear)
{
    const PhysicalAddress physical = m_processor.memory.translateFetch(linear);
    if (!m_memory.pageHost(physical))
        return nullptr;
    if (TranslatedUnit* unit = m_units.find(physical, m_mode)) {
        if (!unit->servesAt(linear))
            shareCodeOf(physical);
        else if (!unit->secondPage || stillStraddles(*unit, linear))
            return unit;
        else
            codeWritten(physical, 1); // another page follows now
    }
    return isHot(physical) ? translate(linear, physical) : nullptr;
}

// The walk may set an accessed bit that is code.
bool Translator::stillStraddles(const TranslatedUnit& unit, uint32_t linear)
{
    return m_processor.memory.translateFetch(pageBehind(linear)) == *unit.secondPage && !unit.dropped;
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
    const uint32_t kind = m_frame.link & ((1u << link_kind::bits) - 1);
    if (unit.servesAnyPage() != ((kind & link_kind::fromAnyPage) != 0))
        return; // the unit that jumps is no more
    // The page behind may be mapped otherwise while the unit that jumps stays as it is: by way of the jump table, which
    // knows.
    const uint8_t* target = unit.secondPage ? unit.deadEntry
        : kind & link_kind::forward         ? unit.uncheckedEntry
                                            : unit.entry;
    constexpr uint8_t nearJump = 0xe9;
    const uint32_t place = (m_frame.link >> link_kind::bits) - static_cast<uint32_t>(sizeof(uint32_t));
    uint8_t* distance = m_region->writable() + place;
    distance[-1] = nearJump;
    patchJump(distance, target);
    const size_t part = m_parts.partOf(static_cast<size_t>(target - m_region->writable()));
    if (m_parts.partOf(place) != part)
        m_linksInto[part].push_back({ place, kind });
}

// Nothing translated runs meanwhile.
void Translator::beginNextPart()
{
    m_parts.advance();
    const size_t part = m_parts.current();
    const size_t begin = m_parts.beginOf(part);
    m_assembler->setSize(begin);
    if (m_units.beginPart(part))
        m_processor.counters.codePartsEmptied.add();
    m_faultSites.beginPart(part, static_cast<uint32_t>(begin));
    forgetLinks(part);
    if (m_linkWaits && m_parts.partOf(m_frame.link >> link_kind::bits) == part)
        m_linkWaits = false;
    const uint8_t* executable = m_region->executable(m_region->writable());
    for (JumpEntry& entry : m_frame.jumps)
        if (entry.code && m_parts.partOf(static_cast<size_t>(entry.code - executable)) == part)
            entry = {};
}

// Jumps that have led there ask again.
void Translator::forgetLinks(size_t part)
{
    constexpr uint8_t nearCall = 0xe8;
    for (const Link& link : m_linksInto[part]) {
        uint8_t* distance = m_region->writable() + link.place;
        distance[-1] = nearCall;
        patchJump(distance, m_thunks.link[link.kind]);
    }
    m_linksInto[part].clear();
    for (auto& links : m_linksInto)
        std::erase_if(links, [this, part](const Link& link) { return m_parts.partOf(link.place) == part; });
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
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    if (m_assembler->getSize() + roomForUnit > m_parts.end())
        beginNextPart();
    if (!m_units.servesAt(physical, linear))
        shareCodeOf(physical);
    const GuestUnit* guest = collect(linear, physical);
    if (!guest)
        return nullptr;
    if (m_options.unitByUnit && !guest->steps.front().native)
        return nullptr;
    const size_t before = m_assembler->getSize();
    m_region->prepare(before + roomForUnit);
    TranslatedUnit& unit = m_units.add(m_emitter->emit(*guest));
    VcpuCounters& counters = m_processor.counters;
    counters.unitsTranslated.add();
    counters.instructionsTranslated.add(guest->steps.size());
    counters.codeBytesEmitted.add(m_assembler->getSize() - before);
    // Where it seems longer, the host gave this CPU to others meanwhile.
    constexpr std::chrono::nanoseconds longest = std::chrono::microseconds(100);
    const auto taken = std::min<std::chrono::nanoseconds>(Clock::now() - begin, longest);
    counters.translatingNanoseconds.add(static_cast<uint64_t>(taken.count()));
    return &unit;
}

// The same code at a second linear page. Most code is only ever found at one, so what knows that one is made first: it
// is faster. Libraries are elsewhere in each process.
void Translator::shareCodeOf(PhysicalAddress physical)
{
    const PhysicalAddress page = physical - physical % GuestMemory::pageSize;
    codeWritten(page, GuestMemory::pageSize);
    m_units.share(page);
    m_processor.counters.codePagesShared.add();
}

// Where an instruction runs over the page's end, the next page is fetched from, too, and that may fault.
const GuestUnit* Translator::collect(uint32_t linear, PhysicalAddress physical)
{
    if (!m_codeCache.settle(physical))
        return nullptr;
    const bool anyPage = m_options.anyPageAtOnce || m_units.isShared(physical);
    const uint32_t inUnit = anyPage ? linear % GuestMemory::pageSize : linear;
    const uint32_t mode = m_mode | (anyPage ? unit_mode::anyPage : 0);
    const UnitCollector::Rules rules { m_options.longestUnit, m_options.unitByUnit, m_options.exactFlags };
    if (!m_collector.straddles(physical))
        return m_collector.collect(inUnit, physical, mode, rules);
    const PhysicalAddress secondPage = m_processor.memory.translateFetch(pageBehind(linear));
    if (!m_memory.pageHost(secondPage) || !m_codeCache.settle(secondPage))
        return nullptr;
    return m_collector.collectStraddling(inUnit, physical, secondPage, mode, rules);
}

// Called from within translated code, which stays where it is: this goes behind all of it.
std::optional<uint32_t> Translator::emitAskingLookup(const FaultSites::Site& site)
{
    constexpr size_t room = 256; // bytes
    Assembler& a = *m_assembler;
    if (a.getSize() + room > m_parts.end())
        return {};
    a.align(16);
    const uint8_t* start = a.getCurr();
    const uint8_t* executableBegin = m_region->executable(m_region->writable());
    const MemoryAccess view = site.writes || site.byWrites ? MemoryAccess::Write : MemoryAccess::Read;
    m_memoryForm->emitCrossingLookup(
        a, view, site.host, site.size, m_region->executable(start), executableBegin + site.slow);
    if (site.isKept) {
        const Xbyak::Reg64 kept(site.host);
        a.lea(kept, a.ptr[kept + register_map::address64]);
    }
    a.jmp(m_region->writable() + site.begin, Assembler::T_NEAR);
    m_processor.counters.codeBytesEmitted.add(static_cast<size_t>(a.getCurr() - start));
    return static_cast<uint32_t>(start - m_region->writable());
}

// Called from within translated code, too, at the instruction at Processor::eip. Its unit goes on until it ends.
void Translator::keepNoMore(const FaultSites::Site&)
{
    try {
        const PhysicalAddress instruction = m_processor.memory.translateFetch(m_processor.eip);
        m_emitter->keepNoMore(instruction, m_mode);
        m_processor.counters.basesKeptNoMore.add();
        const bool isShared = m_units.isShared(instruction);
        codeWritten(instruction, 1);
        if (isShared) // still, though there may be no unit for now
            m_units.share(instruction);
    } catch (const Fault&) {
        // What runs is no longer what is mapped there.
    }
}

std::optional<Translator::EmittedCode> Translator::codeAt(uint32_t linear)
{
    m_mode = modeNow();
    const TranslatedUnit* unit = m_units.find(m_processor.memory.translateFetch(linear), m_mode);
    if (!unit || !unit->servesAt(linear))
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
        if (unit.servesAnyPage()) {
            *unit.tableEntry = nearJump;
            patchJump(unit.tableEntry + 1, m_thunks.leaveDropped);
        } else if (m_frame.jumpOf(unit.linear).code == m_region->executable(unit.tableEntry)) {
            m_frame.jumpOf(unit.linear) = {};
        }
        m_processor.counters.unitsDropped.add();
        m_processor.leaveBlock = true; // the unit that runs may be among them
    });
}

void Translator::dropAllCode()
{
    m_units.clear();
    m_faultSites.clear();
    m_emitter->forgetKeptNoMore();
    m_frame.jumps.fill({});
    m_parts.restart();
    m_faultSites.beginPart(0, static_cast<uint32_t>(m_parts.beginOf(0)));
    m_linksInto.fill({});
    m_assembler->setSize(m_parts.beginOf(0));
    m_linkWaits = false;
}

} // namespace namsan
