// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/input/input_event.h"

#include <bitset>
#include <deque>
#include <mutex>
#include <optional>

namespace namsan {

// What is typed and pointed at, from whoever does it (window, script, viewer) to the board.
//
// A PS/2 keyboard holds sixteen bytes and loses what comes on top, which is enough for hands but not for a script or a
// paste. So keys wait here, in their order, and the board takes them as its keyboard has room. The pointer waits for
// nothing but the board: its movements add up.
//
// Bounded: when it is full, further presses are lost whole, never only a key's release. Safe from any thread.
class InputQueue {
public:
    static constexpr size_t keyCapacity = 1 << 16; // events; and releases of keys that are down
    static constexpr size_t pointerCapacity = 256; // events; and releases of buttons that are down

    // True: the board is to be told that there is something; until it has looked, it need not be told again.
    bool add(const InputEvent&);

    // The board looks.
    void beginLooking();
    std::optional<KeyEvent> takeKey();
    std::optional<InputEvent> takePointerEvent();

    // Forgets what waits, and which keys are down: the devices were reset.
    void clear();

private:
    void addKey(const KeyEvent&);
    void addButton(const PointerButtonEvent&);
    void addMove(const PointerMove&);
    void addWheel(const PointerWheel&);

    std::mutex m_mutex;
    std::deque<KeyEvent> m_keys;
    std::deque<InputEvent> m_pointer;
    std::bitset<256> m_keysDown; // once all that waits has been taken
    std::bitset<3> m_buttonsDown;
    bool m_told = false;
};

} // namespace namsan
