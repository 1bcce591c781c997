// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/instruction_completer.h"

#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/interpret/model_specific_registers.h"

namespace namsan {

InstructionCompleter::InstructionCompleter(
    GuestMemory& memory, GuestBus& bus, const Clock& clock, const CpuModel& model, VcpuCounters& counters)
    : m_vcpuCounters(counters)
    , m_decoder(model.features())
    , m_processor(memory, bus, clock, model, m_counters)
    , m_codeCache(memory, m_processor.memory, bus, m_decoder, m_counters, m_attention)
    , m_interpreter(m_processor, m_codeCache, m_attention, m_a20Open)
{
}

void InstructionCompleter::connect(const ProcessorPlace& place, ApicRegisters* apic, ProcessorGroup* group)
{
    m_processor.place = place;
    m_processor.apic = apic;
    // Not for decoded code, of which nothing is kept here.
    m_processor.memory.setGroup(group, place.index);
}

bool InstructionCompleter::complete(CpuState& state, bool a20Open)
{
    m_processor.load(state);
    m_processor.memory.setA20(a20Open);
    m_interpreter.setPendingEvent(state.pendingEvent);
    const Interpreter::Stop stop = m_interpreter.runOne();
    // What the guest writes under KVM is not seen here, so nothing decoded may be kept.
    m_codeCache.dropAll();
    addAccesses();
    m_completed.add();
    if (stop == Interpreter::Stop::TripleFault)
        return false;
    const bool nmiPending = state.nmiPending;
    state = m_processor.save();
    state.nmiPending = nmiPending;
    state.pendingEvent = m_interpreter.pendingEvent();
    return true;
}

void InstructionCompleter::addAccesses()
{
    for (Counter VcpuCounters::*counter :
        { &VcpuCounters::portReads, &VcpuCounters::portWrites, &VcpuCounters::mmioReads, &VcpuCounters::mmioWrites }) {
        (m_vcpuCounters.*counter).add((m_counters.*counter).value());
        (m_counters.*counter).add(0 - (m_counters.*counter).value());
    }
}

std::optional<uint64_t> InstructionCompleter::readMsr(uint32_t number) const
{
    try {
        return readModelSpecificRegister(m_processor, number);
    } catch (const Fault&) {
        return {};
    }
}

bool InstructionCompleter::writeMsr(uint32_t number, uint64_t value)
{
    try {
        writeModelSpecificRegister(m_processor, number, value);
        return true;
    } catch (const Fault&) {
        return false;
    }
}

} // namespace namsan
