// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

namespace namsan {

// Of each vCPU's share of what there is for translated code.
static constexpr size_t leastCodeBytes = size_t { 64 } << 20;

Result<void> SoftSession::canCompare(size_t vcpus)
{
    if (vcpus == 1)
        return {};
    return Error { "Translator and interpreter are compared with one vCPU only: several never do the same twice. Use "
                   "one vCPU (--vcpus 1), or another engine." };
}

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

// What serves on a small memory may still be refused for this one, for want of addresses.
template <class Start>
Result<std::string> SoftSession::startWith(
    MemoryFormWish wish, TranslatorOptions options, std::string_view name, Start&& start)
{
    MemoryFormChoice choice = chooseMemoryForm(wish);
    if (wish == MemoryFormWish::Flat && !choice.flat)
        return Error { fmt::format("{} Choose memory=tlb.", choice.reason) };
    options.codeBytes = std::max(options.codeBytes / m_vcpus.size(), std::min(options.codeBytes, leastCodeBytes));
    options.flat = choice.flat;
    Result<void> started = start(options);
    if (!started && choice.flat && wish == MemoryFormWish::Best) {
        choice.reason = fmt::format("It compares with tables of its memory (tlb): {}", started.error().message);
        options.flat = false;
        started = start(options);
    }
    if (!started)
        return started.error();
    constexpr std::array<std::string_view, 3> suffixes { "", ",memory=tlb", ",memory=flat" };
    m_engineName
        = fmt::format("{}{}{}", name, suffixes[static_cast<size_t>(wish)], options.keepsBases ? "" : ",bases=unkept");
    return choice.reason;
}

Result<std::string> SoftSession::startTranslator(MemoryFormWish wish, const TranslatorOptions& options)
{
    return startWith(wish, options, "soft:translator", [this](const auto& chosen) -> Result<void> {
        for (const auto& vcpu : m_vcpus) {
            if (auto started = vcpu->startTranslator(chosen); !started) {
                for (const auto& each : m_vcpus)
                    each->stopTranslator(); // all or none
                return started.error();
            }
        }
        return {};
    });
}

Result<std::string> SoftSession::startLockstep(MemoryFormWish wish, const TranslatorOptions& options)
{
    if (auto can = canCompare(m_vcpus.size()); !can)
        return can.error();
    return startWith(
        wish, options, "soft:lockstep", [this](const auto& chosen) { return m_vcpus.front()->startLockstep(chosen); });
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
