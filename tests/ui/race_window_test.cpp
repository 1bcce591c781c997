// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/race_window.h"

#include "tests/support/race_of_fakes.h"
#include "tests/support/temporary_folder.h"
#include "ui/common/theme.h"
#include "ui/console/console_view.h"
#include "ui/race/lane_card.h"
#include "ui/race/lane_cpus.h"
#include "ui/race/race_plot_view.h"
#include "ui/race/rounds_table.h"

#include <gtest/gtest.h>

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QKeyEvent>
#include <QSpinBox>
#include <QTest>

#include <fmt/format.h>

namespace namsan {

namespace {

// The window of a race whose guests do what the test says.
class RaceWindowTest : public ::testing::Test {
protected:
    void open(const RaceSettings& settings = {}, const Topology& host = synthesize({ .coresPerSocket = 4 }))
    {
        window = std::make_unique<RaceWindow>(
            host,
            [this](const RaceSettings& wanted) {
                return makerTrouble.empty() ? Result<RaceSetup>(fakes.setup(wanted)) : Error { makerTrouble };
            },
            settings);
        window->show();
        QApplication::processEvents();
    }
    bool bothBoot()
    {
        return RaceOfFakes::waitFor(
            [this] { return window->runner() && window->runner()->machine(0) && window->runner()->machine(1); });
    }
    void reachMarks()
    {
        for (size_t lane = 0; lane < 2; ++lane)
            fakes.machine(lane).print("! BEGIN: kbuild\n");
        RaceOfFakes::waitFor([this] { return window->runner()->race().lane(1).stage == LaneStage::Running; });
    }
    void finish(double first, double second)
    {
        const size_t rounds = window->runner()->race().rounds().size();
        fakes.machine(0).print(fmt::format("! PERF: kbuild {:.2f} s ok\n", first));
        fakes.machine(1).print(fmt::format("! PERF: kbuild {:.2f} s ok\n", second));
        RaceOfFakes::waitFor([&] { return window->runner()->race().rounds().size() > rounds || !window->racing(); });
    }
    void press(int key) { QTest::keyClick(window.get(), static_cast<Qt::Key>(key)); }
    QString cell(int row, int column)
    {
        const QTableWidgetItem* item = window->findChild<RoundsTable*>()->item(row, column);
        return item ? item->text() : QString();
    }
    template <class Control> Control& control(const char* name)
    {
        return *window->findChild<Control*>(QString::fromLatin1(name));
    }

    RaceOfFakes fakes;
    std::unique_ptr<RaceWindow> window;
    std::string makerTrouble;
};

} // namespace

TEST_F(RaceWindowTest, ShowsItsLanesBeforeTheRace)
{
    open();
    EXPECT_EQ(window->windowTitle(), "Race: 1(d) against 2(s) - Namsan");
    EXPECT_EQ(window->headline(), "Two CPUs. Which use of them is faster?");
    EXPECT_EQ(window->lane(0).cpus().cells().size(), 2U);
    EXPECT_EQ(window->lane(1).cpus().cells().size(), 2U);
    EXPECT_EQ(window->lane(0).time(), QString(QChar(0x2013)));
    EXPECT_TRUE(window->verdict().startsWith("No winner yet.")) << window->verdict().toStdString();
    EXPECT_EQ(window->banner(), "");
    EXPECT_FALSE(window->racing());
    EXPECT_TRUE(window->lane(0).accessibleName().startsWith("Lane A, 1(d), VMM has a CPU of its own"))
        << window->lane(0).accessibleName().toStdString();
}

TEST_F(RaceWindowTest, SpaceStartsAndTheLanesRunTogether)
{
    open();
    press(Qt::Key_Space);
    ASSERT_TRUE(bothBoot());
    EXPECT_EQ(window->lane(0).caption(), "Booting");
    fakes.machine(0).print("! BEGIN: kbuild\n");
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return window->lane(0).caption() == "At the start, held"; }));
    EXPECT_EQ(window->lane(1).caption(), "Booting");
    fakes.machine(1).print("! BEGIN: kbuild\n");
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return window->lane(0).caption() == "Guest time"; }));

    fakes.machine(1).print("! DONE: kbuild 1 of 40 0.80 s\n! DONE: kbuild 2 of 40 1.50 s\n");
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return window->lane(1).files().startsWith("2"); }));
    EXPECT_TRUE(window->lane(1).files().endsWith("of 40"));
    const auto* plot = window->findChild<RacePlotView*>();
    EXPECT_TRUE(plot->accessibleDescription().contains("B 2(s) 2 files"))
        << plot->accessibleDescription().toStdString();
    EXPECT_TRUE(plot->accessibleDescription().contains("B leads by 2 files"));

    finish(58.9, 33.6);
    // The host's time of machines without guests stands still, so the guests' is off.
    EXPECT_EQ(cell(0, 1), "58.9* s");
    EXPECT_EQ(cell(0, 2), "33.6* s");
    EXPECT_EQ(cell(0, 3), QString::fromUtf8("−43\u00a0%"));
    EXPECT_EQ(cell(1, 1), "..."); // the second round goes on
}

TEST_F(RaceWindowTest, NamesTheWinnerAfterSixRounds)
{
    RaceSettings settings;
    settings.rounds = 6;
    open(settings);
    window->start();
    for (int round = 0; round < 6; ++round) {
        ASSERT_TRUE(bothBoot());
        EXPECT_TRUE(window->verdict().startsWith("No winner yet.")) << round;
        reachMarks();
        finish(58.0 + round * 0.1, 33.0 + round * 0.2);
    }
    EXPECT_FALSE(window->racing());
    EXPECT_TRUE(window->verdict().startsWith("B 2(s) is faster.")) << window->verdict().toStdString();
    EXPECT_EQ(cell(6, 0), "Median");
    EXPECT_TRUE(window->action("startRace")->isEnabled());
}

TEST_F(RaceWindowTest, SaysThatLanesHinderEachOtherAndOffersTurns)
{
    open({}, synthesize({ .coresPerSocket = 2 }));
    EXPECT_TRUE(window->banner().contains("hinder each other")) << window->banner().toStdString();
    control<QCheckBox>("byTurns").click();
    EXPECT_EQ(window->banner(), "");
    EXPECT_TRUE(window->settings().byTurns);
}

TEST_F(RaceWindowTest, SettingsStayWhileTheRaceGoesOn)
{
    open();
    control<QSpinBox>("lanes").setValue(3);
    EXPECT_EQ(window->settings().lanes.size(), 3U);
    control<QSpinBox>("lanes").setValue(2);
    window->start();
    ASSERT_TRUE(bothBoot());
    EXPECT_FALSE(control<QComboBox>("workload").isEnabled());
    EXPECT_FALSE(control<QComboBox>("workload").toolTip().isEmpty());
    window->action("cancelRace")->trigger();
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return !window->racing(); }));
    EXPECT_TRUE(control<QComboBox>("workload").isEnabled());
}

TEST_F(RaceWindowTest, PausesAndGoesOn)
{
    open();
    window->start();
    ASSERT_TRUE(bothBoot());
    reachMarks();
    press(Qt::Key_F6);
    EXPECT_EQ(fakes.machine(0).state(), MachineState::Paused);
    EXPECT_EQ(window->action("pauseRace")->text(), "Go on");
    press(Qt::Key_F6);
    EXPECT_EQ(fakes.machine(0).state(), MachineState::Running);
}

TEST_F(RaceWindowTest, TellsWhatIsWrong)
{
    makerTrouble = "The guest \"kbuild\" has not been made.";
    open();
    window->start();
    EXPECT_EQ(window->banner(), QString::fromStdString(makerTrouble));
    makerTrouble.clear();
    fakes.trouble[0] = "There is no kernel.";
    window->start();
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return window->banner().contains("There is no kernel."); }));
    EXPECT_FALSE(window->racing());
}

TEST_F(RaceWindowTest, ClosesWhenItsMachinesHaveGone)
{
    open();
    window->start();
    ASSERT_TRUE(bothBoot());
    window->close();
    ASSERT_TRUE(RaceOfFakes::waitFor([&] { return !window->isVisible(); }));
    EXPECT_FALSE(window->racing());
}

TEST_F(RaceWindowTest, ExportsWhatIsOver)
{
    open();
    QAction* action = window->action("exportRace");
    EXPECT_FALSE(action->isEnabled());
    EXPECT_TRUE(action->toolTip().startsWith("There is nothing to export"));
    EXPECT_EQ(action->shortcut(), QKeySequence(Qt::CTRL | Qt::Key_E));
    window->start();
    ASSERT_TRUE(bothBoot());
    reachMarks();
    EXPECT_FALSE(action->isEnabled());
    finish(58.9, 33.6);
    ASSERT_TRUE(action->isEnabled());

    const TemporaryFolder folder;
    const auto exported = [&](const char* name) {
        action->trigger();
        auto* dialog = window->findChild<QFileDialog*>();
        EXPECT_NE(dialog, nullptr);
        emit dialog->fileSelected(QString::fromStdString(folder.path(name)));
        delete dialog;
        return folder.read(name);
    };
    EXPECT_TRUE(exported("race.md").starts_with("### kbuild (smoke): 1(d) against 2(s)\n"));
    EXPECT_NE(window->banner().indexOf("The race was exported as"), -1) << window->banner().toStdString();
    EXPECT_NE(exported("race.csv").find("kbuild,smoke,soft,1,B,2s,ok,33.6"), std::string::npos);
    EXPECT_NE(exported("race.json").find("\"namsan-race\""), std::string::npos);
    EXPECT_NE(exported("race.svg").find("<svg"), std::string::npos);
    EXPECT_TRUE(exported("race.PNG").starts_with("\x89PNG"));
    exported("no/such/folder/race.md");
    EXPECT_NE(window->banner().indexOf("no/such/folder"), -1) << window->banner().toStdString();
}

TEST_F(RaceWindowTest, AWorkloadWithoutProgressShowsNoFiles)
{
    RaceSettings settings;
    settings.workload = "count";
    open(settings);
    EXPECT_FALSE(window->lane(0).accessibleName().contains("files"));
    const QString before = window->findChild<RacePlotView*>()->accessibleDescription();
    EXPECT_EQ(before, "No lane has left its mark yet.");
}

// Kept for people to look at, where NAMSAN_PICTURES names a folder.
TEST_F(RaceWindowTest, IsPaintedInBothThemes)
{
    for (const ThemeChoice theme : { ThemeChoice::Light, ThemeChoice::Dark }) {
        applyTheme(*qApp, theme);
        open();
        window->start();
        ASSERT_TRUE(bothBoot());
        reachMarks();
        finish(58.9, 33.6);
        ASSERT_TRUE(bothBoot());
        reachMarks();
        for (unsigned file = 1; file <= 26; ++file) {
            const double time = file * 0.8 + (file % 3) * 0.2;
            if (file <= 16)
                fakes.machine(0).print(fmt::format("! DONE: kbuild {} of 40 {:.2f} s\n", file, time * 1.6));
            fakes.machine(1).print(fmt::format("! DONE: kbuild {} of 40 {:.2f} s\n", file, time));
        }
        for (size_t lane = 0; lane < 2; ++lane) {
            MachineSample sample = fakes.machine(lane).sample();
            for (const double second : { 0.0, 21.4 }) {
                sample.hostTime = std::chrono::nanoseconds(static_cast<int64_t>(second * 1e9));
                sample.guestTime = sample.hostTime;
                for (VcpuFigures& vcpu : sample.vcpus)
                    vcpu.instructions = static_cast<uint64_t>(second * 1e8);
                for (size_t thread = 0; thread < sample.threads.size(); ++thread) {
                    sample.threads[thread].cpuTime = sample.hostTime * (thread == 0 ? 12 : 95) / 100;
                    sample.threads[thread]
                        .observed[static_cast<LogicalCpu>(2 * lane + (lane == 0 ? thread : thread / 2))]
                        += 100;
                }
                fakes.machine(lane).setSample(sample);
                window->lane(lane).addSample(sample);
                RaceOfFakes::waitFor([&] { return window->runner()->track(lane).guestSeconds() >= second; });
            }
            fakes.machine(lane).show({ "  CC      init/main.o" });
        }
        ASSERT_TRUE(RaceOfFakes::waitFor([&] { return window->lane(0).time().startsWith("21.4"); }));
        const QImage picture = window->grab().toImage();
        const bool dark = theme == ThemeChoice::Dark;
        EXPECT_EQ(picture.pixelColor(4, picture.height() / 2).lightness() < 128, dark);
        const QString folder = qEnvironmentVariable("NAMSAN_PICTURES");
        EXPECT_TRUE(folder.isEmpty() || picture.save(folder + (dark ? "/race-dark.png" : "/race.png")));
        window.reset();
    }
    applyTheme(*qApp, ThemeChoice::Light);
}

} // namespace namsan
