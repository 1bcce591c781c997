// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_vcpu.h"

namespace namsan {

SoftVcpu::SoftVcpu(
    GuestMemory& memory, GuestBus& bus, const Clock& clock, const CpuModel& model, const Decoder& decoder)
    : m_memory(memory)
    , m_decoder(decoder)
    , m_processor(memory, bus, clock, model, m_counters)
    , m_codeCache(memory, m_processor.memory, bus, decoder, m_counters, m_attention)
    , m_interpreter(m_processor, m_codeCache, m_attention, m_a20Open)
{
}

Result<void> SoftVcpu::startTranslator(const TranslatorOptions& options)
{
    auto translator = Translator::create(m_processor, m_memory, m_codeCache, m_decoder, m_attention, options);
    if (!translator)
        return translator.error();
    m_translator = std::move(*translator);
    m_interpreter.setAccelerator(m_translator.get());
    return {};
}

Result<void> SoftVcpu::startLockstep(const TranslatorOptions& options)
{
    auto lockstep = Lockstep::create(m_processor, m_memory, m_codeCache, m_decoder, m_attention, options);
    if (!lockstep)
        return lockstep.error();
    m_lockstep = std::move(*lockstep);
    m_interpreter.setAccelerator(m_lockstep.get());
    return {};
}

VcpuExit SoftVcpu::run()
{
    switch (m_interpreter.run()) {
    case Interpreter::Stop::Kicked:
        if (m_lockstep && !m_lockstep->difference().empty())
            return { VcpuExit::Reason::Failed, m_lockstep->difference() };
        return { VcpuExit::Reason::Kicked, {} };
    case Interpreter::Stop::Halted:
        return { VcpuExit::Reason::Halted, {} };
    case Interpreter::Stop::TripleFault:
        break;
    }
    return { VcpuExit::Reason::TripleFault, {} };
}

void SoftVcpu::setInterruptRequest(bool level)
{
    if (level)
        m_attention.raise(Attention::InterruptRequest);
    else
        m_attention.clear(Attention::InterruptRequest);
}

void SoftVcpu::setA20(bool open)
{
    m_a20Open = open;
    m_attention.raise(Attention::GateA20);
}

CpuState SoftVcpu::save() const
{
    CpuState state = m_processor.save();
    state.nmiPending = m_attention.reasons() & Attention::Nmi;
    state.pendingEvent = m_interpreter.pendingEvent();
    return state;
}

void SoftVcpu::load(const CpuState& state)
{
    m_processor.load(state);
    if (state.nmiPending)
        m_attention.raise(Attention::Nmi);
    else
        m_attention.clear(Attention::Nmi);
    m_interpreter.setPendingEvent(state.pendingEvent);
}

} // namespace namsan
