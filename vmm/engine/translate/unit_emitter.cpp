// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/unit_emitter.h"

#include "vmm/engine/translate/floating_point_operations.h"
#include "vmm/engine/translate/native_operations.h"

namespace namsan {

using namespace register_map;

// Adding 127 to 1 overflows, to 0 does not.
UnitEmitter::Snippets::Snippets(const ProcessorOffsets& offsets)
    : entryCheck(makeSnippet([](Assembler& a) {
        a.mov(address64, a.inFrame(offsetof(TranslatedFrame, attention)));
        a.cmp(a.word[address64], 0); // Attention::polled
    }))
    , saveFlags(makeSnippet([&offsets](Assembler& a) {
        a.mov(temporary, a.eax);
        a.lahf();
        a.seto(a.al);
        a.mov(a.inProcessor(offsets.arithmeticFlags), a.ax);
        a.mov(a.eax, temporary);
    }))
    , loadFlags(makeSnippet([&offsets](Assembler& a) {
        a.mov(temporary, a.eax);
        a.movzx(a.eax, a.word[processor + offsets.arithmeticFlags]);
        a.add(a.al, 127);
        a.sahf();
        a.mov(a.eax, temporary);
    }))
    , compareWithTable(makeSnippet(emitCompareWithTable))
    , jumpByTable(makeSnippet(emitJumpByTable))
{
}

UnitEmitter::UnitEmitter(const Surroundings& surroundings)
    : m_assembler(surroundings.assembler)
    , m_thunks(surroundings.thunks)
    , m_memoryForm(surroundings.memoryForm)
    , m_asks(m_memoryForm.asks())
    , m_offsets(surroundings.offsets)
    , m_units(surroundings.units)
    , m_allFaultSites(surroundings.faultSites)
    , m_keepsBases(surroundings.keepsBases && !m_asks)
    , m_snippets(m_offsets)
{
}

TranslatedUnit UnitEmitter::emit(const GuestUnit& unit)
{
    m_unit = &unit;
    m_state = {};
    m_coldPathCount = 0;
    m_faultSites.clear();
    Assembler& a = m_assembler;
    TranslatedUnit result;
    result.physical = m_unit->physical;
    result.linear = m_unit->linear;
    result.mode = m_unit->mode;
    result.ranges = m_unit->ranges;
    result.secondPage = m_unit->secondPage;
    result.rangeInSecondPage = m_unit->rangeInSecondPage;

    JumpLabel attention;
    a.fillTo(16);
    result.tableEntry = const_cast<uint8_t*>(a.getCurr());
    if (servesAnyPage()) {
        a.sub(address, m_unit->linear);
        a.store(framePlace(offsetof(TranslatedFrame, linearPage)), address);
    }
    result.entry = const_cast<uint8_t*>(a.getCurr());
    a.copy(m_snippets.entryCheck);
    a.jumpIf(Condition::NotEqual, attention);
    result.uncheckedEntry = const_cast<uint8_t*>(a.getCurr());

    if (m_keepsBases)
        findBaseUses(*m_unit, m_uses);
    else
        m_uses.assign(m_unit->steps.size(), {});
    m_bases.clear();
    for (const Step& step : m_unit->steps) {
        beginStep(step);
        emitStep(step);
        endStep(step);
    }
    if (!m_unit->steps.back().endsUnit) {
        const auto executed = static_cast<unsigned>(m_unit->steps.size());
        emitExitTo(m_unit->nextEip, m_unit->steps.back().eip, m_unit->liveOut, executed);
    }

    emitColdPaths();
    a.bind(attention);
    emitLinear(address, m_unit->linear);
    a.jumpTo(m_thunks.attention);
    result.deadEntry = const_cast<uint8_t*>(a.getCurr());
    emitLinear(address, m_unit->linear);
    a.jumpTo(m_thunks.lookUp);
    return result;
}

void UnitEmitter::emitColdPaths()
{
    for (size_t n = 0; n < m_coldPathCount; ++n) {
        ColdPath& path = m_coldPaths[n];
        m_assembler.bind(path.start);
        path.begin = here();
        m_state = path.state;
        path.emit(); // may add further ones
    }
    const uint32_t end = m_asks ? 0 : here();
    for (const FaultSite& site : m_faultSites)
        m_allFaultSites.add({ site.lookup, site.begin, site.cold->begin, end, site.eip, site.executedBefore, site.size,
            site.writes, servesAnyPage(), site.host, site.isKept, site.usesKept, site.canAsk, site.byWrites });
}

UnitEmitter::ColdPath& UnitEmitter::addColdPath()
{
    if (m_coldPathCount == m_coldPaths.size())
        m_coldPaths.emplace_back();
    ColdPath& path = m_coldPaths[m_coldPathCount++];
    path.state = m_state;
    path.start = {};
    path.back = {};
    return path;
}

void UnitEmitter::emitStep(const Step& step)
{
    if (!step.native) {
        emitHandler(step);
        return;
    }
    if (isFloatingPoint(step.instruction))
        emitFloatingPoint(step);
    else if ((m_unit->mode & unit_mode::oneOfSeveral) && emitForSeveral(step))
        return;
    else if (!emitSpecial(step))
        emitOrdinary(step);
}

// Those that are not just the guest's own instruction with another operand.
bool UnitEmitter::emitSpecial(const Step& step)
{
    const Instruction& instruction = step.instruction;
    switch (instruction.entry->operation) {
    case Operation::Push:
        emitPush(step);
        return true;
    case Operation::Pop:
        emitPop(step);
        return true;
    case Operation::Leave:
        emitLeave(step);
        return true;
    case Operation::CallRelative:
    case Operation::CallIndirect:
        emitCall(step);
        return true;
    case Operation::JmpRelative:
        emitExitTo(targetOf(step), step.eip, step.liveAtTarget, indexOf(step) + 1);
        return true;
    case Operation::JmpIndirect:
        emitJumpIndirect(step);
        return true;
    case Operation::RetNear:
        emitReturn(step);
        return true;
    case Operation::Jcc:
    case Operation::Loop:
    case Operation::Loope:
    case Operation::Loopne:
    case Operation::Jcxz:
        emitConditionalJump(step);
        return true;
    case Operation::Div:
    case Operation::Idiv:
        emitDivision(step);
        return true;
    case Operation::Xchg:
        emitExchange(step);
        return true;
    case Operation::Nop:
        return true;
    case Operation::Movs:
    case Operation::Stos:
    case Operation::Lods:
    case Operation::Cmps:
    case Operation::Scas:
        emitString(step);
        return true;
    case Operation::Pushf:
        emitPushFlags(step);
        return true;
    case Operation::Popf:
        emitPopFlags(step);
        return true;
    case Operation::Cld:
    case Operation::Cli:
    case Operation::Std:
        saveFlagsIfLive(step.liveIn);
        emitOtherFlag(instruction.entry->operation == Operation::Cli ? eflags::interruptEnable : eflags::direction,
            instruction.entry->operation == Operation::Std);
        return true;
    case Operation::Bt:
    case Operation::Bts:
    case Operation::Btr:
    case Operation::Btc:
        if (!instruction.rmIsMemory || instruction.entry->operands[1] == Operand::Imm8)
            return false;
        emitBitTest(step);
        return true;
    default:
        return false;
    }
}

HandlerSite& UnitEmitter::emitHandler(const Step& step, AfterHandler after)
{
    if (after == AfterHandler::GoOn)
        saveFlagsIfLive(step.liveIn);
    flushX87Pointers();
    const bool leaves = after == AfterHandler::Leave || step.endsUnit;
    HandlerSite& site = m_units.addHandlerSite({ step.instruction, step.eip, indexOf(step), leaves,
        loadsDataSegment(step.instruction), after != AfterHandler::GoOn, servesAnyPage(), {} });
    m_assembler.moveWide(temporary64, reinterpret_cast<uintptr_t>(&site));
    m_assembler.call(m_thunks.runHandler);
    if (after == AfterHandler::GoBack)
        keepFloatingPoint();
    m_state.floatingPointInHost = false;
    m_state.flagsInHost = false;
    m_state.flagsInMemory = true;
    return site;
}

// -- flags ------------------------------------------------------------------------------------------------------------

void UnitEmitter::saveFlags()
{
    m_assembler.copy(m_snippets.saveFlags);
}

void UnitEmitter::saveFlagsIfLive(uint32_t live)
{
    if (!flagsMustBeSaved(live))
        return;
    saveFlags();
    m_state.flagsInMemory = true;
}

void UnitEmitter::loadFlags()
{
    m_assembler.copy(m_snippets.loadFlags);
}

void UnitEmitter::loadFlagsIfLive(uint32_t live)
{
    if (!live || m_state.flagsInHost)
        return;
    loadFlags();
    m_state.flagsInHost = true;
}

void UnitEmitter::noteFlagEffect(const FlagEffect& effect)
{
    if (!effect.changes)
        return;
    m_state.flagsInHost = true;
    m_state.flagsInMemory = false;
}

} // namespace namsan
