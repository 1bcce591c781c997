// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/motherboard.h"

#include <fmt/format.h>

#include <array>
#include <span>
#include <string>

namespace namsan {

Held::~Held()
{
    if (m_guard.owns_lock())
        m_board->leave(m_guard);
}

Motherboard::Motherboard(GuestMemory& memory, const Clock& clock)
    : m_memory(memory)
    , m_timers(clock)
{
}

void Motherboard::wakeWhenLeft(BoardSleeper& sleeper)
{
    if (!std::exchange(sleeper.m_called, true))
        m_toWake.push_back(&sleeper);
}

void Motherboard::leave(std::unique_lock<std::mutex>& guard)
{
    // Copied, since the list is another thread's as soon as the lock is free.
    std::array<BoardSleeper*, wokenAtOnce> sleepers;
    size_t count = 0;
    for (; count < sleepers.size() && !m_toWake.empty(); ++count) {
        sleepers[count] = m_toWake.back();
        m_toWake.pop_back();
        sleepers[count]->m_called = false;
    }
    const bool more = !m_toWake.empty();
    guard.unlock();
    for (BoardSleeper* sleeper : std::span(sleepers).first(count))
        sleeper->wakeUp();
    if (more)
        enter(); // and leaves again
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
