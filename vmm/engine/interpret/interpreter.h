// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/accelerator.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/engine/interpret/processor.h"

#include <atomic>
#include <cstdint>
#include <optional>

namespace namsan {

class ProcessorGroup;

// The loop that carries out instructions: finds blocks, runs them, delivers what faults, and between blocks takes
// interrupts and looks at what others want. Of one vCPU and its thread.
class Interpreter {
public:
    enum class Stop { Kicked, Halted, TripleFault };

    // a20Open: what the gate says when Attention::GateA20 is raised.
    Interpreter(Processor&, CodeCache&, Attention&, const std::atomic<bool>& a20Open);

    Stop run();

    // Delivers the pending event if there is one, and otherwise carries out one instruction (of a repetition: a piece)
    // with what it raises. Kicked tells that this is done. Looks at nobody's wishes but those for memory: for an engine
    // that needs help with one instruction.
    Stop runOne();

    // Asked to go on before each block, where nothing needs care: there is no TF, no RF, no interrupt shadow, no
    // breakpoint that is enabled, and alignment is not checked (Processor::isObserved()). nullptr for none. Outlives
    // this.
    void setAccelerator(Accelerator* accelerator) { m_accelerator = accelerator; }

    // Where the processor is one of several.
    void setGroup(ProcessorGroup* group) { m_group = group; }

    // Delivered before the next instruction.
    void setPendingEvent(std::optional<PendingEvent> event) { m_pendingEvent = event; }
    const std::optional<PendingEvent>& pendingEvent() const { return m_pendingEvent; }

private:
    Stop runUntilStop();
    bool accelerate();
    void deliver(const Fault&);
    bool isSpecial() const;
    std::optional<Stop> takeCare();
    bool takeDebugTrap();
    void attendMemory(uint32_t reasons);
    void takeInitialize(uint32_t reasons);
    bool takeInterrupts(uint32_t reasons);
    void deliverPendingEvent();
    const Block& findBlock();
    void runBlock(const Block&, unsigned count);
    bool mustStep() const;
    void runOneInstruction();
    void checkInstructionBreakpoints();
    void countUntilFault();

    Processor& m_processor;
    CodeCache& m_codeCache;
    Attention& m_attention;
    const std::atomic<bool>& m_a20Open;
    Accelerator* m_accelerator = nullptr;
    ProcessorGroup* m_group = nullptr;
    std::optional<PendingEvent> m_pendingEvent;
    const Instruction* m_firstRunning = nullptr; // of the block that runs, for counting when it faults
    uint32_t m_firstEip = 0;
    unsigned m_runningCount = 0;
};

} // namespace namsan
