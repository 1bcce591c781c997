// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/motherboard.h"

#include <fmt/format.h>

#include <string>

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
        const std::string_view name = device->name();
        state.putBytes({ reinterpret_cast<const uint8_t*>(name.data()), name.size() });
        state.putBytes(part);
    }
}

Result<void> Motherboard::restore(const Held&, StateReader& state)
{
    constexpr uint64_t longestName = 200;
    constexpr uint64_t largestDeviceState = uint64_t { 64 } << 20;
    for (const auto& device : m_devices) {
        auto savedName = state.takeBytes(longestName);
        if (!savedName)
            return savedName.error();
        if (const std::string saved(savedName->begin(), savedName->end()); saved != device->name())
            return Error { fmt::format(
                "The snapshot has a {} where this machine has a {}. Restore it on a machine that is "
                "configured as the one that was saved.",
                saved, device->name()) };
        auto part = state.takeBytes(largestDeviceState);
        if (!part)
            return part.error();
        StateReader reader(*part);
        if (auto restored = device->restore(reader); !restored)
            return Error { fmt::format("{}: {}", device->name(), restored.error().message) };
        if (!reader.atEnd())
            return StateReader::impossible(device->name());
    }
    return {};
}

} // namespace namsan
