// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/ending_signals.h"

#include <ctime>
#include <initializer_list>
#include <sys/signalfd.h>
#include <unistd.h>

namespace namsan {

EndingSignals::EndingSignals()
{
    sigset_t blocked;
    sigemptyset(&blocked);
    for (const int signal : { SIGINT, SIGTERM, SIGHUP })
        sigaddset(&blocked, signal);
    m_descriptor = signalfd(-1, &blocked, SFD_CLOEXEC | SFD_NONBLOCK);
    sigaddset(&blocked, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &blocked, &m_before);
}

EndingSignals::~EndingSignals()
{
    // What came late must not end the program now that all is written.
    while (take() != 0)
        ;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    const timespec now {};
    sigtimedwait(&pipe, nullptr, &now);
    close(m_descriptor);
    pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
}

int EndingSignals::take() const
{
    signalfd_siginfo signal {};
    return read(m_descriptor, &signal, sizeof signal) == sizeof signal ? static_cast<int>(signal.ssi_signo) : 0;
}

} // namespace namsan
