// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/lockstep.h"

#include "vmm/engine/interpret/eflags_access.h"
#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/translate/liveness.h"

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
    return { m_processor.gpr, m_processor.nextEip, m_processor.arithmeticFlags };
}

void Lockstep::putBack(const Registers& registers)
{
    m_processor.gpr = registers.gpr;
    m_processor.nextEip = registers.nextEip;
    m_processor.eip = registers.nextEip;
    m_processor.arithmeticFlags = registers.arithmeticFlags;
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

// The flags that the code where the unit has ended is sure to ask for.
uint32_t Lockstep::liveFlags()
{
    try {
        const Block& block
            = m_codeCache.find(m_processor.nextEip, m_processor.code32(), m_processor.memory.fetchGeneration());
        uint32_t live = 0;
        for (unsigned n = block.count; n-- > 0;) {
            const InstructionEntry& entry = *block.instructions[n].entry;
            const uint32_t read = entry.flagsRead & flagEffectOf(block.instructions[n], 0).read & eflags::arithmetic;
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
    const uint32_t live = m_fault ? 0 : liveFlags();
    report("EFLAGS", host_flags::toEflags(m_processor.arithmeticFlags) & live,
        host_flags::toEflags(translated.arithmeticFlags) & live);
    for (size_t n = 0; n < m_usedPages; ++n)
        comparePage(*m_pages[n]);
    if (!m_difference.empty())
        m_attention.raise(Attention::Kick);
}

void Lockstep::comparePage(const Page& page)
{
    for (size_t n = 0; n < page.before.size(); n += sizeof(uint32_t)) {
        uint32_t interpreted = 0;
        uint32_t translated = 0;
        std::memcpy(&interpreted, page.host + n, sizeof interpreted);
        std::memcpy(&translated, page.translated.data() + n, sizeof translated);
        if (interpreted != translated)
            return report(fmt::format("memory (at {:03x} of its page)", n), interpreted, translated);
    }
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
