// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/input_queue.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {
constexpr HidUsage keyA = 0x04;
constexpr HidUsage keyB = 0x05;
} // namespace

TEST(InputQueue, KeepsKeysInTheirOrder)
{
    InputQueue queue;
    for (const KeyEvent key : { KeyEvent { keyA, true }, { keyB, true }, { keyA, false }, { keyB, false } })
        queue.add(key);
    std::vector<std::pair<HidUsage, bool>> taken;
    while (const auto key = queue.takeKey())
        taken.emplace_back(key->usage, key->pressed);
    EXPECT_EQ(taken,
        (std::vector<std::pair<HidUsage, bool>> { { keyA, true }, { keyB, true }, { keyA, false }, { keyB, false } }));
}

TEST(InputQueue, AsksToBeLookedAtOnceUntilItIs)
{
    InputQueue queue;
    EXPECT_TRUE(queue.add(KeyEvent { keyA, true }));
    EXPECT_FALSE(queue.add(KeyEvent { keyA, false }));
    queue.beginLooking();
    EXPECT_TRUE(queue.add(PointerMove { 1, 0 }));
}

TEST(InputQueue, IsBoundedAndLosesKeysOnlyWhole)
{
    InputQueue queue;
    for (size_t i = 0; i < InputQueue::keyCapacity; ++i) {
        queue.add(KeyEvent { keyA, true });
        queue.add(KeyEvent { keyA, false });
    }
    size_t events = 0;
    bool down = false;
    while (const auto key = queue.takeKey()) {
        ++events;
        ASSERT_NE(key->pressed, down);
        down = key->pressed;
    }
    EXPECT_EQ(events, InputQueue::keyCapacity);
    EXPECT_FALSE(down) << "a key would be left down that nobody holds";
}

TEST(InputQueue, TakesTheReleaseOfAKeyThatIsDownEvenWhenFull)
{
    InputQueue queue;
    queue.add(KeyEvent { keyB, true });
    for (size_t i = 0; i < InputQueue::keyCapacity; ++i) {
        queue.add(KeyEvent { keyA, true });
        queue.add(KeyEvent { keyA, false });
    }
    queue.add(KeyEvent { keyB, false });
    std::optional<KeyEvent> last;
    while (const auto key = queue.takeKey())
        last = key;
    ASSERT_TRUE(last);
    EXPECT_EQ(last->usage, keyB);
    EXPECT_FALSE(last->pressed);
}

TEST(InputQueue, AddsMovementsUpAndKeepsClicksBetweenThem)
{
    InputQueue queue;
    queue.add(PointerMove { 1, 2 });
    queue.add(PointerMove { 3, -5 });
    queue.add(PointerButtonEvent { PointerButton::Left, true });
    queue.add(PointerMove { 7, 7 });
    queue.add(PointerWheel { 1 });
    queue.add(PointerWheel { 2 });
    const auto first = queue.takePointerEvent();
    ASSERT_TRUE(first && std::holds_alternative<PointerMove>(*first));
    EXPECT_EQ(std::get<PointerMove>(*first).dx, 4);
    EXPECT_EQ(std::get<PointerMove>(*first).dy, -3);
    EXPECT_TRUE(std::holds_alternative<PointerButtonEvent>(queue.takePointerEvent().value()));
    EXPECT_EQ(std::get<PointerMove>(queue.takePointerEvent().value()).dx, 7);
    EXPECT_EQ(std::get<PointerWheel>(queue.takePointerEvent().value()).steps, 3);
    EXPECT_FALSE(queue.takePointerEvent());
}

TEST(InputQueue, APointerThatNobodyLooksAtFillsNoMemory)
{
    InputQueue queue;
    for (int i = 0; i < 100'000; ++i) {
        queue.add(PointerMove { 1 << 30, -(1 << 30) });
        queue.add(PointerButtonEvent { PointerButton::Left, i % 2 == 0 });
    }
    size_t events = 0;
    while (queue.takePointerEvent())
        ++events;
    EXPECT_LE(events, InputQueue::pointerCapacity + 3);
}

TEST(InputQueue, ForgetsEverythingAtAReset)
{
    InputQueue queue;
    queue.add(KeyEvent { keyA, true });
    queue.add(PointerMove { 1, 1 });
    queue.clear();
    queue.add(KeyEvent { keyA, false }); // was never pressed, as far as the reset keyboard knows
    EXPECT_FALSE(queue.takeKey());
    EXPECT_FALSE(queue.takePointerEvent());
}

} // namespace namsan
