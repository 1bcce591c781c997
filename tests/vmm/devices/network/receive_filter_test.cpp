// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/network/receive_filter.h"

#include <gtest/gtest.h>

namespace namsan {

class ReceiveFilterTest : public ::testing::Test {
protected:
    static constexpr MacAddress own { 2, 0, 0, 0, 0, 1 };
    static constexpr MacAddress stranger { 2, 0, 0, 0, 0, 9 };
    static constexpr MacAddress group { 0x01, 0x00, 0x5e, 0, 0, 0xfb };
    static constexpr MacAddress all { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    ReceiveFilter filter { own };

    bool passes(const MacAddress& to) const
    {
        std::vector<uint8_t> frame(60);
        std::copy(to.begin(), to.end(), frame.begin());
        return filter.passes(frame);
    }
    bool command(std::vector<uint8_t> bytes) { return filter.command(bytes); }
    // Class 1, command 0: two tables.
    bool tables(const std::vector<MacAddress>& unicast, const std::vector<MacAddress>& multicast)
    {
        std::vector<uint8_t> bytes { 1, 0 };
        for (const auto* table : { &unicast, &multicast }) {
            const auto count = static_cast<uint32_t>(table->size());
            for (unsigned i = 0; i < 4; ++i)
                bytes.push_back(static_cast<uint8_t>(count >> (8 * i)));
            for (const MacAddress& address : *table)
                bytes.insert(bytes.end(), address.begin(), address.end());
        }
        return filter.command(bytes);
    }
};

TEST_F(ReceiveFilterTest, TakesItsOwnAndBroadcasts)
{
    EXPECT_TRUE(passes(own));
    EXPECT_TRUE(passes(all));
    EXPECT_FALSE(passes(stranger));
    EXPECT_FALSE(passes(group));
    EXPECT_FALSE(filter.passes(std::vector<uint8_t>(5)));
}

TEST_F(ReceiveFilterTest, ObeysTheModes) // 5.1.6.5.1
{
    ASSERT_TRUE(command({ 0, 0, 1 }));
    EXPECT_TRUE(passes(stranger));
    ASSERT_TRUE(command({ 0, 0, 0 }));
    EXPECT_FALSE(passes(stranger));
    ASSERT_TRUE(command({ 0, 1, 1 }));
    EXPECT_TRUE(passes(group));
    ASSERT_TRUE(command({ 0, 3, 1 })); // none, over all
    EXPECT_FALSE(passes(group));
    ASSERT_TRUE(command({ 0, 2, 1 }));
    EXPECT_TRUE(passes(stranger));
    ASSERT_TRUE(command({ 0, 4, 1 }));
    EXPECT_FALSE(passes(own));
    ASSERT_TRUE(command({ 0, 5, 1 }));
    EXPECT_FALSE(passes(all));
    filter.reset();
    EXPECT_TRUE(passes(own));
    EXPECT_TRUE(passes(all));
}

TEST_F(ReceiveFilterTest, TakesWhatTheTablesName) // 5.1.6.5.2
{
    ASSERT_TRUE(tables({ stranger }, { group }));
    EXPECT_TRUE(passes(stranger));
    EXPECT_TRUE(passes(group));
    ASSERT_TRUE(tables({}, {}));
    EXPECT_FALSE(passes(stranger));
    EXPECT_FALSE(passes(group));
    // More than it keeps: rather too much than too little.
    ASSERT_TRUE(tables({}, std::vector<MacAddress>(ReceiveFilter::mostAddresses + 1, all)));
    EXPECT_TRUE(passes(group));
    EXPECT_FALSE(passes(stranger));
}

TEST_F(ReceiveFilterTest, TakesAnotherAddressUntilItsReset)
{
    ASSERT_TRUE(command({ 1, 1, 2, 0, 0, 0, 0, 9 }));
    EXPECT_EQ(filter.ownAddress(), stranger);
    EXPECT_TRUE(passes(stranger));
    filter.reset();
    EXPECT_EQ(filter.ownAddress(), own);
}

TEST_F(ReceiveFilterTest, RefusesWhatIsNoCommand)
{
    for (const auto& bytes : std::vector<std::vector<uint8_t>> { {}, { 0 }, { 0, 0 }, { 0, 0, 2 }, { 0, 6, 1 },
             { 0, 0, 1, 1 }, { 2, 0, 1 }, { 1, 0 }, { 1, 0, 1, 0, 0, 0 }, { 1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 },
             { 1, 1, 1, 2, 3 }, { 1, 2, 0 } })
        EXPECT_FALSE(filter.command(bytes)) << ::testing::PrintToString(bytes);
    EXPECT_FALSE(passes(stranger));
}

TEST_F(ReceiveFilterTest, ComesBackFromASnapshot)
{
    ASSERT_TRUE(tables({ stranger }, { group }));
    ASSERT_TRUE(command({ 0, 5, 1 }));
    Snapshot snapshot;
    StateWriter writer(snapshot);
    filter.save(writer);
    filter.reset();
    for (size_t length = 0; length < snapshot.size(); ++length) {
        StateReader part({ snapshot.data(), length });
        ASSERT_FALSE(filter.restore(part, "card").ok());
    }
    EXPECT_FALSE(passes(group));
    StateReader reader(snapshot);
    ASSERT_TRUE(filter.restore(reader, "card").ok());
    EXPECT_TRUE(passes(group));
    EXPECT_TRUE(passes(stranger));
    EXPECT_FALSE(passes(all));
}

} // namespace namsan
