// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#include <QImage>
#include <gtest/gtest.h>

namespace namsan {

namespace {

constexpr QRgb sky = 0xff35507a; // of the start page's head
constexpr QRgb paper = 0xfff4f1ea; // behind its text

// How much of the picture has exactly this colour, of 1.
double shareOf(const QImage& picture, QRgb colour)
{
    int found = 0;
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width(); ++x)
            found += picture.pixel(x, y) == colour;
    }
    return static_cast<double>(found) / (picture.width() * picture.height());
}

} // namespace

// "Long": for ./test --long, which makes the guest.
TEST(LongBrowser, ShowsItsPage)
{
    ASSERT_TRUE(exists(guestFolder("browser") / "guest.json"))
        << "There is no guest browser. Make it: namsan guest make browser (./test --long does).";
    const TemporaryFolder results;
    const ProgramRun run
        = runNamsan({ "run", "browser", "--headless", "--engine", "soft", "--until", "! READY: browser", "--timeout",
            "550", "--serial", results.path("serial"), "--screenshot", results.path("picture.png") });
    EXPECT_EQ(run.exitCode, 0) << run.output << "\n--- serial ---\n" << contentsOf(results.path("serial"));
    const QImage picture(QString::fromStdString(results.path("picture.png")));
    EXPECT_EQ(picture.size(), QSize(1024, 768));
    EXPECT_GT(shareOf(picture, sky), 0.1);
    EXPECT_GT(shareOf(picture, paper), 0.4);
}

} // namespace namsan
