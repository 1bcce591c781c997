// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/machine/machine.h"

#include <condition_variable>
#include <functional>
#include <mutex>

namespace namsan {

// A guest that runs in this process, watched through its serial console and its screen. For one thread; what waits
// gives up some time and then returns false.
class WatchedGuest final : private MachineListener {
public:
    // Starts it. Fails the test where it can't be made; then only machineWasMade() may be called.
    explicit WatchedGuest(const MachineConfig&, std::chrono::seconds patience = std::chrono::seconds(60));
    ~WatchedGuest() override;

    bool machineWasMade() const { return m_machine != nullptr; }
    Machine& machine() { return *m_machine; }
    std::string serial() const; // all of it so far

    bool waitForSerial(std::string_view text);
    // A text screen shows the text, or comes to show it.
    bool waitForScreen(std::string_view text);
    // The picture is as wanted, or becomes so.
    bool waitForFrame(const std::function<bool(const Frame&)>& wanted);

    void press(HidUsage);

private:
    void stateChanged(MachineState) override { }
    void rebooted() override { }
    void serialOutput(std::span<const uint8_t>) override;

    const std::chrono::seconds m_patience;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::string m_serial;
    uint64_t m_frames = 0;
    std::unique_ptr<Machine> m_machine;
    FrameMailbox* m_screen = nullptr;
    const Frame* m_latest = nullptr; // the one that was taken last
};

} // namespace namsan
