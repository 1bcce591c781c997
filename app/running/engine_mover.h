// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/machine/machine.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace namsan {

// Carries a machine's guest from engine to engine for somebody who cannot wait for it, such as a window: one move after
// the other, on a thread of its own.
class EngineMover {
public:
    // wake is called on that thread when a refusal waits to be taken, or a move was made.
    EngineMover(Machine&, std::function<void()> wake);
    ~EngineMover(); // finishes the move that is on its way, and makes no other. Before the machine's end of life

    void move(std::string engine);
    // Sentences for the user: why moves came to nothing. The guest goes on where it was.
    std::vector<std::string> takeRefusals();

private:
    void run();

    Machine& m_machine;
    const std::function<void()> m_wake;
    std::mutex m_mutex; // of:
    std::condition_variable m_changed;
    std::deque<std::string> m_wanted;
    std::vector<std::string> m_refusals;
    bool m_over = false;
    std::thread m_thread; // last: it uses the others
};

} // namespace namsan
