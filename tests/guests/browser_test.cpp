// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/guest_cache.h"
#include "tests/support/page_server.h"
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/typing.h"
#include "tests/support/watched_guest.h"

#include <QImage>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace namsan {

namespace {
using namespace std::chrono_literals;

constexpr uint32_t sky = 0xff35507a; // of the start page's head
constexpr uint32_t paper = 0xfff4f1ea; // behind its text

// How much of the picture has exactly this colour, of 1.
double shareOf(const QImage& picture, uint32_t colour)
{
    int found = 0;
    for (int y = 0; y < picture.height(); ++y) {
        for (int x = 0; x < picture.width(); ++x)
            found += picture.pixel(x, y) == colour;
    }
    return static_cast<double>(found) / (picture.width() * picture.height());
}

auto hasMuchOf(uint32_t colour, double share)
{
    return [=](const Frame& frame) {
        const auto found = std::ranges::count(frame.pixels, colour);
        return static_cast<double>(found) > share * static_cast<double>(frame.pixels.size());
    };
}

// A strong one, as no desktop shows by itself: its greens are too few.
uint32_t randomColour(std::random_device& random)
{
    return 0xff000000 | (0x80 + random() % 0x60) << 16 | (random() % 0x40) << 8 | (0x80 + random() % 0x60);
}

// Black somewhere on the middle row, left of the pointer: the caret of the field there.
bool hasCaret(const Frame& frame)
{
    const auto row = frame.pixels.begin() + frame.height / 2 * frame.width;
    return std::ranges::count(row, row + frame.width / 4, 0xff000000) > 0;
}

std::string inHtml(uint32_t colour)
{
    return fmt::format("#{:06x}", colour & 0xffffff);
}

// A page with a field for text around the middle of the screen, where the pointer is at first, and another one, which
// is the answer to what was typed there and has more below than the screen shows.
class ColouredPages {
    std::random_device m_random;

public:
    const uint32_t first = randomColour(m_random);
    const uint32_t typed = randomColour(m_random);
    const uint32_t answer = randomColour(m_random);
    const uint32_t below = randomColour(m_random);

    std::string operator()(const std::string& asked) const
    {
        if (asked.starts_with("/page"))
            return fmt::format("<title>Page</title><body style='margin:0;background:{}'><form action='/answer'>"
                               "<input name='text' style='position:absolute;left:0;top:240px;width:900px;height:200px;"
                               "font-size:100px;color:{}'></form>",
                inHtml(first), inHtml(typed));
        return fmt::format("<title>Answer</title><body style='margin:0;background:{}'><div style='height:1000px'></div>"
                           "<div style='height:4000px;background:{}'></div>",
            inHtml(answer), inHtml(below));
    }
};

class LongBrowser : public ::testing::Test {
protected:
    void SetUp() override
    {
        ASSERT_TRUE(exists(guestFolder("browser") / "guest.json"))
            << "There is no guest browser. Make it: namsan guest make browser (./test --long does).";
    }
};

} // namespace

// "Long": for ./test --long, which makes the guest.
TEST_F(LongBrowser, ShowsItsPage)
{
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

TEST_F(LongBrowser, ShowsAPageOfTheHostAndTakesWhatIsTyped)
{
    const ColouredPages pages;
    const PageServer server(std::cref(pages));
    auto found = GuestCache(GuestCache::defaultFolder()).find("browser");
    ASSERT_TRUE(found) << found.error().message;
    MachineConfig config = found->config;
    config.engine = "soft";
    config.append += fmt::format(" {}http://10.0.2.2:{}/page", found->url, server.port());
    WatchedGuest guest(config, 240s); // on a busy host
    ASSERT_TRUE(guest.machineWasMade());

    ASSERT_TRUE(guest.waitForSerial("! READY: browser")) << guest.serial();
    EXPECT_TRUE(guest.waitForFrame(hasMuchOf(pages.first, 0.3)));
    EXPECT_EQ(server.asked("/page"), 1);

    guest.machine().sendInput(PointerButtonEvent { PointerButton::Left, true });
    guest.machine().sendInput(PointerButtonEvent { PointerButton::Left, false });
    EXPECT_TRUE(guest.waitForFrame(hasCaret));
    typeInto(guest.machine(), "namsan");
    EXPECT_TRUE(guest.waitForFrame(hasMuchOf(pages.typed, 0.002)));

    typeInto(guest.machine(), "\\n");
    EXPECT_TRUE(guest.waitForFrame(hasMuchOf(pages.answer, 0.5)));
    EXPECT_EQ(server.asked("/answer?text=namsan"), 1) << ::testing::PrintToString(server.allAsked());

    for (int step = 0; step < 20; ++step)
        guest.machine().sendInput(PointerWheel { -1 });
    EXPECT_TRUE(guest.waitForFrame(hasMuchOf(pages.below, 0.5)));
}

} // namespace namsan
