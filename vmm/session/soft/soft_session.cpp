// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_session.h"

#include <cassert>

namespace namsan {

namespace {

Result<void> aloneOrError(size_t vcpus)
{
    if (vcpus == 1)
        return {};
    return Error { "The translator serves virtual machines with one vCPU so far. Use the interpreter (--engine "
                   "soft:interpreter), or one vCPU (--vcpus 1)." };
}

} // namespace

SoftSession::SoftSession(GuestMemory& memory, const Clock& clock, const CpuModel& model, GuestBus& bus, unsigned vcpus)
    : m_memory(memory)
    , m_decoder(model.features())
{
    assert(vcpus >= 1 && vcpus <= ProcessorGroup::most);
    if (model.has(Feature::Apic))
        m_apics = std::make_unique<LocalApics>(vcpus,
            LocalApic::Features {
                .x2Apic = model.has(Feature::X2Apic), .tscDeadline = model.has(Feature::TscDeadline) },
            clock);
    if (vcpus > 1)
        m_group = std::make_unique<ProcessorGroup>(memory, vcpus);
    for (unsigned index = 0; index < vcpus; ++index)
        m_vcpus.push_back(std::make_unique<SoftVcpu>(memory, bus, clock, model, m_decoder,
            SoftVcpu::Neighbours { m_apics.get(), m_group.get(), { index, vcpus } }));
    m_memory.setCodeWatcher(this);
}

SoftSession::~SoftSession()
{
    m_memory.setCodeWatcher(nullptr);
}

Result<void> SoftSession::startTranslator()
{
    if (auto alone = aloneOrError(m_vcpus.size()); !alone)
        return alone;
    auto started = m_vcpus.front()->startTranslator();
    if (started)
        m_engineName = "soft:translator";
    return started;
}

Result<void> SoftSession::startLockstep()
{
    if (auto alone = aloneOrError(m_vcpus.size()); !alone)
        return alone;
    auto started = m_vcpus.front()->startLockstep();
    if (started)
        m_engineName = "soft:lockstep";
    return started;
}

void SoftSession::setA20(bool open)
{
    for (const auto& vcpu : m_vcpus)
        vcpu->setA20(open);
}

void SoftSession::codeWritten(PhysicalAddress address, uint64_t size)
{
    if (!m_group) {
        m_vcpus.front()->codeWritten(address, size);
        return;
    }
    // The group thinks in pages, and so does the caller.
    m_group->codeWritten(ProcessorGroup::noProcessor, address, size);
}

} // namespace namsan
