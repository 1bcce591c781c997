// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <csignal>

namespace namsan {

// SIGINT, SIGTERM and SIGHUP, read from a descriptor as long as this lives, so that a run that they end still leaves
// its record behind. SIGPIPE is held back, too: a reader of our output that goes away is an error of write().
//
// The signals are blocked in the thread that makes this and in all threads made later: make it before others.
class EndingSignals {
public:
    EndingSignals();
    ~EndingSignals();
    EndingSignals(const EndingSignals&) = delete;
    EndingSignals& operator=(const EndingSignals&) = delete;

    int descriptor() const { return m_descriptor; } // to wait on
    int take() const; // the number of the signal that came, or 0

private:
    int m_descriptor;
    sigset_t m_before {};
};

} // namespace namsan
