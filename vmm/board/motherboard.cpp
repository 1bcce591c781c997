// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/motherboard.h"

#include <fmt/format.h>

namespace namsan {

Motherboard::Motherboard(GuestMemory& memory, const Clock& clock)
    : m_memory(memory)
    , m_timers(clock)
{
}

void Motherboard::reset(const Held&)
{
    for (const auto& device : m_devices)
        device->reset();
}

void Motherboard::save(const Held&, StateWriter& state) const
{
    for (const auto& device : m_devices) {
        Snapshot part;
        StateWriter writer(part);
        device->save(writer);
        state.putBytes(part);
    }
}

Result<void> Motherboard::restore(const Held&, StateReader& state)
{
    constexpr uint64_t largestDeviceState = uint64_t { 64 } << 20;
    for (const auto& device : m_devices) {
        auto part = state.takeBytes(largestDeviceState);
        if (!part)
            return part.error();
        StateReader reader(*part);
        if (auto restored = device->restore(reader); !restored)
            return Error { fmt::format("{}: {}", device->name(), restored.error().message) };
    }
    return {};
}

} // namespace namsan
