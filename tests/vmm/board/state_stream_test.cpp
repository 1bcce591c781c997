// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/state_stream.h"

#include <gtest/gtest.h>

#include <array>

namespace namsan {

namespace {
enum class Colour : uint8_t { Red, Blue };
}

TEST(StateStream, GivesBackWhatWasPutInOrder)
{
    Snapshot snapshot;
    StateWriter writer(snapshot);
    writer.put(uint8_t { 7 }, Colour::Blue, true, std::array<uint16_t, 2> { 1, 2 });
    writer.putBytes(std::array<uint8_t, 3> { 9, 8, 7 });

    StateReader reader(snapshot);
    uint8_t number = 0;
    Colour colour = Colour::Red;
    bool flag = false;
    std::array<uint16_t, 2> pair {};
    ASSERT_TRUE(reader.takeInto(number, colour, flag, pair));
    EXPECT_EQ(number, 7);
    EXPECT_EQ(colour, Colour::Blue);
    EXPECT_TRUE(flag);
    EXPECT_EQ(pair[1], 2);
    EXPECT_FALSE(reader.atEnd());
    const auto bytes = reader.takeBytes(3);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(*bytes, (std::vector<uint8_t> { 9, 8, 7 }));
    EXPECT_TRUE(reader.atEnd());
}

TEST(StateStream, TakesAllOrNothingFromAShortState)
{
    Snapshot snapshot;
    StateWriter(snapshot).put(uint32_t { 0x11223344 }, uint8_t { 5 });
    for (size_t length = 0; length < snapshot.size(); ++length) {
        StateReader reader { std::span(snapshot).first(length) };
        uint32_t word = 1;
        uint8_t byte = 1;
        const auto taken = reader.takeInto(word, byte);
        ASSERT_FALSE(taken) << length;
        EXPECT_NE(taken.error().message.find("ends too early"), std::string::npos);
        EXPECT_EQ(word, 1u);
        EXPECT_EQ(byte, 1);
    }
}

TEST(StateStream, RefusesBytesThatAreTooManyOrNotThere)
{
    Snapshot snapshot;
    StateWriter writer(snapshot);
    writer.putBytes(std::vector<uint8_t>(100));
    EXPECT_FALSE(StateReader(snapshot).takeBytes(99));
    EXPECT_TRUE(StateReader(snapshot).takeBytes(100));
    EXPECT_FALSE(StateReader(std::span(snapshot).first(107)).takeBytes(100));

    Snapshot huge;
    StateWriter(huge).put(~uint64_t { 0 });
    EXPECT_FALSE(StateReader(huge).takeBytes(~uint64_t { 0 })) << "nothing may be allocated for a length that lies";
}

TEST(StateStream, MakesAProperBoolOfAnyByte)
{
    const Snapshot snapshot { 2 };
    const auto flag = StateReader(snapshot).take<bool>();
    ASSERT_TRUE(flag);
    EXPECT_EQ(static_cast<int>(*flag), 1);
}

} // namespace namsan
