// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/interpreter.h"

#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/interpret/interrupt_delivery.h"
#include "vmm/engine/processor_group.h"

#include <utility>

namespace namsan {

namespace {

constexpr uint8_t nmiVector = 2;

// A piece of a repetition leaves EIP at the instruction: not yet one that was carried out.
bool isUnfinished(const Processor& processor, const Instruction& instruction)
{
    return (instruction.rep || instruction.repne) && (instruction.entry->attributes & attribute::repeatable)
        && processor.nextEip == processor.eip;
}

} // namespace

Interpreter::Interpreter(
    Processor& processor, CodeCache& codeCache, Attention& attention, const std::atomic<bool>& a20Open)
    : m_processor(processor)
    , m_codeCache(codeCache)
    , m_attention(attention)
    , m_a20Open(a20Open)
{
    codeCache.setLeaveFlag(processor.leaveBlock);
}

Interpreter::Stop Interpreter::run()
{
    try {
        for (;;) {
            try {
                const Stop stop = runUntilStop();
                m_processor.eip = m_processor.nextEip;
                return stop;
            } catch (const Fault& fault) {
                countUntilFault();
                deliver(fault);
            }
        }
    } catch (const TripleFault&) {
        return Stop::TripleFault;
    }
}

Interpreter::Stop Interpreter::runOne()
{
    m_firstRunning = nullptr;
    try {
        try {
            if (m_pendingEvent)
                deliverPendingEvent();
            else
                runOneInstruction();
        } catch (const Fault& fault) {
            countUntilFault();
            deliver(fault);
        }
        m_processor.eip = m_processor.nextEip;
        takeDebugTrap();
    } catch (const TripleFault&) {
        return Stop::TripleFault;
    }
    m_processor.eip = m_processor.nextEip;
    return m_processor.halted ? Stop::Halted : Stop::Kicked;
}

[[gnu::hot]] Interpreter::Stop Interpreter::runUntilStop()
{
    // A loaded event comes before the first instruction; afterwards there is none, so the loop need not look.
    if (m_pendingEvent)
        if (const std::optional<Stop> stop = takeCare())
            return *stop;
    // What makes an instruction special is brought about by one that leaves its block.
    bool maybeSpecial = true;
    for (;;) {
        if (m_attention.any(m_processor.otherFlags) || (maybeSpecial && isSpecial())) [[unlikely]] {
            if (const std::optional<Stop> stop = takeCare())
                return *stop;
            maybeSpecial = true;
            continue;
        }
        if (m_accelerator && !m_processor.isObserved() && accelerate()) {
            maybeSpecial = true;
            continue;
        }
        const Block& block = findBlock();
        runBlock(block, block.count);
        maybeSpecial = m_processor.leaveBlock;
    }
}

void Interpreter::deliver(const Fault& fault)
{
    m_processor.interruptShadow = false;
    m_processor.trapShadow = false;
    // The instruction was not carried out; if it is restarted, it will hit its breakpoints again.
    m_processor.pendingDebug = 0;
    m_processor.memory.takeWatchHits();
    deliverException(m_processor, fault);
}

// Whether that is all for now: false leaves the next block to this loop.
bool Interpreter::accelerate()
{
    m_firstRunning = nullptr; // faults from there are counted there
    switch (m_accelerator->run()) {
    case Accelerator::Outcome::GoOn:
        return true;
    case Accelerator::Outcome::Interpret:
        return false;
    case Accelerator::Outcome::Faulted:
        if (const std::optional<Fault> fault = m_accelerator->takeFault())
            deliver(*fault);
        return true;
    }
    return false;
}

// Whether the next instruction is to be run alone.
bool Interpreter::mustStep() const
{
    return m_processor.interruptShadow || m_processor.breakpointsArmed
        || (m_processor.otherFlags & (eflags::trap | eflags::resume));
}

// Whether there is more to the next instruction than to carry it out.
bool Interpreter::isSpecial() const
{
    return m_processor.halted || m_processor.waitsForStartUp || m_processor.pendingDebug != 0 || mustStep();
}

// Does what must be done between two instructions, in the order of SDM volume 3, table 6-2; runs one of them where each
// must be looked at.
std::optional<Interpreter::Stop> Interpreter::takeCare()
{
    m_firstRunning = nullptr;
    const uint32_t reasons = m_attention.reasons();
    if (reasons & (Attention::Exclusive | Attention::CodePages | Attention::CodeWritten))
        attendMemory(reasons); // before anything is stored
    if (takeDebugTrap()) // also before a kick: what waits is in no CpuState
        return {};
    if (reasons & Attention::Kick) {
        m_attention.clear(Attention::Kick);
        m_processor.counters.kicks.add();
        return Stop::Kicked;
    }
    if (reasons & Attention::GateA20) {
        m_attention.clear(Attention::GateA20);
        m_processor.memory.setA20(m_a20Open.load());
    }
    if (reasons & (Attention::Initialize | Attention::StartUp))
        takeInitialize(reasons);
    if (m_processor.waitsForStartUp)
        return Stop::Halted;
    m_processor.eip = m_processor.nextEip;
    if (m_pendingEvent) {
        deliverPendingEvent();
        return {};
    }
    if (takeInterrupts(reasons))
        return {};
    if (m_processor.halted)
        return Stop::Halted;
    if (mustStep()) {
        runOneInstruction();
    } else {
        const Block& block = findBlock();
        runBlock(block, block.count);
    }
    return {};
}

void Interpreter::attendMemory(uint32_t reasons)
{
    if (reasons & Attention::CodePages)
        m_group->attendCodePages(m_processor.place.index);
    if (reasons & Attention::CodeWritten) {
        m_attention.clear(Attention::CodeWritten);
        m_codeCache.dropWrittenElsewhere();
    }
    if (reasons & Attention::Exclusive)
        m_group->attendExclusive(m_processor.place.index);
}

// INIT before the SIPI: an INIT that comes after a SIPI takes that back.
void Interpreter::takeInitialize(uint32_t reasons)
{
    if (reasons & Attention::Initialize) {
        m_attention.clear(Attention::Initialize);
        m_pendingEvent.reset();
        m_processor.initialize();
    }
    if (reasons & Attention::StartUp) {
        const uint8_t vector = m_attention.startUpVector();
        m_attention.clear(Attention::StartUp);
        m_processor.startUp(vector);
    }
}

// Whether there was one. In the shadow of MOV SS and POP SS it goes on waiting.
bool Interpreter::takeDebugTrap()
{
    if (m_processor.breakpointsArmed)
        m_processor.pendingDebug |= m_processor.memory.takeWatchHits();
    if (!m_processor.pendingDebug || m_processor.trapShadow) [[likely]]
        return false;
    m_firstRunning = nullptr;
    m_processor.eip = m_processor.nextEip;
    m_processor.dr[6] |= std::exchange(m_processor.pendingDebug, 0);
    m_processor.halted = false;
    deliverException(m_processor, Fault { Exception::Debug, {} });
    // What the delivery itself has hit must not raise the next one: processors are known to hang in that.
    m_processor.memory.takeWatchHits();
    return true;
}

// Intel SDM volume 3, table 6-2: NMI before maskable interrupts; none in the shadow of STI, MOV SS and POP SS.
bool Interpreter::takeInterrupts(uint32_t reasons)
{
    if (m_processor.interruptShadow)
        return false;
    if ((reasons & Attention::Nmi) && !m_processor.nmiBlocked) {
        m_attention.clear(Attention::Nmi);
        m_processor.halted = false;
        m_processor.nmiBlocked = true;
        deliverInterrupt(m_processor, nmiVector);
        return true;
    }
    if (!(reasons & Attention::InterruptRequest))
        return false;
    if (m_processor.otherFlags & eflags::interruptEnable) {
        const uint8_t vector = m_processor.bus.acknowledgeInterrupt();
        m_processor.halted = false;
        m_processor.counters.interrupts.add();
        deliverInterrupt(m_processor, vector);
        return true;
    }
    m_attention.letInterruptWait();
    return false;
}

void Interpreter::deliverPendingEvent()
{
    const PendingEvent event = *std::exchange(m_pendingEvent, {});
    m_processor.halted = false;
    if (event.hasErrorCode)
        deliverException(m_processor, Fault { static_cast<Exception>(event.vector), event.errorCode });
    else
        deliverInterrupt(m_processor, event.vector);
}

const Block& Interpreter::findBlock()
{
    Processor& processor = m_processor;
    const uint32_t eip = processor.nextEip;
    processor.eip = eip; // where a fault of the fetch is
    m_firstRunning = nullptr;
    return m_codeCache.find(
        processor.segments[Cs].state.base + eip, processor.code32(), processor.memory.fetchGeneration());
}

void Interpreter::runBlock(const Block& block, unsigned count)
{
    Processor& processor = m_processor;
    uint32_t eip = processor.nextEip;
    const uint32_t limit = processor.segments[Cs].state.limit;
    if (uint64_t { eip } + block.lastByte > limit) [[unlikely]] {
        // The block runs over the segment's end: one instruction at a time, as long as they fit.
        count = 1;
        if (uint64_t { eip } + block.instructions[0].length - 1 > limit)
            throwGeneralProtection();
    }
    m_codeCache.setRunning(block);
    m_firstRunning = block.instructions;
    m_firstEip = eip;
    m_runningCount = count;
    processor.leaveBlock = false;
    const Instruction* instruction = block.instructions;
    const Instruction* const end = instruction + count;
    do {
        processor.eip = eip;
        eip += instruction->length;
        processor.nextEip = eip;
        instruction->execute(processor, *instruction);
        ++instruction;
    } while (instruction != end && !processor.leaveBlock);

    uint64_t executed = count;
    if (processor.leaveBlock) {
        executed = static_cast<uint64_t>(instruction - block.instructions);
        executed -= isUnfinished(processor, instruction[-1]);
    }
    processor.counters.instructions.add(executed);
}

// A fault before the instruction, with RF as it is. Intel SDM volume 3, 17.3.1.1.
void Interpreter::checkInstructionBreakpoints()
{
    const Processor& processor = m_processor;
    if (!processor.breakpointsArmed || (processor.otherFlags & eflags::resume))
        return;
    const uint32_t linear = processor.segments[Cs].state.base + processor.nextEip;
    const uint32_t hits = instructionBreakpointsAt(processor, linear);
    if (!hits)
        return;
    m_processor.dr[6] |= hits;
    throw Fault { Exception::Debug, {} };
}

void Interpreter::runOneInstruction()
{
    Processor& processor = m_processor;
    const bool trap = processor.otherFlags & eflags::trap;
    processor.eip = processor.nextEip;
    m_firstRunning = nullptr;
    checkInstructionBreakpoints();
    const Block& block = findBlock();
    // The shadows last for one instruction, which may cast some of its own; what has waited in them is due now.
    processor.interruptShadow = false;
    processor.trapShadow = false;
    processor.otherFlags &= ~eflags::resume;
    processor.eventDelivered = false;
    runBlock(block, 1);
    if (trap && !processor.eventDelivered && !processor.trapShadow)
        processor.pendingDebug |= dr6::singleStep;
    takeDebugTrap();
}

// The instructions before the one that faulted were carried out.
void Interpreter::countUntilFault()
{
    if (!m_firstRunning)
        return;
    uint64_t executed = 0;
    for (uint32_t eip = m_firstEip; eip != m_processor.eip && executed < m_runningCount; ++executed)
        eip += m_firstRunning[executed].length;
    m_processor.counters.instructions.add(executed);
    m_firstRunning = nullptr;
}

} // namespace namsan
