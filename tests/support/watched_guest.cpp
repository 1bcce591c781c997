// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/watched_guest.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace namsan {

using SteadyClock = std::chrono::steady_clock;

WatchedGuest::WatchedGuest(const MachineConfig& config, std::chrono::seconds patience)
    : m_patience(patience)
{
    auto made = Machine::create(config, this);
    if (!made) {
        ADD_FAILURE() << made.error().message;
        return;
    }
    m_machine = std::move(*made);
    m_screen = &m_machine->addViewer([this] {
        const std::lock_guard guard(m_mutex);
        ++m_frames;
        m_changed.notify_all();
    });
    m_machine->start();
}

WatchedGuest::~WatchedGuest()
{
    m_machine.reset(); // its threads call this object
}

std::string WatchedGuest::serial() const
{
    const std::lock_guard guard(m_mutex);
    return m_serial;
}

bool WatchedGuest::waitForSerial(std::string_view text)
{
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, m_patience, [&] { return m_serial.find(text) != std::string::npos; });
}

bool WatchedGuest::waitForScreen(std::string_view text)
{
    return waitForFrame([&](const Frame& frame) {
        return std::ranges::any_of(
            frame.text, [&](const std::string& line) { return line.find(text) != std::string::npos; });
    });
}

bool WatchedGuest::waitForFrame(const std::function<bool(const Frame&)>& wanted)
{
    const auto deadline = SteadyClock::now() + m_patience;
    while (true) {
        uint64_t seen;
        {
            const std::lock_guard guard(m_mutex);
            seen = m_frames;
        }
        if (const Frame* frame = m_screen->take())
            m_latest = frame;
        if (m_latest && wanted(*m_latest))
            return true;
        std::unique_lock lock(m_mutex);
        if (!m_changed.wait_until(lock, deadline, [&] { return m_frames != seen; }))
            return false;
    }
}

void WatchedGuest::press(HidUsage usage)
{
    m_machine->sendInput(KeyEvent { usage, true });
    m_machine->sendInput(KeyEvent { usage, false });
}

void WatchedGuest::serialOutput(std::span<const uint8_t> bytes)
{
    const std::lock_guard guard(m_mutex);
    m_serial.append(bytes.begin(), bytes.end());
    m_changed.notify_all();
}

} // namespace namsan
