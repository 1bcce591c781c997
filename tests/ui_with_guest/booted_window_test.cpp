// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/ui/gui_watchdog.h"
#include "tests/ui_with_guest/picture_reader.h"

#include "app/library/guest_cache.h"
#include "ui/console/console_view.h"
#include "ui/console/serial_view.h"
#include "ui/placement/placement_dock.h"
#include "ui/shell/main_window.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QKeyEvent>
#include <QMessageBox>
#include <QMouseEvent>
#include <QTableWidget>

#include <fstream>
#include <random>
#include <sstream>

namespace namsan {

namespace {

constexpr int bootMilliseconds = 120'000; // on a host that is busy with other things, too
constexpr int answerMilliseconds = 60'000;

// Where Linux puts the keys of a US keyboard (input-event-codes.h), and which of them take Shift.
struct KeyStroke {
    quint32 linuxCode;
    bool shift;
};

KeyStroke strokeFor(char character)
{
    struct Row {
        const char* labels;
        quint32 firstCode;
        bool shift;
    };
    static constexpr std::array<Row, 9> rows { { { "1234567890-=", 2, false }, { "!@#$%^&*()_+", 2, true },
        { "qwertyuiop[]\n", 16, false }, { "asdfghjkl;'`", 30, false }, { "zxcvbnm,./", 44, false }, { " ", 57, false },
        { "QWERTYUIOP{}", 16, true }, { "ASDFGHJKL:\"~", 30, true }, { "ZXCVBNM<>?", 44, true } } };
    for (const Row& row : rows) {
        if (const char* at = std::strchr(row.labels, character))
            return { row.firstCode + static_cast<quint32>(at - row.labels), row.shift };
    }
    ADD_FAILURE() << "no key for " << character;
    return { 57, false };
}

std::string randomWord()
{
    std::random_device device;
    std::string word;
    for (int i = 0; i < 10; ++i)
        word.push_back(static_cast<char>('a' + device() % 26));
    return word;
}

// What /proc tells of one of this process's threads: proc(5), /proc/pid/task/tid/{comm,stat,status}.
struct ThreadInProc {
    std::string allowed; // Cpus_allowed_list
    int lastCpu = -1;
};

ThreadInProc findThread(const std::string& name)
{
    for (const QString& task : QDir("/proc/self/task").entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        const std::string folder = "/proc/self/task/" + task.toStdString();
        if (contentsOf(folder + "/comm") != name + "\n")
            continue;
        ThreadInProc thread;
        std::ifstream status(folder + "/status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("Cpus_allowed_list:\t"))
                thread.allowed = line.substr(19);
        }
        const std::string stat = contentsOf(folder + "/stat");
        std::istringstream fields(stat.substr(stat.rfind(')') + 2)); // the third field follows
        std::string field;
        for (int number = 3; number <= 39 && fields >> field; ++number) { }
        thread.lastCpu = std::stoi(field);
        return thread;
    }
    return {};
}

// The program's window with the tiny guest, booting.
class BootedWindow : public ::testing::Test {
protected:
    void SetUp() override
    {
        const auto guest = GuestCache(GuestCache::defaultFolder()).find("tiny");
        ASSERT_TRUE(guest.ok()) << guest.error().message;
        MachineConfig config = guest->config;
        config.engine = "soft";
        const auto topology = readTopology();
        ASSERT_TRUE(topology.ok());
        auto made = MachineController::create(config);
        ASSERT_TRUE(made.ok()) << made.error().message;
        window = std::make_unique<MainWindow>(
            *topology, std::move(*made), [config] { return MachineController::create(config); });
        window->show();
        watchdog.emplace();
        window->machine().start();
    }

    // Turns the event loop until it is so.
    static bool waitUntil(int milliseconds, const std::function<bool()>& isSo)
    {
        QElapsedTimer time;
        time.start();
        while (!isSo()) {
            if (time.elapsed() > milliseconds)
                return false;
            QApplication::processEvents(QEventLoop::WaitForMoreEvents, 20);
        }
        return true;
    }
    // As the frame tells it in words.
    bool waitForText(const std::string& line, int milliseconds)
    {
        return waitUntil(milliseconds, [&] {
            const auto& lines = window->console().text();
            return std::find(lines.begin(), lines.end(), line) != lines.end();
        });
    }
    bool waitForPrompt() { return waitForText("/ #", bootMilliseconds); }
    // As a person sees it.
    bool waitForPicture(const std::string& line, int milliseconds)
    {
        return waitForText(line, milliseconds) && readConsole(*window).contains(QString::fromStdString(line));
    }
    bool waitForSerial(const QString& text, int milliseconds)
    {
        return waitUntil(milliseconds, [&] { return window->serial().allText().contains(text); });
    }

    void giveKeyboard()
    {
        ConsoleView& console = window->console();
        const QPoint centre = console.rect().center();
        for (const QEvent::Type type : { QEvent::MouseButtonPress, QEvent::MouseButtonRelease }) {
            QMouseEvent event(type, centre, console.mapToGlobal(QPointF(centre)), Qt::LeftButton,
                type == QEvent::MouseButtonPress ? Qt::LeftButton : Qt::NoButton, Qt::NoModifier);
            QApplication::sendEvent(&console, &event);
        }
        ASSERT_TRUE(console.captured());
    }
    // By the keys' places, as X11 and Wayland tell them; all at once, as a paste would.
    void type(const std::string& text)
    {
        constexpr quint32 leftShift = 42;
        for (const char character : text) {
            const KeyStroke stroke = strokeFor(character);
            if (stroke.shift)
                sendKey(QEvent::KeyPress, leftShift);
            sendKey(QEvent::KeyPress, stroke.linuxCode);
            sendKey(QEvent::KeyRelease, stroke.linuxCode);
            if (stroke.shift)
                sendKey(QEvent::KeyRelease, leftShift);
        }
    }
    void sendKey(QEvent::Type type, quint32 linuxCode)
    {
        constexpr quint32 x11Offset = 8;
        QKeyEvent event(type, Qt::Key_unknown, Qt::NoModifier, linuxCode + x11Offset, 0, 0);
        QApplication::sendEvent(&window->console(), &event);
    }
    void sendChipKey(QWidget& chip, int key)
    {
        for (const QEvent::Type type : { QEvent::KeyPress, QEvent::KeyRelease }) {
            QKeyEvent event(type, key, Qt::NoModifier);
            QApplication::sendEvent(&chip, &event);
        }
    }

    QString cellText(const QString& column, int row)
    {
        const auto* table = window->findChild<QTableWidget*>(QStringLiteral("threadTable"));
        for (int i = 0; table && i < table->columnCount(); ++i) {
            if (table->horizontalHeaderItem(i)->text() == column)
                return table->item(row, i)->text();
        }
        ADD_FAILURE() << "no column " << column.toStdString();
        return {};
    }

    void expectThatNothingBlocked()
    {
        std::printf("longest turn of the GUI's loop: %.1f ms; and %.1f ms with what the host gave to others\n",
            watchdog->longest(), watchdog->longestWithHost());
        EXPECT_LE(watchdog->longest(), GuiWatchdog::mostMilliseconds);
    }

    // A picture of the window, beside the test program, for people to look at.
    void keepPicture(const QString& name)
    {
        const QString folder = QApplication::applicationDirPath() + "/window_pictures";
        QDir().mkpath(folder);
        EXPECT_TRUE(window->grab().save(folder + "/" + name));
    }

    std::unique_ptr<MainWindow> window;
    std::optional<GuiWatchdog> watchdog;
};

} // namespace

TEST_F(BootedWindow, AnswersATypedCommandAndNeverBlocks)
{
    ASSERT_TRUE(waitForPrompt()) << readConsole(*window).join("\n").toStdString();
    const std::string word = randomWord();
    giveKeyboard();
    type("echo " + word + " >/dev/ttyS0; echo " + word + "\n");
    EXPECT_TRUE(waitForPicture(word, answerMilliseconds)) << "not in the picture: " << word << "\n"
                                                          << readConsole(*window).join("\n").toStdString();
    EXPECT_TRUE(waitForSerial(QString::fromStdString(word), answerMilliseconds))
        << "not on the serial console: " << word << "\n"
        << window->serial().allText().toStdString();
    keepPicture(QStringLiteral("answered.png"));

    EXPECT_GT(watchdog->beats(), 100);
    expectThatNothingBlocked();
}

TEST_F(BootedWindow, LosesNoKeyOfALongLineThatIsTypedAtOnce)
{
    ASSERT_TRUE(waitForPrompt());
    std::string words;
    for (int i = 0; i < 60; ++i)
        words += randomWord();
    giveKeyboard();
    type("echo " + words + " >/dev/ttyS0; echo The Line Is Through\n");
    EXPECT_TRUE(waitForPicture("The Line Is Through", answerMilliseconds));
    EXPECT_TRUE(waitForSerial(QString::fromStdString(words), answerMilliseconds))
        << window->serial().allText().toStdString();
    expectThatNothingBlocked();
}

TEST_F(BootedWindow, AChipThatIsMovedUnderLoadMovesItsThreadWithinASecond)
{
    ASSERT_TRUE(waitForPrompt());
    giveKeyboard();
    type("while true; do true; done\n");
    ASSERT_TRUE(waitUntil(answerMilliseconds, [&] { return cellText("Load", 1).contains(QStringLiteral("%")); }));
    ConsoleView& console = window->console();
    console.release();

    const auto topology = readTopology();
    ASSERT_TRUE(topology.ok());
    const CpuSet allowed = topology->allowed();
    PlacementView& view = window->placementDock().view();
    // To each CPU and back to the first, so that there is a move even where there are only two.
    std::vector<LogicalCpu> way(allowed.begin(), allowed.end());
    way.push_back(way.front());
    for (const LogicalCpu cpu : way) {
        QWidget& chip = *view.chip(1);
        sendChipKey(chip, Qt::Key_Space);
        for (const char digit : std::to_string(cpu))
            sendChipKey(chip, Qt::Key_0 + (digit - '0'));
        QElapsedTimer sinceMove;
        sinceMove.start();
        sendChipKey(chip, Qt::Key_Space);
        const QString name = QStringLiteral("CPU %1").arg(cpu);
        const bool visible = waitUntil(5000, [&] {
            const ThreadInProc thread = findThread("namsan vCPU 0");
            return thread.allowed == std::to_string(cpu) && thread.lastCpu == static_cast<int>(cpu)
                && cellText("Asked", 1) == name && cellText("Granted", 1) == name
                && cellText("Observed", 1).contains(QString::number(cpu));
        });
        const qint64 took = sinceMove.elapsed();
        EXPECT_TRUE(visible) << "asked " << cellText("Asked", 1).toStdString() << ", granted "
                             << cellText("Granted", 1).toStdString() << ", observed "
                             << cellText("Observed", 1).toStdString() << ", /proc "
                             << findThread("namsan vCPU 0").allowed;
        EXPECT_LE(took, 1000) << "CPU " << cpu;
        const RunRecord record = window->machine().record();
        EXPECT_EQ(record.requested.vcpus.at(0), std::optional(cpu));
        EXPECT_EQ(window->machine().lastSample().threads.at(1).granted, CpuSet { cpu });
    }
    keepPicture(QStringLiteral("placed.png"));
    expectThatNothingBlocked();
}

TEST_F(BootedWindow, ClosingItSwitchesTheGuestOffWithoutAQuestion)
{
    ASSERT_TRUE(waitForPrompt());
    EXPECT_FALSE(window->close()) << "the guest is asked first";
    EXPECT_TRUE(waitUntil(answerMilliseconds, [&] { return !window->isVisible(); }));
    ASSERT_TRUE(window->machine().ending());
    EXPECT_EQ(window->machine().ending()->reason, MachineEnding::Reason::PoweredOff);
    EXPECT_FALSE(window->findChild<QMessageBox*>());
}

TEST_F(BootedWindow, StartsAgainWithoutBlocking)
{
    ASSERT_TRUE(waitForPrompt());
    window->action(QStringLiteral("cutPower"))->trigger();
    // The machine's own thread knows of its end before the window can: a user presses what is enabled.
    QAction* run = window->action(QStringLiteral("run"));
    ASSERT_TRUE(waitUntil(answerMilliseconds, [&] { return run->isEnabled(); }));
    EXPECT_EQ(window->machine().state(), MachineState::Ended);
    run->trigger();
    EXPECT_TRUE(waitUntil(answerMilliseconds, [&] { return window->machine().state() == MachineState::Running; }));
    EXPECT_TRUE(waitForPrompt());
    expectThatNothingBlocked();
}

} // namespace namsan
