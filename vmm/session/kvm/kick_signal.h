// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <atomic>
#include <csignal>
#include <mutex>
#include <optional>
#include <pthread.h>

namespace namsan {

// The signal that gets a thread out of KVM_RUN. It is the highest real-time signal that nothing in the process had a
// handler for when it was first needed, it is only ever sent to a thread that runs a vCPU, and its handler does
// nothing: that a signal came is what ends the kernel's call. So no signal of the program's own is taken from it, and
// other calls that were interrupted go on by themselves (SA_RESTART).
Result<int> kickSignal();

// Gets one vCPU's thread out of the kernel, with no wake-up lost.
//
// nudge() is called after the reason for it was noted. It sets immediate_exit, at which KVM_RUN looks after it has
// begun to notice signals, and then sends the signal. The vCPU's thread clears immediate_exit before it looks at the
// reasons, in this order for all threads (sequentially consistent). So either it sees the reason, or KVM_RUN sees
// immediate_exit, or the signal comes when KVM_RUN already notices it.
class KickLine {
public:
    // immediateExit: kvm_run::immediate_exit of the vCPU, which outlives this.
    KickLine(int signal, uint8_t& immediateExit);

    void nudge(); // any thread; never waits
    void clear() { m_immediateExit.exchange(0); } // the vCPU's thread, before it looks at the reasons
    void leaveAtOnce()
    {
        m_immediateExit.store(1);
    } // the vCPU's thread: the next KVM_RUN only finishes what is pending

    // While this lives its thread is the one that runs the vCPU, and takes the signal.
    class Runner {
    public:
        explicit Runner(KickLine&);
        ~Runner();
        Runner(const Runner&) = delete;
        Runner& operator=(const Runner&) = delete;

    private:
        KickLine& m_line;
        sigset_t m_maskBefore;
    };

private:
    int m_signal;
    std::atomic_ref<uint8_t> m_immediateExit;
    std::mutex m_mutex; // held for a few instructions and the sending only
    std::optional<pthread_t> m_runner;
};

} // namespace namsan
