// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/display_output.h"

#include "tests/support/bare_board.h"
#include "vmm/devices/display/vga.h"

#include <gtest/gtest.h>

namespace namsan {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A screen of 8 by 8 pixels that a test changes and that counts how often it was looked at.
class ScriptedSource final : public ScreenSource {
public:
    bool polled = false;
    bool dirty = true;
    int looks = 0;
    PixelRect next { 0, 0, 8, 8 };
    int size = 8;

    void touch()
    {
        const bool was = std::exchange(dirty, true);
        if (!polled && !was)
            changed().send({});
    }
    void paint(Frame& frame) override
    {
        ++looks;
        frame.width = frame.height = size;
        frame.pixels.resize(static_cast<size_t>(size * size), 0xff000000);
        frame.damage = std::exchange(dirty, false) ? next : PixelRect {};
    }
    bool mustBePolled() const override { return polled; }
    std::optional<GuestTime> nextBlink() const override { return {}; }
};

class DisplayOutputTest : public ::testing::Test {
protected:
    BareBoard board;
    ScriptedSource source;
    DisplayOutput output { board.timers(), source };
    int notified = 0;

    FrameMailbox& addViewer()
    {
        return output.addViewer([this] { ++notified; });
    }
    int looksDuring(GuestTime time)
    {
        const int before = source.looks;
        board.advance(time);
        return source.looks - before;
    }
};

TEST_F(DisplayOutputTest, CostsNothingWithoutViewers)
{
    source.polled = true;
    source.touch();
    board.advance(seconds(10));
    EXPECT_EQ(source.looks, 0);
    EXPECT_FALSE(board.timers().nextDeadline());
}

TEST_F(DisplayOutputTest, GivesANewViewerTheWholePictureAtOnce)
{
    FrameMailbox& viewer = addViewer();
    const Frame* frame = viewer.take();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->damage, (PixelRect { 0, 0, 8, 8 }));
    EXPECT_EQ(notified, 1);
}

TEST_F(DisplayOutputTest, SleepsUntilTheSourceTellsOfAChange)
{
    FrameMailbox& viewer = addViewer();
    viewer.take();
    EXPECT_EQ(looksDuring(seconds(10)), 0);
    source.next = { 1, 1, 2, 2 };
    source.touch();
    board.advance(DisplayOutput::gatherTime);
    const Frame* frame = viewer.take();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->damage, (PixelRect { 1, 1, 2, 2 }));
    EXPECT_EQ(looksDuring(seconds(10)), 0);
}

TEST_F(DisplayOutputTest, PaintsAGuestThatFloodsOncePerPictureTime)
{
    addViewer();
    int looks = 0;
    for (int i = 0; i < 1600; ++i) {
        source.touch();
        looks += looksDuring(milliseconds(1));
    }
    EXPECT_EQ(looks, 100);
}

TEST_F(DisplayOutputTest, PollsOftenWhileItChangesAndSeldomWhenStill)
{
    source.polled = true;
    addViewer();
    looksDuring(seconds(1));
    EXPECT_EQ(looksDuring(seconds(1)), 20);
    int looks = 0;
    for (int i = 0; i < 1000; ++i) {
        source.touch();
        looks += looksDuring(milliseconds(1));
    }
    EXPECT_GE(looks, 58);
    EXPECT_LE(looks, 63);
}

TEST_F(DisplayOutputTest, LooksAtOnceWhenAChangeIsExpected)
{
    source.polled = true;
    addViewer();
    board.advance(seconds(2));
    while (looksDuring(milliseconds(1)) == 0) { } // just now it was looked at
    board.advance(DisplayOutput::pictureTime);
    output.expectChange();
    EXPECT_EQ(looksDuring(DisplayOutput::gatherTime), 1);
    EXPECT_EQ(looksDuring(milliseconds(160)), 10);
}

// A guest that echoes a key first moves its cursor, and writes the letter a little later.
TEST_F(DisplayOutputTest, DoesNotKeepTheSecondPieceOfAnAnswerWaiting)
{
    addViewer();
    board.advance(seconds(1));
    for (const bool expected : { true, false }) {
        if (expected)
            output.expectChange();
        source.touch();
        EXPECT_EQ(looksDuring(DisplayOutput::gatherTime), 1);
        source.touch();
        EXPECT_EQ(looksDuring(DisplayOutput::answerPictureTime), expected ? 1 : 0);
        board.advance(seconds(1));
    }
}

TEST_F(DisplayOutputTest, WaitsLongerAfterALotOfPixels)
{
    source.size = 2048;
    source.next = { 0, 0, 2048, 2048 }; // twice what one picture time is for
    addViewer();
    source.touch();
    EXPECT_EQ(looksDuring(3 * DisplayOutput::pictureTime - GuestTime(1)), 0);
    EXPECT_EQ(looksDuring(GuestTime(1)), 1);
}

TEST_F(DisplayOutputTest, PublishesToEachViewerAndForgetsThoseThatLeave)
{
    FrameMailbox& first = addViewer();
    FrameMailbox& second = addViewer();
    first.take();
    second.take();
    source.touch();
    board.advance(DisplayOutput::pictureTime);
    EXPECT_NE(first.take(), nullptr);
    EXPECT_NE(second.take(), nullptr);
    output.removeViewer(first);
    source.touch();
    board.advance(DisplayOutput::pictureTime);
    EXPECT_NE(second.take(), nullptr);
    output.removeViewer(second);
    source.touch();
    EXPECT_EQ(looksDuring(seconds(1)), 0);
    EXPECT_FALSE(board.timers().nextDeadline());
}

TEST_F(DisplayOutputTest, GivesTheCurrentFrameWithoutTakingItFromViewers)
{
    EXPECT_EQ(output.currentFrame().width, 8);
    FrameMailbox& viewer = addViewer();
    viewer.take();
    source.touch();
    const uint64_t serial = output.currentFrame().serial;
    const Frame* frame = viewer.take();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->serial, serial);
}

TEST(DisplayOutputWithVgaTest, RepaintsOnlyABlinkingCursorOfAnIdleScreen)
{
    BareBoard board;
    Vga vga(board.ports(), board.mmio(), board.timers());
    vga.setTextMode3();
    DisplayOutput output(board.timers(), vga);
    int notified = 0;
    FrameMailbox& viewer = output.addViewer([&notified] { ++notified; });
    viewer.take();
    notified = 0;
    board.advance(seconds(5));
    EXPECT_EQ(notified, 20);
    const Frame* frame = viewer.take();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->damage, (PixelRect { 0, 0, 9, 16 }));

    board.advance(DisplayOutput::pictureTime);
    board.mmio().write(0xb8000, 2, 0x0741);
    board.advance(milliseconds(1));
    frame = viewer.take();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->text[0], "A");
}

} // namespace namsan
