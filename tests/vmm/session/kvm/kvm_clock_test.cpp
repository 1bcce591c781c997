// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_clock.h"

#include <gtest/gtest.h>

#include <x86intrin.h>

namespace namsan {

namespace {

// The host's TSC and something more, which a test makes another.
class AheadClock final : public Clock {
public:
    GuestTime now() const override { return GuestTime(static_cast<int64_t>(tsc())); }
    uint64_t tsc() const override { return __rdtsc() + ahead; }
    uint64_t tscFrequency() const override { return 1'000'000'000; }

    uint64_t ahead = 0;
};

constexpr uint64_t tolerance = 1'000'000; // of a thread that loses its CPU in the middle

} // namespace

TEST(TscDifference, IsTheSameToTheTickUntilTheClockJumps)
{
    AheadClock clock;
    clock.ahead = uint64_t { 1 } << 40;
    TscDifference difference(clock);
    const uint64_t first = difference.now();
    EXPECT_LT(first - clock.ahead + tolerance, 2 * tolerance);
    for (unsigned vcpu = 0; vcpu < 1000; ++vcpu)
        ASSERT_EQ(difference.now(), first);
    clock.ahead -= uint64_t { 1 } << 39; // a pause
    const uint64_t second = difference.now();
    EXPECT_LT(second - clock.ahead + tolerance, 2 * tolerance);
    EXPECT_EQ(difference.now(), second);
}

} // namespace namsan
