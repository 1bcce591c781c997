// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <sys/types.h>

namespace namsan {

// Interrupts KVM_RUN now and then, so that a vCPU whose HLT blocks in the kernel (split irqchip) can be found there:
// nothing else tells. First after a millisecond, then more and more seldom while the guest runs on. Of the vCPU's
// thread.
class HaltWatch {
public:
    explicit HaltWatch(int signal)
        : m_signal(signal)
    {
    }
    ~HaltWatch();
    HaltWatch(const HaltWatch&) = delete;
    HaltWatch& operator=(const HaltWatch&) = delete;

    void begin(); // on the thread that runs the vCPU from now on
    void foundRunning(); // the guest was not halted
    void foundHalted();
    void end();

private:
    static constexpr std::chrono::milliseconds shortest { 1 };
    static constexpr std::chrono::milliseconds longest { 32 };

    void arm(std::chrono::milliseconds period);

    int m_signal;
    std::optional<timer_t> m_timer;
    pid_t m_thread = 0; // whose timer it is
    std::chrono::milliseconds m_period = shortest;
    bool m_armed = false;
};

} // namespace namsan
