// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_session.h"

#include <cassert>

namespace namsan {

SoftSession::SoftSession(GuestMemory& memory, const Clock& clock, const CpuModel& model, GuestBus& bus)
    : m_memory(memory)
    , m_decoder(model.features())
    , m_vcpu(memory, bus, clock, model, m_decoder)
{
    m_memory.setCodeWatcher(this);
}

SoftSession::~SoftSession()
{
    m_memory.setCodeWatcher(nullptr);
}

Result<void> SoftSession::startTranslator()
{
    auto started = m_vcpu.startTranslator();
    if (started)
        m_engineName = "soft:translator";
    return started;
}

Result<void> SoftSession::startLockstep()
{
    auto started = m_vcpu.startLockstep();
    if (started)
        m_engineName = "soft:lockstep";
    return started;
}

Vcpu& SoftSession::vcpu([[maybe_unused]] unsigned index)
{
    assert(index == 0);
    return m_vcpu;
}

void SoftSession::codeWritten(PhysicalAddress address, uint64_t size)
{
    m_vcpu.codeWritten(address, size);
}

} // namespace namsan
