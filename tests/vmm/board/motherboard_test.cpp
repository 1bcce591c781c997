// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/motherboard.h"

#include "vmm/time/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace namsan {

namespace {
class Box final : public Device {
public:
    Box(std::string name, std::vector<std::string>& resets)
        : m_name(std::move(name))
        , m_resets(resets)
    {
    }

    std::string_view name() const override { return m_name; }
    void reset() override
    {
        content = 0;
        m_resets.push_back(m_name);
    }
    void save(StateWriter& state) const override
    {
        state.put(content);
        if (putsTooMuch)
            state.put(content);
    }
    Result<void> restore(StateReader& state) override { return state.takeInto(content); }

    uint32_t content = 0;
    bool putsTooMuch = false;

private:
    std::string m_name;
    std::vector<std::string>& m_resets;
};
} // namespace

class MotherboardTest : public ::testing::Test {
protected:
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(1 << 20));
    ManualClock clock;
    std::vector<std::string> resets;
    Motherboard board { *memory, clock };

    Snapshot save()
    {
        Snapshot snapshot;
        StateWriter writer(snapshot);
        board.save(board.enter(), writer);
        return snapshot;
    }
    Result<void> restore(std::span<const uint8_t> snapshot)
    {
        StateReader reader(snapshot);
        return board.restore(board.enter(), reader);
    }
};

TEST_F(MotherboardTest, ResetsDevicesInTheOrderInWhichTheyWereAdded)
{
    {
        const Held held = board.enter();
        board.add<Box>(held, "first", resets);
        board.add<Box>(held, "second", resets);
        board.reset(held);
    }
    EXPECT_EQ(resets, (std::vector<std::string> { "first", "second" }));
}

TEST_F(MotherboardTest, SavesAndRestoresEveryDevice)
{
    Box& first = board.add<Box>(board.enter(), "first", resets);
    Box& second = board.add<Box>(board.enter(), "second", resets);
    first.content = 1;
    second.content = 2;
    const Snapshot snapshot = save();
    board.reset(board.enter());
    ASSERT_TRUE(restore(snapshot));
    EXPECT_EQ(first.content, 1u);
    EXPECT_EQ(second.content, 2u);
}

TEST_F(MotherboardTest, RefusesEveryTruncatedSnapshot)
{
    board.add<Box>(board.enter(), "first", resets);
    board.add<Box>(board.enter(), "second", resets);
    const Snapshot snapshot = save();
    for (size_t length = 0; length < snapshot.size(); ++length)
        EXPECT_FALSE(restore(std::span(snapshot).first(length))) << length;
}

TEST_F(MotherboardTest, RefusesASnapshotOfABoardWithOtherDevices)
{
    Box& box = board.add<Box>(board.enter(), "box", resets);
    Motherboard other(*memory, clock);
    other.add<Box>(other.enter(), "crate", resets).content = 9;
    Snapshot snapshot;
    StateWriter writer(snapshot);
    other.save(other.enter(), writer);

    const auto refused = restore(snapshot);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("has a crate where this machine has a box"), std::string::npos);
    EXPECT_EQ(box.content, 0u);
}

TEST_F(MotherboardTest, NamesTheDeviceWhoseStateHoldsMoreThanItTakes)
{
    board.add<Box>(board.enter(), "box", resets).putsTooMuch = true;
    const auto refused = restore(save());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("box"), std::string::npos);
}

TEST_F(MotherboardTest, LetsOneThreadInAtATime)
{
    std::atomic<int> inside = 0;
    std::atomic<bool> crowded = false;
    const auto visit = [&] {
        for (int i = 0; i < 1000; ++i) {
            const Held held = board.enter();
            if (++inside != 1)
                crowded = true;
            --inside;
        }
    };
    std::thread other(visit);
    visit();
    other.join();
    EXPECT_FALSE(crowded);
}

} // namespace namsan
