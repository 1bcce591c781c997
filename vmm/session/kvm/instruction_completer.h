// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/engine/interpret/interpreter.h"
#include "vmm/engine/interpret/processor.h"

#include <atomic>
#include <optional>

namespace namsan {

class ProcessorGroup;

// Carries out with the interpreter what the host's KVM could not: an instruction, or an access to a model-specific
// register. Works in the same memory and on the same bus, and marks what it writes as dirty. Of one vCPU's thread.
class InstructionCompleter {
public:
    // All must outlive this. counters: of the vCPU; accesses to ports and devices are added there.
    InstructionCompleter(GuestMemory&, GuestBus&, const Clock&, const CpuModel&, VcpuCounters& counters);

    // Where there is a local APIC, or several processors. Before anything is completed; both outlive this.
    void connect(const ProcessorPlace& place, ApicRegisters* apic, ProcessorGroup* group);

    // One instruction, or the delivery of the pending event, from that state on. False: it ended in a triple fault,
    // and the state is what it was.
    bool complete(CpuState&, bool a20Open);
    uint64_t completed() const { return m_completed.value(); } // how often that was; any thread

    // Empty: the register is none that the model has, or takes no such value (#GP).
    std::optional<uint64_t> readMsr(uint32_t number) const;
    bool writeMsr(uint32_t number, uint64_t value);

private:
    void addAccesses();

    VcpuCounters& m_vcpuCounters;
    VcpuCounters m_counters; // of what is done here
    Counter m_completed;
    Attention m_attention; // nobody raises anything
    std::atomic<bool> m_a20Open = true;
    Decoder m_decoder;
    Processor m_processor;
    CodeCache m_codeCache;
    Interpreter m_interpreter;
};

} // namespace namsan
