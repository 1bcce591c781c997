// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kick_signal.h"

namespace namsan {

namespace {

void doNothing(int) { }

int takeFreeSignal()
{
    for (int signal = SIGRTMAX; signal >= SIGRTMIN; --signal) {
        struct sigaction present { };
        if (sigaction(signal, nullptr, &present) != 0 || (present.sa_flags & SA_SIGINFO)
            || present.sa_handler != SIG_DFL)
            continue;
        struct sigaction action { };
        action.sa_handler = doNothing;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        if (sigaction(signal, &action, nullptr) == 0)
            return signal;
    }
    return 0;
}

} // namespace

Result<int> kickSignal()
{
    // A signal's handler is the whole process's, so it is chosen once for all VMs.
    static const int signal = takeFreeSignal();
    if (signal == 0)
        return Error { "Every real-time signal of this process is taken, and KVM needs one to be stopped by. Use the "
                       "software CPU (--engine soft)." };
    return signal;
}

KickLine::KickLine(int signal, uint8_t& immediateExit)
    : m_signal(signal)
    , m_immediateExit(immediateExit)
{
}

void KickLine::nudge()
{
    // Where it was set already, somebody else has sent the signal or is about to, or the thread is not in the kernel
    // and will clear it.
    if (m_immediateExit.exchange(1) != 0)
        return;
    const std::lock_guard guard(m_mutex);
    if (m_runner && !pthread_equal(*m_runner, pthread_self()))
        pthread_kill(*m_runner, m_signal);
}

KickLine::Runner::Runner(KickLine& line)
    : m_line(line)
{
    sigset_t kick;
    sigemptyset(&kick);
    sigaddset(&kick, m_line.m_signal);
    pthread_sigmask(SIG_UNBLOCK, &kick, &m_maskBefore);
    const std::lock_guard guard(m_line.m_mutex);
    m_line.m_runner = pthread_self();
}

KickLine::Runner::~Runner()
{
    {
        const std::lock_guard guard(m_line.m_mutex);
        m_line.m_runner.reset();
    }
    pthread_sigmask(SIG_SETMASK, &m_maskBefore, nullptr);
}

} // namespace namsan
