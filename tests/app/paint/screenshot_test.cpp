// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/paint/screenshot.h"

#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

Frame fourPixels()
{
    Frame frame;
    frame.width = 2;
    frame.height = 2;
    frame.pixels = { 0xffff0000, 0xff00ff00, 0xff0000ff, 0xff123456 };
    return frame;
}

} // namespace

TEST(Screenshot, KeepsEveryPixel)
{
    const TemporaryFolder folder;
    const auto written = writeScreenshot(fourPixels(), folder.path("s.png"));
    ASSERT_TRUE(written) << written.error().message;
    const QImage image(QString::fromStdString(folder.path("s.png")));
    ASSERT_EQ(image.size(), QSize(2, 2));
    EXPECT_EQ(image.pixel(0, 0), 0xffff0000);
    EXPECT_EQ(image.pixel(1, 0), 0xff00ff00);
    EXPECT_EQ(image.pixel(0, 1), 0xff0000ff);
    EXPECT_EQ(image.pixel(1, 1), 0xff123456);
    EXPECT_EQ(folder.files(), 1u);
}

TEST(Screenshot, SaysWhyThereIsNone)
{
    const TemporaryFolder folder;
    EXPECT_EQ(writeScreenshot(Frame {}, folder.path("s.png")).error().message,
        "The screenshot cannot be written: the guest has shown no picture yet. Try again when it has.");
    EXPECT_EQ(writeScreenshot(fourPixels(), folder.path("none/s.png")).error().message,
        "The screenshot cannot be written to " + folder.path("none/s.png") + ": there is no folder "
            + folder.path("none") + ". Make it, or choose another file.");
    EXPECT_EQ(folder.files(), 0u);
}

} // namespace namsan
