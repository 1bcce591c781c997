// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_vcpu.h"

namespace namsan {

SoftVcpu::SoftVcpu(GuestMemory& memory, GuestBus& board, const Clock& clock, const CpuModel& model,
    const Decoder& decoder, const Neighbours& neighbours)
    : m_memory(memory)
    , m_decoder(decoder)
    , m_neighbours(neighbours)
    , m_bus(board, neighbours.apics, neighbours.group, neighbours.place.index)
    , m_processor(memory, m_bus, clock, model, m_counters)
    , m_codeCache(memory, m_processor.memory, m_bus, decoder, m_counters, m_attention)
    , m_interpreter(m_processor, m_codeCache, m_attention, m_a20Open)
{
    const auto& [apics, group, place] = m_neighbours;
    m_processor.place = place;
    if (apics) {
        m_processor.apic = &m_bus;
        apics->connect(place.index, *this);
    }
    if (group) {
        group->connect(place.index, m_attention, m_codeCache);
        m_processor.memory.setGroup(group, place.index);
        m_codeCache.setGroup(group, place.index);
        m_interpreter.setGroup(group);
    }
    m_processor.load(CpuState::afterReset(model, place.index));
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

void SoftVcpu::stopTranslator()
{
    m_interpreter.setAccelerator(nullptr);
    m_translator.reset();
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
    ProcessorGroup* group = m_neighbours.group;
    if (group)
        group->beginRun(m_neighbours.place.index);
    const Interpreter::Stop stop = m_interpreter.run();
    if (group)
        group->endRun(m_neighbours.place.index);
    switch (stop) {
    case Interpreter::Stop::Kicked:
        if (m_lockstep && !m_lockstep->difference().empty())
            return { VcpuExit::Reason::Failed, m_lockstep->difference() };
        return { VcpuExit::Reason::Kicked, {} };
    case Interpreter::Stop::Halted:
        m_wakers = wakers();
        return { VcpuExit::Reason::Halted, {} };
    case Interpreter::Stop::TripleFault:
        break;
    }
    return { VcpuExit::Reason::TripleFault, {} };
}

uint32_t SoftVcpu::wakers() const
{
    uint32_t reasons = Attention::Kick | Attention::Initialize | Attention::StartUp;
    if (m_processor.waitsForStartUp)
        return reasons;
    if (!m_processor.nmiBlocked)
        reasons |= Attention::Nmi;
    if (m_processor.otherFlags & eflags::interruptEnable)
        reasons |= Attention::InterruptRequest;
    return reasons;
}

void SoftVcpu::setInterruptRequest(bool level)
{
    if (m_neighbours.apics)
        m_neighbours.apics->setLocalInput(m_neighbours.place.index, 0, level);
    else
        setApicRequest(level);
}

void SoftVcpu::raiseNmi()
{
    if (!m_neighbours.apics) {
        m_attention.raise(Attention::Nmi);
        return;
    }
    m_neighbours.apics->setLocalInput(m_neighbours.place.index, 1, true);
    m_neighbours.apics->setLocalInput(m_neighbours.place.index, 1, false);
}

void SoftVcpu::setApicRequest(bool level)
{
    if (level)
        m_attention.raise(Attention::InterruptRequest);
    else
        m_attention.clear(Attention::InterruptRequest);
}

void SoftVcpu::apicInitialize()
{
    m_attention.clear(Attention::StartUp);
    m_attention.raise(Attention::Initialize);
}

// The first one counts: the processor has left the wait when it comes to the second.
void SoftVcpu::apicStartUp(uint8_t vector)
{
    if (!(m_attention.reasons() & Attention::StartUp))
        m_attention.startUp(vector);
}

void SoftVcpu::wake()
{
    if (VcpuSleeper* sleeper = m_sleeper.load())
        sleeper->vcpuHasWork();
}

void SoftVcpu::setA20(bool open)
{
    m_a20Open = open;
    m_attention.raise(Attention::GateA20);
}

CpuState SoftVcpu::save() const
{
    CpuState state = m_processor.save();
    const uint32_t reasons = m_attention.reasons();
    state.nmiPending = reasons & Attention::Nmi;
    state.pendingEvent = m_interpreter.pendingEvent();
    // What was sent and not taken yet has no place of its own.
    if (reasons & Attention::Initialize)
        state.initialize(m_processor.model, m_neighbours.place.index, m_processor.memory.isMemory(CpuState::resetPage));
    if (reasons & Attention::StartUp)
        state.startUp(m_attention.startUpVector());
    if (m_neighbours.apics)
        state.apic = m_neighbours.apics->save(m_neighbours.place.index);
    return state;
}

void SoftVcpu::load(const CpuState& state)
{
    m_processor.load(state);
    m_attention.clear(Attention::Initialize);
    m_attention.clear(Attention::StartUp);
    if (state.nmiPending)
        m_attention.raise(Attention::Nmi);
    else
        m_attention.clear(Attention::Nmi);
    m_interpreter.setPendingEvent(state.pendingEvent);
    if (m_neighbours.apics) {
        m_neighbours.apics->setTscOffset(m_neighbours.place.index, state.tscOffset);
        m_neighbours.apics->load(m_neighbours.place.index, state.apic);
    }
}

} // namespace namsan
