// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/lockstep.h"

#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/interpret/fxsave_image.h"
#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/translate/liveness.h"
#include "vmm/engine/translate/native_operations.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace namsan {

Result<std::unique_ptr<Lockstep>> Lockstep::create(Processor& processor, GuestMemory& memory, CodeCache& codeCache,
    const Decoder& decoder, Attention& attention, TranslatorOptions options)
{
    options.lockstep = true;
    auto translator = Translator::create(processor, memory, codeCache, decoder, attention, options);
    if (!translator)
        return translator.error();
    std::unique_ptr<Lockstep> lockstep(new Lockstep(processor, memory, codeCache, attention));
    lockstep->m_translator = std::move(*translator);
    lockstep->m_flat = options.flat;
    lockstep->m_exactFlags = options.exactFlags;
    lockstep->m_translator->runtime().setObserver(lockstep.get());
    return lockstep;
}

// Devices must not see an access twice, and what crosses a page end is two writes: both are for the interpreter alone.
bool Lockstep::aboutToAccess(uint32_t linear, unsigned size, bool write)
{
    if (linear % GuestMemory::pageSize + size > GuestMemory::pageSize)
        return false;
    LinearMemory& memory = m_processor.memory;
    const PhysicalAddress physical = write ? memory.translateWrite(linear) : memory.translateRead(linear);
    uint8_t* host = m_memory.host(physical);
    if (!host)
        return false;
    if (write)
        notePage(m_memory.pageHost(physical));
    return true;
}

void Lockstep::notePage(uint8_t* host)
{
    for (size_t n = 0; n < m_usedPages; ++n)
        if (m_pages[n]->host == host)
            return;
    if (m_usedPages == m_pages.size())
        m_pages.push_back(std::make_unique<Page>());
    Page& page = *m_pages[m_usedPages++];
    page.host = host;
    std::memcpy(page.before.data(), host, page.before.size());
}

// As far as that sets no bit in the page tables.
void Lockstep::letStackBeWritten()
{
    LinearMemory& memory = m_processor.memory;
    memory.flatTables().takeWritesBack(); // where the unit before ended by a fault of its fetch
    const uint32_t linear = m_processor.gpr[Esp] - 4;
    memory.enterFlat(linear, true);
    if (memory.flatTables().holds(linear, m_processor.cpl == 3, true))
        notePage(m_memory.pageHost(memory.translateWrite(linear)));
}

Lockstep::Registers Lockstep::registers() const
{
    return { m_processor.gpr, m_processor.nextEip, m_processor.arithmeticFlags, m_processor.otherFlags,
        m_processor.fxsave };
}

void Lockstep::putBack(const Registers& registers)
{
    m_processor.gpr = registers.gpr;
    m_processor.nextEip = registers.nextEip;
    m_processor.eip = registers.nextEip;
    m_processor.arithmeticFlags = registers.arithmeticFlags;
    m_processor.otherFlags = registers.otherFlags;
    m_processor.fxsave = registers.fxsave;
}

Accelerator::Outcome Lockstep::run()
{
    const Registers before = registers();
    const uint64_t countBefore = m_processor.counters.instructions.value();
    const uint64_t missesBefore = m_processor.counters.tlbMisses.value();
    m_usedPages = 0;
    if (m_flat)
        letStackBeWritten();
    const Outcome outcome = m_translator->run();
    if (m_flat)
        m_processor.memory.flatTables().takeWritesBack();
    const uint64_t count = m_processor.counters.instructions.value() - countBefore;
    if (count == 0 && outcome != Outcome::Faulted)
        return outcome;

    Registers translated = registers();
    const uint32_t faultEip = m_processor.eip;
    const std::optional<Fault> fault = m_translator->takeFault();
    for (size_t n = 0; n < m_usedPages; ++n) {
        Page& page = *m_pages[n];
        std::memcpy(page.translated.data(), page.host, page.before.size());
        std::memcpy(page.host, page.before.data(), page.before.size());
    }
    // Bits that were set in page tables meanwhile may be among what was put back: they are set again where needed.
    if (m_processor.counters.tlbMisses.value() != missesBefore)
        m_processor.memory.flushAll();
    putBack(before);
    m_unitEip = before.nextEip;
    interpret(count);
    m_compared += count;
    m_processor.counters.instructionsCompared.add(count);
    if (outcome == Outcome::Faulted) {
        translated.nextEip = faultEip;
        m_fault = fault;
    }
    interpretPartOfRepetition(translated);
    compare(translated);
    if (outcome == Outcome::Faulted)
        m_processor.eip = m_processor.nextEip;
    return outcome;
}

void Lockstep::interpret(uint64_t count)
{
    try {
        for (; count > 0; --count)
            interpretOne();
    } catch (const Fault& fault) {
        report("exception", static_cast<uint64_t>(fault.exception), 0xffffffff);
    }
}

void Lockstep::interpretOne()
{
    Processor& processor = m_processor;
    processor.eip = processor.nextEip;
    const Block& block = m_codeCache.find(processor.eip, processor.code32(), processor.memory.fetchGeneration());
    m_codeCache.setRunning(block);
    processor.nextEip = processor.eip + block.instructions[0].length;
    block.instructions[0].execute(processor, block.instructions[0]);
}

// A repetition that the unit has left in its middle, at a page end for example, is not among the instructions counted.
// The interpreter does as many of its rounds.
void Lockstep::interpretPartOfRepetition(const Registers& translated)
{
    Processor& processor = m_processor;
    const uint32_t rest = translated.gpr[Ecx];
    const uint32_t rounds = processor.gpr[Ecx] - rest;
    if (rounds == 0 || processor.nextEip != translated.nextEip || !isAtRepetition())
        return;
    processor.gpr[Ecx] = rounds;
    const uint32_t eip = processor.nextEip;
    try {
        do
            interpretOne();
        while (processor.nextEip == eip && processor.gpr[Ecx] > 0);
    } catch (const Fault& fault) {
        report("exception", static_cast<uint64_t>(fault.exception), 0xffffffff);
    }
    processor.nextEip = eip;
    processor.gpr[Ecx] += rest;
}

bool Lockstep::isAtRepetition()
{
    try {
        const Block& block
            = m_codeCache.find(m_processor.nextEip, m_processor.code32(), m_processor.memory.fetchGeneration());
        const Instruction& instruction = block.instructions[0];
        return (instruction.rep || instruction.repne) && (instruction.entry->attributes & attribute::repeatable);
    } catch (const Fault&) {
        return false; // it is the fetch that faulted
    }
}

uint32_t Lockstep::flagsToCompare()
{
    if (m_exactFlags)
        return eflags::arithmetic;
    return m_fault ? 0 : liveFlags();
}

// The flags that the code where the unit has ended is sure to ask for.
uint32_t Lockstep::liveFlags()
{
    try {
        const Block& block
            = m_codeCache.find(m_processor.nextEip, m_processor.code32(), m_processor.memory.fetchGeneration());
        uint32_t live = 0;
        for (unsigned n = block.count; n-- > 0;) {
            const Instruction& instruction = block.instructions[n];
            const InstructionEntry& entry = *instruction.entry;
            const bool native = isNative(instruction, 0);
            const FlagEffect effect = flagEffectOf(instruction, native, endsUnit(instruction, native));
            const uint32_t read = entry.flagsRead & effect.read & eflags::arithmetic;
            live = (live & ~(entry.flagsWritten | entry.flagsUndefined)) | read;
        }
        return live;
    } catch (const Fault&) {
        return 0; // not mapped: the next fetch will say so
    }
}

void Lockstep::compare(const Registers& translated)
{
    static constexpr std::array<std::string_view, 8> names { "EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI" };
    for (size_t n = 0; n < names.size(); ++n)
        report(names[n], m_processor.gpr[n], translated.gpr[n]);
    report("EIP", m_processor.nextEip, translated.nextEip);
    const uint32_t live = flagsToCompare();
    report("EFLAGS", host_flags::toEflags(m_processor.arithmeticFlags) & live,
        host_flags::toEflags(translated.arithmeticFlags) & live);
    for (size_t n = 0; n < m_usedPages; ++n)
        comparePage(*m_pages[n]);
    report("EFLAGS, all but the arithmetic flags,", m_processor.otherFlags, translated.otherFlags);
    compareFloatingPoint(translated.fxsave);
    if (!m_difference.empty())
        m_attention.raise(Attention::Kick);
}

void Lockstep::comparePage(const Page& page)
{
    if (std::memcmp(page.host, page.translated.data(), page.before.size()) == 0)
        return;
    for (size_t n = 0; n < page.before.size(); n += sizeof(uint32_t)) {
        uint32_t interpreted = 0;
        uint32_t translated = 0;
        std::memcpy(&interpreted, page.host + n, sizeof interpreted);
        std::memcpy(&translated, page.translated.data() + n, sizeof translated);
        if (interpreted != translated)
            return report(fmt::format("memory (at {:03x} of its page)", n), interpreted, translated);
    }
}

void Lockstep::compareFloatingPoint(const FxsaveArea& translated)
{
    const FxsaveImage& left = imageOf(m_processor.fxsave);
    const FxsaveImage& right = imageOf(translated);
    report("the x87 control word", left.control, right.control);
    // Processors differ in what FCOMI and FCMOV do to C1.
    constexpr uint16_t status = static_cast<uint16_t>(~x87_status::c1);
    report("the x87 status word", left.status & status, right.status & status);
    report("the x87 tags", left.validTags, right.validTags);
    report("the x87 opcode", left.opcode, right.opcode);
    report("the x87 instruction offset", left.instructionOffset, right.instructionOffset);
    report("the x87 code segment", left.codeSegment, right.codeSegment);
    report("the x87 data offset", left.dataOffset, right.dataOffset);
    report("the x87 data segment", left.dataSegment, right.dataSegment);
    report("MXCSR", left.mxcsr, right.mxcsr);
    for (size_t n = 0; n < left.st.size(); ++n) {
        report("an x87 significand", left.st[n].significand, right.st[n].significand);
        report("an x87 exponent", left.st[n].signExponent, right.st[n].signExponent);
    }
    for (size_t n = 0; n < left.xmm.size(); ++n)
        for (size_t half = 0; half < left.xmm[n].quads.size(); ++half)
            report("an XMM register", left.xmm[n].quads[half], right.xmm[n].quads[half]);
}

void Lockstep::report(std::string_view what, uint64_t interpreted, uint64_t translated)
{
    if (interpreted == translated || !m_difference.empty())
        return;
    m_difference
        = fmt::format("The unit at {:08x} leaves {} as {:08x} where the interpreter says {:08x}; its code:", m_unitEip,
            what, translated, interpreted);
    constexpr uint32_t shown = 64;
    if (const uint8_t* code = m_processor.memory.directRead(m_unitEip, 1))
        for (uint32_t n = 0; n < std::min<uint32_t>(shown, GuestMemory::pageSize - m_unitEip % GuestMemory::pageSize);
             ++n)
            m_difference += fmt::format(" {:02x}", code[n]);
}

} // namespace namsan
