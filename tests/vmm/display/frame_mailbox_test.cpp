// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/display/frame_mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace namsan {

namespace {
Frame blank(int width, int height)
{
    Frame frame;
    frame.width = width;
    frame.height = height;
    frame.pixels.assign(static_cast<size_t>(width) * static_cast<size_t>(height), 0xff000000);
    frame.damage = { 0, 0, width, height };
    return frame;
}

void fill(Frame& frame, const PixelRect& rect, uint32_t colour)
{
    for (int y = rect.y; y < rect.y + rect.height; ++y) {
        for (int x = rect.x; x < rect.x + rect.width; ++x)
            frame.pixels[static_cast<size_t>(y * frame.width + x)] = colour;
    }
    frame.damage = rect;
    ++frame.serial;
}

// What a viewer keeps: it repaints only what each frame calls damaged.
void repaint(Frame& canvas, const Frame& frame)
{
    if (canvas.width != frame.width || canvas.height != frame.height)
        canvas = blank(frame.width, frame.height);
    const PixelRect& damage = frame.damage;
    for (int y = damage.y; y < damage.y + damage.height; ++y) {
        for (int x = damage.x; x < damage.x + damage.width; ++x) {
            const auto at = static_cast<size_t>(y * frame.width + x);
            canvas.pixels[at] = frame.pixels[at];
        }
    }
}

// A random change that any thread of a test can tell from its serial number alone.
struct Change {
    PixelRect rect;
    uint32_t colour;
};
Change changeOf(uint64_t serial, int width, int height)
{
    std::minstd_rand random(static_cast<unsigned>(serial * 7919 + 1));
    const int x = static_cast<int>(random() % static_cast<unsigned>(width));
    const int y = static_cast<int>(random() % static_cast<unsigned>(height));
    const int w = 1 + static_cast<int>(random() % static_cast<unsigned>(width - x));
    const int h = 1 + static_cast<int>(random() % static_cast<unsigned>(height - y));
    return { { x, y, w, h }, 0xff000000 | static_cast<uint32_t>(random() & 0xffffff) };
}
} // namespace

TEST(PixelRectTest, UnitesToTheSmallestRectangleThatHoldsBoth)
{
    EXPECT_EQ(united({ 1, 2, 3, 4 }, { 10, 0, 2, 3 }), (PixelRect { 1, 0, 11, 6 }));
    EXPECT_EQ(united({ 0, 0, 9, 9 }, { 2, 2, 1, 1 }), (PixelRect { 0, 0, 9, 9 }));
}

TEST(PixelRectTest, AnEmptyOneAddsNothing)
{
    EXPECT_EQ(united({}, { 5, 6, 7, 8 }), (PixelRect { 5, 6, 7, 8 }));
    EXPECT_EQ(united({ 5, 6, 7, 8 }, { 100, 100, 0, 4 }), (PixelRect { 5, 6, 7, 8 }));
}

TEST(FrameMailboxTest, HasNothingBeforeTheFirstFrame)
{
    FrameMailbox mailbox;
    EXPECT_EQ(mailbox.take(), nullptr);
}

TEST(FrameMailboxTest, GivesAFrameOnce)
{
    FrameMailbox mailbox;
    Frame frame = blank(8, 4);
    frame.text = { "hello" };
    fill(frame, { 1, 1, 2, 2 }, 0xff123456);
    mailbox.publish(frame);

    const Frame* taken = mailbox.take();
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(taken->pixels, frame.pixels);
    EXPECT_EQ(taken->damage, (PixelRect { 0, 0, 8, 4 })) << "the first frame is new in whole";
    EXPECT_EQ(taken->text, frame.text);
    EXPECT_EQ(taken->serial, 1u);
    EXPECT_EQ(mailbox.take(), nullptr);
}

TEST(FrameMailboxTest, UnitesTheDamageOfFramesThatWereNeverTaken)
{
    FrameMailbox mailbox;
    Frame frame = blank(16, 16);
    mailbox.publish(frame);
    mailbox.take();

    fill(frame, { 0, 0, 2, 2 }, 1);
    mailbox.publish(frame);
    fill(frame, { 10, 10, 2, 2 }, 2);
    mailbox.publish(frame);
    const Frame* taken = mailbox.take();
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(taken->damage, (PixelRect { 0, 0, 12, 12 }));
    EXPECT_EQ(taken->pixels, frame.pixels);

    fill(frame, { 4, 4, 1, 1 }, 3);
    mailbox.publish(frame);
    taken = mailbox.take();
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(taken->damage, (PixelRect { 4, 4, 1, 1 })) << "what was taken is damage no more";
    EXPECT_EQ(taken->pixels, frame.pixels) << "the buffer must catch up with frames that went through the others";
}

TEST(FrameMailboxTest, IsWholeAfterAChangeOfSizeAndBack)
{
    FrameMailbox mailbox;
    Frame small = blank(4, 4);
    Frame large = blank(9, 5);
    for (int round = 0; round < 4; ++round) {
        fill(small, { 0, 0, 1, 1 }, static_cast<uint32_t>(round));
        mailbox.publish(small);
        const Frame* taken = mailbox.take();
        ASSERT_NE(taken, nullptr);
        EXPECT_EQ(taken->damage, (PixelRect { 0, 0, 4, 4 }));
        EXPECT_EQ(taken->pixels, small.pixels);

        fill(large, { 8, 4, 1, 1 }, static_cast<uint32_t>(round));
        mailbox.publish(large);
        taken = mailbox.take();
        ASSERT_NE(taken, nullptr);
        EXPECT_EQ(taken->damage, (PixelRect { 0, 0, 9, 5 }));
        EXPECT_EQ(taken->pixels, large.pixels);
    }
}

TEST(FrameMailboxTest, ClipsDamageToThePicture)
{
    FrameMailbox mailbox;
    Frame frame = blank(4, 4);
    mailbox.publish(frame);
    mailbox.take();
    frame.damage = { -3, 2, 100, 100 };
    mailbox.publish(frame);
    const Frame* taken = mailbox.take();
    ASSERT_NE(taken, nullptr);
    EXPECT_EQ(taken->damage, (PixelRect { 0, 2, 4, 2 }));
}

TEST(FrameMailboxTest, NotifiesAtEachFrame)
{
    FrameMailbox mailbox;
    int notified = 0;
    mailbox.setNotifier([&notified] { ++notified; });
    mailbox.publish(blank(4, 4));
    mailbox.publish(blank(4, 4));
    EXPECT_EQ(notified, 2);
}

// Two threads at full speed: whenever the viewer takes a frame, its canvas, repainted only where the frames were
// damaged, must be the very picture that was published under that serial number.
TEST(FrameMailboxTest, DamageAlwaysRebuildsTheNewestPicture)
{
    constexpr int width = 23;
    constexpr int height = 17;
    constexpr uint64_t frames = 20'000;

    FrameMailbox mailbox;
    std::thread publisher([&mailbox] {
        Frame frame = blank(width, height);
        for (uint64_t serial = 1; serial <= frames; ++serial) {
            const Change change = changeOf(serial, width, height);
            fill(frame, change.rect, change.colour);
            mailbox.publish(frame);
        }
    });

    Frame canvas;
    Frame expected = blank(width, height);
    uint64_t wrong = 0;
    while (expected.serial < frames) {
        const Frame* taken = mailbox.take();
        if (!taken) {
            std::this_thread::yield();
            continue;
        }
        while (expected.serial < taken->serial) {
            const Change change = changeOf(expected.serial + 1, width, height);
            fill(expected, change.rect, change.colour);
        }
        repaint(canvas, *taken);
        wrong += canvas.pixels != expected.pixels || taken->pixels != expected.pixels;
    }
    publisher.join();
    EXPECT_EQ(wrong, 0u);
    EXPECT_EQ(mailbox.take(), nullptr);
}

} // namespace namsan
