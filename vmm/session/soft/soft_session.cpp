// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_session.h"

#include <fmt/format.h>

#include <array>
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

// What serves on a small memory may still be refused for this one, for want of addresses.
template <class Start>
Result<std::string> SoftSession::startWith(
    MemoryFormWish wish, TranslatorOptions options, std::string_view name, Start&& start)
{
    MemoryFormChoice choice = chooseMemoryForm(wish);
    if (wish == MemoryFormWish::Flat && !choice.flat)
        return Error { fmt::format("{} Choose memory=tlb.", choice.reason) };
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
    m_engineName = fmt::format("{}{}", name, suffixes[static_cast<size_t>(wish)]);
    return choice.reason;
}

Result<std::string> SoftSession::startTranslator(MemoryFormWish wish, const TranslatorOptions& options)
{
    return startWith(
        wish, options, "soft:translator", [this](const auto& chosen) { return m_vcpu.startTranslator(chosen); });
}

Result<std::string> SoftSession::startLockstep(MemoryFormWish wish)
{
    return startWith(wish, {}, "soft:lockstep", [this](const auto& options) { return m_vcpu.startLockstep(options); });
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
