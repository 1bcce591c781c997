// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace namsan {

// A typed message from one part of the board to those that listen: for events, never for register accesses.
//
// Listeners are connected while the board is built and live as long as it does; they are called in the order in which
// they were connected, on the sender's thread, under the board lock.
template <class Message> class Channel {
public:
    using Listener = std::function<void(const Message&)>;

    void listen(Listener listener) { m_listeners.push_back(std::move(listener)); }

    void send(const Message& message) const
    {
        for (const Listener& listener : m_listeners)
            listener(message);
    }

private:
    std::vector<Listener> m_listeners;
};

} // namespace namsan
