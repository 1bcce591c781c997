// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/gui_watchdog.h"
#include "tests/ui/window_with_machine.h"

#include "ui/common/theme.h"
#include "ui/console/console_view.h"
#include "ui/placement/placement_dock.h"
#include "ui/shell/ending_page.h"
#include "ui/shell/status_field.h"

#include <QAccessible>
#include <QAction>
#include <QDir>
#include <QElapsedTimer>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QTimer>
#include <QToolBar>
#include <QToolButton>

#include <atomic>
#include <thread>

namespace namsan {

namespace {

bool contains(const std::vector<std::string>& calls, const std::string& call)
{
    return std::find(calls.begin(), calls.end(), call) != calls.end();
}

} // namespace

class MainWindowTest : public WindowTest {
protected:
    void start()
    {
        window->machine().start();
        settle();
    }

    // For what another thread brings about.
    template <class Condition> static void settleUntil(Condition condition)
    {
        QElapsedTimer time;
        for (time.start(); !condition() && time.elapsed() < 10000;)
            settle();
    }

    QMessageBox* question() { return window->findChild<QMessageBox*>("switchOffQuestion"); }
    QTimer* patience() { return window->findChild<QTimer*>("closePatience"); }

    // The machine is made anew on a thread of its own.
    void waitForMachine(int number)
    {
        QElapsedTimer time;
        time.start();
        while ((machinesMade < number || window->machine().state() != MachineState::Running) && time.elapsed() < 20'000)
            settle();
        settle();
    }

    void letPatienceEnd()
    {
        patience()->start(0);
        for (int i = 0; i < 100 && patience()->isActive(); ++i)
            settle();
    }
};

TEST_F(MainWindowTest, IsNamedAfterTheMachine)
{
    EXPECT_TRUE(window->windowTitle().startsWith("Tiny Linux"));
}

TEST_F(MainWindowTest, RunsPausesAndResets)
{
    window->action("run")->trigger();
    settle();
    EXPECT_EQ(window->machine().state(), MachineState::Running);
    EXPECT_FALSE(window->action("run")->isEnabled());
    window->action("runOrPause")->trigger();
    settle();
    EXPECT_EQ(window->machine().state(), MachineState::Paused);
    EXPECT_EQ(window->action("runOrPause")->text(), "Run");
    window->action("runOrPause")->trigger();
    settle();
    window->action("reset")->trigger();
    window->action("powerButton")->trigger();
    EXPECT_TRUE(contains(machine->calls(), "reset"));
    EXPECT_TRUE(contains(machine->calls(), "power button"));
}

TEST_F(MainWindowTest, CarriesTheGuestToAnotherEngine)
{
    machine->engines = { { "soft:interpreter", {} }, { "kvm", "There is no KVM here." } };
    start();
    auto* menu = window->findChild<QMenu*>("engineMenu");
    ASSERT_TRUE(menu);
    emit menu->aboutToShow();
    QAction* interpreter = window->action("engine:soft:interpreter");
    QAction* kvm = window->action("engine:kvm");
    EXPECT_TRUE(menu->toolTipsVisible());
    EXPECT_TRUE(interpreter->isEnabled());
    EXPECT_FALSE(interpreter->isChecked());
    EXPECT_FALSE(kvm->isEnabled());
    EXPECT_EQ(kvm->toolTip(), "There is no KVM here.");
    EXPECT_FALSE(window->action("engine:soft:translator")->isEnabled());

    const auto* badge = window->findChild<EngineBadge*>();
    EXPECT_EQ(badge->text(), "fake");
    interpreter->trigger();
    settleUntil([&] { return badge->text() != "fake"; });
    EXPECT_EQ(badge->text(), "soft:interpreter");
    EXPECT_TRUE(badge->toolTip().startsWith("Engine soft:interpreter:"));
    EXPECT_TRUE(interpreter->isChecked());
    EXPECT_EQ(window->machine().state(), MachineState::Running);
}

TEST_F(MainWindowTest, SaysWhyTheGuestStaysOnItsEngine)
{
    machine->engines = { { "kvm", {} } };
    start();
    emit window->findChild<QMenu*>("engineMenu")->aboutToShow();
    QAction* kvm = window->action("engine:kvm");
    ASSERT_TRUE(kvm->isEnabled());
    machine->engines.clear(); // meanwhile
    kvm->trigger();
    EXPECT_FALSE(kvm->isChecked());
    settleUntil([&] { return !window->banner().isEmpty(); });
    EXPECT_EQ(window->banner(), "The guest was not moved to the engine kvm. The fake host has no such engine.");
    EXPECT_EQ(window->findChild<EngineBadge*>()->text(), "fake");
    EXPECT_EQ(window->machine().state(), MachineState::Running);

    machine->end(MachineEnding::Reason::PoweredOff, "The guest switched itself off.");
    settle();
    EXPECT_FALSE(kvm->isEnabled());
    EXPECT_EQ(kvm->toolTip(), "The machine has ended; there is no guest that could change engines.");
}

TEST_F(MainWindowTest, EveryToolSaysWhatItDoesAndByWhichKeys)
{
    start();
    const auto* bar = window->findChild<QToolBar*>("machineToolBar");
    int tools = 0;
    for (QAction* action : bar->actions()) {
        if (action->isSeparator())
            continue;
        ++tools;
        EXPECT_FALSE(action->text().isEmpty());
        EXPECT_FALSE(action->icon().isNull()) << action->text().toStdString();
        EXPECT_TRUE(action->toolTip().endsWith(")")) << action->toolTip().toStdString() << " names no keys";
        const QAccessibleInterface* tool = QAccessible::queryAccessibleInterface(bar->widgetForAction(action));
        ASSERT_TRUE(tool);
        EXPECT_FALSE(tool->text(QAccessible::Name).isEmpty());
    }
    EXPECT_EQ(tools, 8); // Run or Pause, Reset, Power button, Ctrl+Alt+Del, Screenshot, Full screen, Experiments, Race
}

TEST_F(MainWindowTest, SendsAnNmiWhenAsked)
{
    EXPECT_FALSE(window->action("sendNmi")->isEnabled());
    start();
    window->action("sendNmi")->trigger();
    EXPECT_TRUE(contains(machine->calls(), "NMI"));
}

TEST_F(MainWindowTest, SaysWhyItCouldNotStartAgain)
{
    start();
    machine->end(MachineEnding::Reason::PoweredOff, "The guest switched itself off.");
    settle();
    makeFails = true;
    window->action("run")->trigger();
    QElapsedTimer time;
    time.start();
    while (window->banner().isEmpty() && time.elapsed() < 20'000)
        settle();
    EXPECT_EQ(window->banner(), "There is no kernel any more.");
    EXPECT_TRUE(window->action("run")->isEnabled()) << "the user may have put it back";
    EXPECT_TRUE(window->endingPage().isVisible());
}

TEST_F(MainWindowTest, ShowsOnlyIconsWhereItIsNarrow)
{
    const auto* bar = window->findChild<QToolBar*>("machineToolBar");
    window->resize(1440, 900);
    settle();
    EXPECT_EQ(bar->toolButtonStyle(), Qt::ToolButtonTextBesideIcon);
    window->resize(1000, 700);
    settle();
    EXPECT_EQ(bar->toolButtonStyle(), Qt::ToolButtonIconOnly);
}

TEST_F(MainWindowTest, FullScreenLeavesThePictureAndTheWayOut)
{
    start();
    window->action("fullScreen")->setChecked(true);
    settle();
    EXPECT_TRUE(window->isFullScreen());
    EXPECT_FALSE(window->placementDock().isVisible());
    EXPECT_TRUE(window->console().isVisible());
    window->action("fullScreen")->setChecked(false);
    settle();
    EXPECT_FALSE(window->isFullScreen());
    EXPECT_TRUE(window->placementDock().isVisible());
}

TEST_F(MainWindowTest, ACrashedGuestLeavesAPageWithRemedies)
{
    start();
    machine->show({ "last words" });
    machine->end(MachineEnding::Reason::Crashed, "The guest's CPU met three faults in a row.");
    settle();
    EXPECT_TRUE(window->endingPage().isVisible());
    EXPECT_EQ(window->endingPage().title(), "The guest crashed");
    EXPECT_TRUE(window->endingPage().explanation().contains("three faults"));
    EXPECT_FALSE(window->action("pause")->isEnabled());

    emit window->endingPage().startAgain();
    emit window->endingPage().startAgain(); // an impatient click
    waitForMachine(2);
    EXPECT_EQ(machinesMade, 2);
    EXPECT_EQ(window->machine().state(), MachineState::Running);
    EXPECT_TRUE(window->console().isVisible());
}

TEST_F(MainWindowTest, KeepsThePlacementWhenItStartsAgain)
{
    start();
    window->placementDock().preset("1(s)")->click();
    const Placement placement = machine->placement();
    machine->end(MachineEnding::Reason::PoweredOff, "The guest switched itself off.");
    settle();
    window->action("run")->trigger();
    waitForMachine(2);
    EXPECT_EQ(machinesMade, 2);
    EXPECT_EQ(machine->placement(), placement);
}

TEST_F(MainWindowTest, ClosesAtOnceWhereNothingRuns)
{
    EXPECT_TRUE(window->close());
}

TEST_F(MainWindowTest, ClosesWithoutAQuestionWhenTheGuestSwitchesItselfOff)
{
    start();
    EXPECT_FALSE(window->close());
    EXPECT_TRUE(contains(machine->calls(), "power button"));
    EXPECT_EQ(patience()->intervalAsDuration(), std::chrono::seconds(5));
    EXPECT_TRUE(patience()->isActive());
    EXPECT_FALSE(question());
    machine->end(MachineEnding::Reason::PoweredOff, "The guest switched itself off.");
    settle();
    EXPECT_FALSE(window->isVisible());
    EXPECT_FALSE(question());
}

TEST_F(MainWindowTest, AsksWhenNothingHappens)
{
    start();
    window->close();
    EXPECT_FALSE(question());
    letPatienceEnd();
    ASSERT_TRUE(question());
    EXPECT_TRUE(question()->isVisible());
    EXPECT_TRUE(window->isVisible());
    for (QAbstractButton* button : question()->buttons()) {
        if (button->text() == "Cut the power")
            button->click();
    }
    QElapsedTimer time;
    time.start();
    while (window->isVisible() && time.elapsed() < 5000)
        settle(); // the power is cut on a thread of its own
    EXPECT_FALSE(window->isVisible());
}

TEST_F(MainWindowTest, KeepsRunningWhenTheUserSaysSo)
{
    start();
    window->close();
    letPatienceEnd();
    ASSERT_TRUE(question());
    for (QAbstractButton* button : question()->buttons()) {
        if (button->text() == "Keep it running")
            button->click();
    }
    settle();
    EXPECT_TRUE(window->isVisible());
    EXPECT_EQ(window->machine().state(), MachineState::Running);
    EXPECT_FALSE(window->close());
    EXPECT_TRUE(patience()->isActive());
}

// A guest that floods screen and serial port must not stop the window from answering: 50 ms are the most that the GUI
// thread may be away.
TEST_F(MainWindowTest, AnswersWhileTheGuestFloods)
{
    start();
    std::atomic<bool> flooding = true;
    std::thread guest([&] {
        const std::string line(200, 'x');
        Frame frame = FakeMachine::textFrame({ "flood" });
        frame.width = 1024;
        frame.height = 768;
        frame.pixels.assign(1024 * 768, 0xff334455);
        frame.damage = { 0, 0, 1024, 768 };
        while (flooding) {
            for (int i = 0; i < 50; ++i)
                machine->print(line + "\r\n\x1b[31mred\x1b[0m");
            ++frame.pixels[0];
            machine->show(frame);
            std::this_thread::yield();
        }
    });
    const GuiWatchdog watchdog;
    QElapsedTimer time;
    time.start();
    while (time.elapsed() < 2000)
        QApplication::processEvents(QEventLoop::AllEvents, 5);
    flooding = false;
    guest.join();
    EXPECT_GT(watchdog.beats(), 10);
    EXPECT_LE(watchdog.longest(), GuiWatchdog::mostMilliseconds) << watchdog.longestWithHost() << " ms with the host";
}

// Pictures of the window in both themes and at a fractional scale, kept beside the test for people to look at.
class WindowPictures : public WindowTest {
protected:
    void scene()
    {
        window->resize(1440, 900);
        window->machine().start();
        settle();
        Frame frame;
        frame.width = 720;
        frame.height = 400;
        frame.pixels.assign(720 * 400, 0xff000000);
        for (size_t line = 0; line < 24; ++line) {
            for (size_t x = 0; x < 300 + line * 37 % 380; ++x) {
                for (size_t y = 3; y < 13; ++y) {
                    if ((x * 7 + y * 13 + line * 31) % 5 < 2 && x % 9 < 7)
                        frame.pixels[(line * 16 + y) * 720 + x] = 0xffaaaaaa;
                }
            }
        }
        frame.damage = { 0, 0, 720, 400 };
        frame.text = { "a" };
        machine->show(frame);
        machine->print("Linux version 6.1.0-41-686\r\n[    0.000000] tiny\r\n/ # ");
        SampleMaker maker;
        for (int second = 0; second < 58; ++second) {
            if (second == 20)
                window->placementDock().preset("1(s)")->click();
            if (second == 40)
                window->placementDock().preset("1(d)")->click();
            if (second == 50)
                key(*window->placementDock().view().chip(1), Qt::Key_Delete);
            maker.places = second < 50 ? std::vector<LogicalCpu> { 0, 1 } : std::vector<LogicalCpu> { 0, 6 };
            maker.loads = { 0.08 + second % 5 * 0.01, second < 8 ? 0.02 : 0.85 + second % 7 * 0.02 };
            maker.mips = second < 8 ? 2 : 380 + second % 9 * 6;
            maker.guestSecondsPerHostSecond = 0.9998;
            emit window->machine().sampled(maker.after(1));
        }
        window->placementDock().view().setHostLoad(
            { { 0, 0.2 }, { 1, 0.3 }, { 2, 0.05 }, { 3, 0.12 }, { 4, 0.03 }, { 5, 0.06 }, { 6, 0.95 }, { 7, 0.01 } });
        click(window->console());
        settle();
    }

    static QString folder()
    {
        const QString path = QApplication::applicationDirPath() + "/window_pictures";
        QDir().mkpath(path);
        return path;
    }

    void keep(const QString& name)
    {
        const QPixmap picture = window->grab();
        EXPECT_EQ(picture.size(), window->size() * window->devicePixelRatioF());
        EXPECT_TRUE(picture.save(folder() + "/" + name));
    }
};

TEST_F(WindowPictures, InBothThemes)
{
    auto& application = *static_cast<QApplication*>(QCoreApplication::instance());
    for (const ThemeChoice theme : { ThemeChoice::Dark, ThemeChoice::Light }) {
        const QString suffix = theme == ThemeChoice::Dark ? "dark" : "light";
        applyTheme(application, theme);
        open(fourCoresWithTwoThreads());
        scene();
        keep("running-" + suffix + ".png");
        const bool dark = window->palette().color(QPalette::Window).lightness() < 128;
        EXPECT_EQ(dark, theme == ThemeChoice::Dark);
        window->resize(1000, 700);
        settle();
        keep("narrow-" + suffix + ".png");
        window->resize(1440, 900);
        machine->ownLog().add(LogLevel::Error, "vCPU 0", "Triple fault: page fault at 0010:010000B4, error 0000");
        machine->end(MachineEnding::Reason::Crashed,
            "The guest met a page fault that it could not handle, then a double fault, then a triple fault at "
            "0010:010000B4.");
        settle();
        keep("crashed-" + suffix + ".png");
    }
}

} // namespace namsan
