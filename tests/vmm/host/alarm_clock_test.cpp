// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/alarm_clock.h"

#include <future>
#include <gtest/gtest.h>

namespace namsan {

using namespace std::chrono_literals;

class AlarmClockTest : public ::testing::Test {
protected:
    // How long the sleep lasts.
    std::chrono::nanoseconds sleep()
    {
        const auto before = std::chrono::steady_clock::now();
        m_clock->sleep();
        return std::chrono::steady_clock::now() - before;
    }

    std::unique_ptr<AlarmClock> m_clock = std::move(*AlarmClock::create());
};

TEST_F(AlarmClockTest, RingsWhenTheDelayIsOver)
{
    m_clock->ringIn(20ms);
    EXPECT_GE(sleep(), 15ms);
}

TEST_F(AlarmClockTest, TakesTheSoonerOfTwoTimes)
{
    m_clock->ringIn(10ms);
    m_clock->ringIn(1h);
    EXPECT_LT(sleep(), 30min);
    m_clock->ringIn(1h);
    m_clock->ringIn(10ms);
    EXPECT_LT(sleep(), 30min);
}

TEST_F(AlarmClockTest, RingsForWhatWasAskedBeforeTheSleep)
{
    m_clock->ring();
    EXPECT_LT(sleep(), 30min);
}

TEST_F(AlarmClockTest, ForgetsAnAlarmThatHasRung)
{
    m_clock->ring();
    sleep();
    m_clock->ringIn(20ms);
    EXPECT_GE(sleep(), 15ms);
}

TEST_F(AlarmClockTest, IsBroughtForwardWhileItSleeps)
{
    m_clock->ringIn(1h);
    auto slept = std::async(std::launch::async, [this] { return sleep(); });
    m_clock->ringIn(5ms);
    EXPECT_LT(slept.get(), 30min);
}

// A negative delay is over already; one beyond what the clock can hold is as good as none.
TEST_F(AlarmClockTest, TakesDelaysOfAnyLength)
{
    m_clock->ringIn(std::chrono::nanoseconds::max());
    m_clock->ringIn(std::chrono::nanoseconds::min());
    EXPECT_LT(sleep(), 30min);
}

} // namespace namsan
