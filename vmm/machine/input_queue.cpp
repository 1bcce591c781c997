// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/input_queue.h"

#include <algorithm>
#include <utility>

namespace namsan {

namespace {
// More than any mouse moves between two looks; sums stay far from overflow.
constexpr int farthestMove = 1 << 20;

int sumOf(int a, int b)
{
    return std::clamp(a + std::clamp(b, -farthestMove, farthestMove), -farthestMove, farthestMove);
}
} // namespace

bool InputQueue::add(const InputEvent& event)
{
    struct Sorter {
        InputQueue& queue;
        void operator()(const KeyEvent& key) const { queue.addKey(key); }
        void operator()(const PointerMove& move) const { queue.addMove(move); }
        void operator()(const PointerButtonEvent& button) const { queue.addButton(button); }
        void operator()(const PointerWheel& wheel) const { queue.addWheel(wheel); }
    };
    const std::lock_guard guard(m_mutex);
    std::visit(Sorter { *this }, event);
    return !std::exchange(m_told, true);
}

void InputQueue::addKey(const KeyEvent& key)
{
    if (m_keysDown[key.usage] == key.pressed)
        return;
    if (key.pressed && m_keys.size() >= keyCapacity)
        return;
    m_keysDown[key.usage] = key.pressed;
    m_keys.push_back(key);
}

void InputQueue::addButton(const PointerButtonEvent& button)
{
    const auto index = static_cast<size_t>(button.button);
    if (m_buttonsDown[index] == button.pressed)
        return;
    if (button.pressed && m_pointer.size() >= pointerCapacity)
        return;
    m_buttonsDown[index] = button.pressed;
    m_pointer.push_back(button);
}

void InputQueue::addMove(const PointerMove& move)
{
    if (auto* last = m_pointer.empty() ? nullptr : std::get_if<PointerMove>(&m_pointer.back()))
        *last = { sumOf(last->dx, move.dx), sumOf(last->dy, move.dy) };
    else if (m_pointer.size() < pointerCapacity)
        m_pointer.push_back(move);
}

void InputQueue::addWheel(const PointerWheel& wheel)
{
    if (auto* last = m_pointer.empty() ? nullptr : std::get_if<PointerWheel>(&m_pointer.back()))
        last->steps = sumOf(last->steps, wheel.steps);
    else if (m_pointer.size() < pointerCapacity)
        m_pointer.push_back(wheel);
}

void InputQueue::beginLooking()
{
    const std::lock_guard guard(m_mutex);
    m_told = false;
}

std::optional<KeyEvent> InputQueue::takeKey()
{
    const std::lock_guard guard(m_mutex);
    if (m_keys.empty())
        return std::nullopt;
    const KeyEvent key = m_keys.front();
    m_keys.pop_front();
    return key;
}

std::optional<InputEvent> InputQueue::takePointerEvent()
{
    const std::lock_guard guard(m_mutex);
    if (m_pointer.empty())
        return std::nullopt;
    const InputEvent event = m_pointer.front();
    m_pointer.pop_front();
    return event;
}

void InputQueue::clear()
{
    const std::lock_guard guard(m_mutex);
    m_keys.clear();
    m_pointer.clear();
    m_keysDown.reset();
    m_buttonsDown.reset();
}

} // namespace namsan
