// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/start_window.h"

#include "tests/support/temporary_folder.h"
#include "tests/ui/gui_watchdog.h"
#include "ui/library/start_card.h"

#include <gtest/gtest.h>

#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

namespace namsan {

namespace {
namespace fs = std::filesystem;

constexpr int longEnough = 20000; // milliseconds, for what takes a few

class StartWindowTest : public ::testing::Test {
protected:
    StartWindowTest()
    {
        for (const char* guest : { "browser", "tiny", "kbuild" })
            folder.write(std::string("recipes/") + guest + "/recipe",
                "# SPDX\n# Guest: Works\n# Download: 3 MB\n# Disk: 5 MB\n# Kept: 2 MB\n# Time: 9 seconds\n");
        describe("tiny");
    }

    void describe(const std::string& guest) const
    {
        folder.write("guests/" + guest + "/guest.json",
            R"({"format": "namsan-guest", "version": 1, "title": "Works", "kernel": "vmlinuz", "append": ""})");
    }
    // What "makes" guests.
    void script(const std::string& text) const
    {
        fs::permissions(
            folder.write("recipes/make-guest", "#!/bin/sh\n[ \"$1\" != --state ] || exec cat \"$0.states\"\n" + text),
            fs::perms::owner_all);
    }
    StartWindow& open()
    {
        window = std::make_unique<StartWindow>(
            Topology {}, GuestCache(folder.path("guests")), GuestRecipes(folder.path("recipes/make-guest")));
        chosen = std::make_unique<QSignalSpy>(window.get(), &StartWindow::chosen);
        window->show();
        return *window;
    }
    StartChoice choice() const { return chosen->front().front().value<StartChoice>(); }

    const TemporaryFolder folder;
    std::unique_ptr<StartWindow> window;
    std::unique_ptr<QSignalSpy> chosen;
};

} // namespace

TEST_F(StartWindowTest, OffersThreeChoicesWithWhatTheyTake)
{
    script("exit 1\n");
    StartWindow& start = open();
    const QString cost
        = QStringLiteral("3 MB to download, 5 MB of disk while it is made, 2 MB when it is ready, some 9 "
                         "seconds");
    EXPECT_TRUE(start.card(StartChoice::Browser).note().contains(cost));
    EXPECT_TRUE(start.card(StartChoice::Measuring).note().contains(cost));
    EXPECT_FALSE(start.card(StartChoice::Placement).note().contains(cost)) << "it is there already";
    ASSERT_TRUE(QTest::qWaitForWindowActive(&start));
    EXPECT_TRUE(start.card(StartChoice::Browser).hasFocus());
    for (const StartChoice each : { StartChoice::Browser, StartChoice::Placement, StartChoice::Measuring }) {
        EXPECT_FALSE(start.card(each).accessibleName().isEmpty());
        EXPECT_FALSE(start.card(each).accessibleDescription().isEmpty());
    }
}

TEST_F(StartWindowTest, TakesAReadyGuestAtOnceByKeyMouseAndReturn)
{
    script("exit 1\n");
    describe("browser");
    describe("kbuild");
    StartWindow& start = open();
    ASSERT_TRUE(QTest::qWaitForWindowActive(&start));
    QTest::keyClick(&start, Qt::Key_3);
    ASSERT_TRUE(chosen->count() > 0 || chosen->wait(longEnough));
    EXPECT_EQ(choice(), StartChoice::Measuring);
    chosen->clear();
    QTest::mouseClick(&start.card(StartChoice::Placement), Qt::LeftButton);
    ASSERT_EQ(chosen->count(), 1);
    EXPECT_EQ(choice(), StartChoice::Placement);
    chosen->clear();
    QTest::keyClick(&start.card(StartChoice::Browser), Qt::Key_Return);
    ASSERT_EQ(chosen->count(), 1);
    EXPECT_EQ(choice(), StartChoice::Browser);
}

TEST_F(StartWindowTest, MakesAMissingGuestFirstAndShowsHowFarItIs)
{
    script("echo \"make-guest: [1/2] fetching\"\necho \"make-guest: [2/2] packing\"\nwhile [ ! -e \"$0.go\" ]; do "
           "sleep 0.01; done\nmkdir -p \"$(dirname \"$0\")/../guests/browser\"\ncp \"$(dirname "
           "\"$0\")/../guests/tiny/guest.json\" \"$(dirname \"$0\")/../guests/browser/\"\n");
    StartWindow& start = open();
    const GuiWatchdog watchdog;
    start.card(StartChoice::Browser).click();
    auto* bar = start.findChild<QProgressBar*>();
    EXPECT_TRUE(QTest::qWaitFor([&] { return bar->maximum() == 2 && bar->value() == 1; }, longEnough));
    EXPECT_TRUE(start.making());
    EXPECT_TRUE(bar->isVisible());
    EXPECT_FALSE(start.card(StartChoice::Placement).isEnabled());
    EXPECT_EQ(chosen->count(), 0);
    folder.write("recipes/make-guest.go", std::string_view());
    ASSERT_TRUE(chosen->wait(longEnough));
    EXPECT_EQ(choice(), StartChoice::Browser);
    EXPECT_LT(watchdog.longest(), GuiWatchdog::mostMilliseconds);
}

TEST_F(StartWindowTest, MakesAGuestAgainWhoseRecipeHasChanged)
{
    script("echo \"make-guest: [1/2] fetching\"\n");
    describe("kbuild");
    folder.write("recipes/make-guest.states", "kbuild: recipe changed\ntiny: ready\nbrowser: not made\n");
    StartWindow& start = open();
    EXPECT_TRUE(start.card(StartChoice::Measuring).note().contains(QStringLiteral("recipe has changed")));
    EXPECT_FALSE(start.card(StartChoice::Browser).note().contains(QStringLiteral("recipe has changed")));
    start.card(StartChoice::Measuring).click();
    EXPECT_TRUE(start.making());
    ASSERT_TRUE(chosen->wait(longEnough));
    start.card(StartChoice::Placement).click();
    EXPECT_FALSE(start.making()) << "it is ready";
}

TEST_F(StartWindowTest, StopsTheMakingWhenItIsCancelled)
{
    script("echo \"make-guest: [1/2] fetching\"\nsleep 600\n");
    StartWindow& start = open();
    start.card(StartChoice::Browser).click();
    ASSERT_TRUE(start.making());
    start.findChild<QPushButton*>()->click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !start.making(); }, longEnough));
    EXPECT_TRUE(start.message().contains(QStringLiteral("because it was stopped")));
    EXPECT_TRUE(start.card(StartChoice::Placement).isEnabled());
    EXPECT_EQ(chosen->count(), 0);
}

TEST_F(StartWindowTest, TellsWhyAGuestCouldNotBeMade)
{
    script("echo \"make-guest: no network; connect this machine and try again.\"\nexit 1\n");
    StartWindow& start = open();
    start.card(StartChoice::Measuring).click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !start.making(); }, longEnough));
    EXPECT_TRUE(start.message().contains(QStringLiteral("no network; connect this machine")));
    EXPECT_TRUE(start.card(StartChoice::Measuring).hasFocus());
}

TEST_F(StartWindowTest, EndsTheMakingWithTheWindow)
{
    script("echo $$ >\"$0.pid\"\necho \"make-guest: [1/2] fetching\"\nsleep 600\n");
    StartWindow& start = open();
    start.card(StartChoice::Browser).click();
    ASSERT_TRUE(QTest::qWaitFor([&] { return !folder.read("recipes/make-guest.pid").empty(); }, longEnough));
    start.close();
    window.reset();
    EXPECT_FALSE(fs::exists("/proc/" + std::to_string(std::stoi(folder.read("recipes/make-guest.pid")))));
}

} // namespace namsan
