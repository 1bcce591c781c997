// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_emitter.h"

// Accesses in a form of memory that does not ask, whose base registers' places in the host are kept: see KeptBases.
namespace namsan {

using namespace register_map;

static_assert(hostOfKept.size() == KeptBases::places);

void UnitEmitter::beginStep(const Step& step)
{
    m_keeps = m_keepsBases && useOf(step).keeps;
    m_operand = Assembler::operandPlace();
    if (!m_keeps)
        m_bases.clear();
}

// Accesses have followed already.
void UnitEmitter::endStep(const Step& step)
{
    if (!m_keeps) {
        m_bases.clear();
        return;
    }
    const BaseUse& use = useOf(step);
    if (use.base != Instruction::noRegister)
        return;
    m_bases.follow(step.instruction);
    m_bases.loseAll(use.changed);
}

UnitEmitter::Access UnitEmitter::operandAccess(const Step& step, AccessKind kind) const
{
    const Instruction& instruction = step.instruction;
    const bool plain = instruction.index == Instruction::noRegister && instruction.segment != Fs
        && instruction.segment != Gs && instruction.base != Instruction::noRegister;
    Access access;
    access.kind = kind;
    access.byInstruction = true;
    if (plain)
        access.base = instruction.base;
    access.displacement = instruction.displacement;
    return access;
}

// Where there are many, they are learned anew.
void UnitEmitter::keepNoMore(PhysicalAddress instruction, uint32_t mode)
{
    constexpr size_t most = size_t { 1 } << 14;
    if (m_keptNoMore.size() == most)
        m_keptNoMore.clear();
    m_keptNoMore.insert(keyOf(instruction, mode));
}

bool UnitEmitter::keepsNoMore(PhysicalAddress instruction) const
{
    return !m_keptNoMore.empty() && m_keptNoMore.contains(keyOf(instruction, m_unit->mode));
}

void UnitEmitter::emitAccessAddress(const Step& step, const Access& access)
{
    if (access.byInstruction)
        emitAddress(step.instruction, access.espMoved);
    else if (access.displacement == 0)
        m_assembler.move(address, guest(access.base));
    else
        m_assembler.loadAddress(
            address, { .base = hostOfGuest[access.base], .displacement = static_cast<int32_t>(access.displacement) });
}

// Where what the access finds is to be kept, if that seems worth it.
std::optional<unsigned> UnitEmitter::placeToKeep(const Step& step, const Access& access) const
{
    constexpr int32_t farthest = 2048;
    const BaseUse& use = useOf(step);
    const auto displacement = static_cast<int32_t>(access.displacement);
    if (!m_keeps || access.last || access.base != use.base || use.usesAhead == 0 || displacement > farthest
        || displacement < -farthest)
        return {};
    if (access.base == Esp)
        return KeptBases::ofStack;
    if (m_bases.usesAhead(KeptBases::ofOthers) > use.usesAhead)
        return {};
    return KeptBases::ofOthers;
}

// The way to the operand. What a unit both reads and writes through a base it had better find where both can be done;
// where that cannot be, its sites learn.
Assembler::Place UnitEmitter::emitPlace(const Step& step, const Access& access, FaultSite& site)
{
    Assembler& a = m_assembler;
    const bool writes = access.kind != AccessKind::Read;
    const bool mayUse = m_keeps && !keepsNoMore(m_unit->physical + (step.eip - m_unit->linear));
    if (const auto kept = mayUse ? m_bases.find(access.base, access.displacement, writes) : std::nullopt) {
        m_bases.noteUse(kept->place);
        site.usesKept = true;
        site.canAsk = false;
        site.lookup = this->here();
        return { .base = hostOfKept[kept->place], .displacement = kept->distance };
    }
    if (!access.addressIsThere)
        emitAccessAddress(step, access);
    site.lookup = this->here();
    const auto place = mayUse ? placeToKeep(step, access) : std::nullopt;
    if (!place) {
        site.host = m_bases.isEmpty() || access.last ? number(host) : number(temporary64);
        m_memoryForm.emitLookupInto(a, writes ? MemoryAccess::Write : MemoryAccess::Read, site.host);
        return { .base = site.host, .index = number(address64) };
    }
    const BaseUse& use = useOf(step);
    const bool byWrites = writes || access.base == Esp || use.writesAhead;
    site.byWrites = byWrites;
    site.host = hostOfKept[*place];
    site.isKept = true;
    m_memoryForm.emitLookupInto(a, byWrites ? MemoryAccess::Write : MemoryAccess::Read, site.host);
    a.loadAddressWide(Xbyak::Reg64(site.host), { .base = site.host, .index = number(address64) });
    m_bases.keep(*place, access.base, access.displacement, byWrites, use.usesAhead);
    return { .base = site.host };
}

void UnitEmitter::emitAccess(const Step& step, const Access& access, const Emission& operation)
{
    Assembler& a = m_assembler;
    const bool writes = access.kind != AccessKind::Read;
    if (m_asks) {
        m_operand = Assembler::operandPlace();
        if (!access.addressIsThere)
            emitAccessAddress(step, access);
        if (writes) {
            emitWrite(step, access.size, access.kind == AccessKind::ReadAndWrite, operation);
        } else {
            emitReadLookup(step, access.size);
            operation();
        }
        return;
    }
    ColdPath& cold = addColdPath();
    cold.operation = operation;
    FaultSite site { .lookup = 0,
        .begin = 0,
        .cold = &cold,
        .eip = step.eip,
        .executedBefore = static_cast<uint8_t>(indexOf(step)),
        .size = static_cast<uint8_t>(access.size),
        .writes = writes };
    m_operand = emitPlace(step, access, site);
    site.begin = here();
    const SlowWay slow { m_state.flagsInHost, m_allFaultSites.numberOfNext(m_faultSites.size()) };
    const bool needsAddress = site.usesKept && !access.addressIsThere;
    m_faultSites.push_back(site);
    if (!writes && !site.isKept && site.host == number(host) && !site.usesKept) { // one operation serves both ways
        a.bind(cold.back);
        cold.emit = [this, &cold, slow] {
            emitSlowCall(m_thunks.readSlowly[slow.keepsFlags], slow.site);
            m_assembler.jumpTo(cold.back);
        };
        operation();
        m_bases.follow(step.instruction);
        m_bases.loseAll(useOf(step).changed);
        return;
    }
    operation();
    m_bases.follow(step.instruction);
    m_bases.loseAll(useOf(step).changed);
    a.bind(cold.back);
    if (access.last)
        cold.bases.clear();
    else
        cold.bases = m_bases;
    cold.emit = [this, &step, &cold, access, slow, needsAddress] {
        if (needsAddress)
            emitAccessAddress(step, access);
        emitSlowAccess(step, access, cold, slow);
    };
}

void UnitEmitter::emitSlowAccess(const Step&, const Access& access, ColdPath& cold, SlowWay slow)
{
    const Thunks::SlowAccess& thunk = access.kind == AccessKind::Read ? m_thunks.readSlowly
        : access.kind == AccessKind::ReadAndWrite                     ? m_thunks.readForWriteSlowly
                                                                      : m_thunks.prepareWrite;
    emitSlowCall(thunk[slow.keepsFlags], slow.site);
    m_operand = Assembler::operandPlace();
    cold.operation();
    if (access.kind != AccessKind::Read) {
        m_assembler.call(m_thunks.commitWrite);
        keepFloatingPoint();
    }
    emitBasesAgain(cold.bases);
    m_assembler.jumpTo(cold.back);
}

// Whatever was kept may have changed meanwhile: another processor may have waited for this one to let go of a page.
void UnitEmitter::emitBasesAgain(const KeptBases& bases)
{
    Assembler& a = m_assembler;
    for (unsigned place = 0; place < KeptBases::places; ++place) {
        const auto origin = bases.originOf(place);
        if (!origin)
            continue;
        a.loadAddress(address, { .base = hostOfGuest[origin->base], .displacement = origin->displacement });
        a.call(m_thunks.keepAgain[place][origin->writes]);
    }
}

} // namespace namsan
