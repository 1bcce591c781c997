// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/experiment/experiment_window.h"

#include "app/lab/experiment_store.h"
#include "tests/support/synthetic_topology.h"
#include "tests/support/temporary_folder.h"
#include "ui/common/theme.h"
#include "ui/experiment/experiment_composer.h"
#include "ui/experiment/plot_view.h"
#include "ui/experiment/result_view.h"

#include <gtest/gtest.h>

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QEventLoop>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QTimer>

#include <array>
#include <sys/stat.h>

namespace namsan {

namespace {

using namespace std::chrono_literals;

// An archive with an experiment that has all its runs but one cell's.
class ExperimentWindowTest : public ::testing::Test {
protected:
    ExperimentWindowTest()
    {
        auto store = ExperimentStore::open(archive());
        auto experiment = (*store)->create(
            { "Nightly smoke", "kbuild", "smoke", { "soft", "qemu" }, *parseColumns("1s,1d,2s,2d"), 6, 4711 },
            { "Intel Core i7-4770", "Linux 6.1", 2 });
        const std::map<CellPlace, std::string> impossible { { { 0, 3 }, "2(d) needs 3 logical CPUs; this host has 2" },
            { { 1, 3 }, "2(d) needs 3 logical CPUs; this host has 2" } };
        EXPECT_TRUE((*store)->setUnavailable(*experiment, impossible));
        const std::array<double, 3> columns { 61, 58, 34 };
        const std::array<double, 6> scatter { 0.1, -0.6, 0.4, 1.9, -0.3, 0.2 };
        for (unsigned repetition = 0; repetition < 6; ++repetition) {
            for (size_t engine = 0; engine < 2; ++engine) {
                for (size_t column = 0; column < columns.size(); ++column) {
                    ExperimentRun run;
                    run.planned = { { engine, column }, repetition };
                    run.guestSeconds = columns[column] * (engine == 0 ? 1 : 1.4) + scatter[(repetition + column) % 6];
                    run.hostSeconds = run.guestSeconds * (engine == 0 && column == 2 && repetition == 3 ? 1.02 : 1);
                    EXPECT_TRUE((*store)->addRun(*experiment, run, {}));
                }
            }
        }
        host = synthesize({ .coresPerSocket = 2 });
    }

    std::string archive() const { return folder.path("archive"); }

    // A program that stands in for namsan: it notes its arguments and says what a script tells it to.
    QString program(const std::string& script)
    {
        const std::string path
            = folder.write("namsan", "#!/bin/sh\necho \"$@\" >>'" + folder.path("asked") + "'\n" + script);
        chmod(path.c_str(), 0700);
        return QString::fromStdString(path);
    }

    void open(const std::string& script = "exit 0\n")
    {
        window = std::make_unique<ExperimentWindow>(host, archive(), program(script));
        window->resize(1440, 900);
        window->show();
        waitFor([this] { return window->findChild<QListWidget*>("experiments")->count() > 0; });
    }

    template <class Condition> bool waitFor(Condition condition)
    {
        QEventLoop loop;
        QTimer look;
        QObject::connect(&look, &QTimer::timeout, &loop, [&] {
            if (condition())
                loop.quit();
        });
        look.start(5ms);
        QTimer::singleShot(20s, &loop, &QEventLoop::quit);
        if (!condition())
            loop.exec();
        return condition();
    }

    // Layouts take effect with the next events.
    void settle()
    {
        for (int turn = 0; turn < 5; ++turn)
            QCoreApplication::processEvents();
    }

    ResultView* results() const { return window->findChildren<ResultView*>().front(); }

    const TemporaryFolder folder;
    Topology host;
    std::unique_ptr<ExperimentWindow> window;
};

} // namespace

TEST_F(ExperimentWindowTest, ShowsTheTableInThePublishedForm)
{
    open();
    const ResultView& table = *results();
    ASSERT_EQ(table.rowCount(), 2);
    ASSERT_EQ(table.columnCount(), 5);
    EXPECT_EQ(table.horizontalHeaderItem(1)->text(), "1(s)");
    EXPECT_EQ(table.item(0, 2)->text(), QString::fromUtf8("58.2\n(base)"));
    EXPECT_EQ(table.item(0, 3)->text(), QString::fromUtf8("34.2*\n(\u221241\u00a0%)"));
    EXPECT_EQ(table.item(0, 4)->text(), "-");
    EXPECT_TRUE(table.item(0, 4)->toolTip().contains("needs 3 logical CPUs"));
    EXPECT_EQ(table.item(1, 0)->text(), "qemu (yardstick)");
    EXPECT_TRUE(table.item(0, 3)->data(Qt::AccessibleTextRole).toString().contains("guest time off"));
    EXPECT_TRUE(window->findChild<PlotView*>()->accessibleDescription().contains("soft 1(d) 58.2 seconds, 6 runs"));
}

TEST_F(ExperimentWindowTest, ShowsWhatWasPublishedBesideIt)
{
    open();
    const auto machines = window->findChildren<QComboBox*>().front();
    EXPECT_EQ(machines->count(), 4);
    const ResultView& published = *window->findChildren<ResultView*>().back();
    EXPECT_EQ(published.item(1, 2)->text(), "403\n(base)");
    machines->setCurrentIndex(0);
    EXPECT_EQ(published.item(1, 1)->text(), QString::fromUtf8("754\n(+5\u00a0%)"));
}

TEST_F(ExperimentWindowTest, TheSelectedCellIsToldInFull)
{
    open();
    results()->setCurrentCell(0, 3);
    EXPECT_TRUE(
        window->findChild<QLabel*>("detail")->text().startsWith(QString::fromUtf8("soft 2(s): 34.2\u00a0s, 95 %")));
    EXPECT_TRUE(window->findChild<QLabel*>("detail")->text().contains("n = 6"));
}

TEST_F(ExperimentWindowTest, CopiesMarkdown)
{
    open();
    window->action("copyMarkdown")->trigger();
    EXPECT_TRUE(QGuiApplication::clipboard()->text().contains("| Engine | 1(s) | 1(d) | 2(s) | 2(d) |"));
}

TEST_F(ExperimentWindowTest, TheComposerStartsTheProgramAndTheWindowWaitsForNothing)
{
    open("echo '1 of 4: soft 1(s), 2.0 s' >&2\nexec sleep 600\n");
    ExperimentComposer* composer = window->compose();
    composer->findChild<QLineEdit*>("name")->setText("A new one");
    composer->findChild<QComboBox*>("workload")->setCurrentIndex(1);
    EXPECT_FALSE(composer->findChild<QCheckBox*>("column-2d")->isEnabled());
    EXPECT_TRUE(composer->findChild<QCheckBox*>("column-2d")->toolTip().contains("needs 3 logical CPUs"));
    composer->findChild<QCheckBox*>("column-2s")->setChecked(true);
    composer->findChild<QPushButton*>("start")->click();
    ASSERT_TRUE(waitFor([this] { return window->findChild<QLabel*>("progressText")->text().startsWith("1 of 4"); }));
    EXPECT_EQ(folder.read("asked"),
        "experiment run count --size=smoke --engine=soft --columns=1s,1d,2s --repetitions=6 --seed=1 --name=A new "
        "one\n");
    EXPECT_TRUE(window->measuring());
    EXPECT_FALSE(window->action("newExperiment")->isEnabled());
    window->action("cancelExperiment")->trigger();
    EXPECT_TRUE(waitFor([this] { return !window->measuring(); }));
    EXPECT_TRUE(window->action("newExperiment")->isEnabled());
}

TEST_F(ExperimentWindowTest, TheComposerTellsWhatIsMissing)
{
    open();
    ExperimentComposer* composer = window->compose();
    const auto start = composer->findChild<QPushButton*>("start");
    EXPECT_TRUE(start->isEnabled());
    composer->findChild<QLineEdit*>("name")->setText("Nightly smoke");
    EXPECT_FALSE(start->isEnabled());
    EXPECT_TRUE(composer->findChild<QLabel*>("verdict")->text().contains("already"));
    composer->findChild<QLineEdit*>("name")->setText("Other");
    composer->findChild<QCheckBox*>("engine-soft")->setChecked(false);
    EXPECT_FALSE(start->isEnabled());
    EXPECT_TRUE(start->toolTip().contains("engine"));
}

TEST_F(ExperimentWindowTest, WhatTheProgramComplainedAboutIsShown)
{
    open("echo 'namsan: The disk is full.' >&2\nexit 2\n");
    window->run({ "Other", "count", "mini", { "soft" }, *parseColumns("1d"), 6, 1 });
    EXPECT_TRUE(waitFor([this] { return window->banner() == "The disk is full."; }));
}

TEST_F(ExperimentWindowTest, ADamagedArchiveIsTold)
{
    const std::string content(5000, 'x');
    std::filesystem::remove_all(archive());
    folder.write("archive/experiments.sqlite", content);
    window = std::make_unique<ExperimentWindow>(host, archive(), program("exit 0\n"));
    EXPECT_TRUE(waitFor([this] { return window->banner().contains("damaged"); }));
}

TEST_F(ExperimentWindowTest, EveryActionHasAShortcutAndSaysWhatItDoes)
{
    open();
    for (const char* name :
        { "newExperiment", "continueExperiment", "cancelExperiment", "copyMarkdown", "exportExperiment" }) {
        EXPECT_FALSE(window->action(name)->shortcut().isEmpty()) << name;
        EXPECT_FALSE(window->action(name)->toolTip().isEmpty()) << name;
    }
}

// Pictures for people, where a folder for them is named.
TEST_F(ExperimentWindowTest, LooksTheSameInLightAndDark)
{
    open();
    ASSERT_TRUE(waitFor([this] { return results()->rowCount() == 2; }));
    settle();
    const QImage light = window->grab().toImage();
    applyTheme(*qobject_cast<QApplication*>(QCoreApplication::instance()), ThemeChoice::Dark);
    open();
    ASSERT_TRUE(waitFor([this] { return results()->rowCount() == 2; }));
    settle();
    const QImage dark = window->grab().toImage();
    applyTheme(*qobject_cast<QApplication*>(QCoreApplication::instance()), ThemeChoice::Light);
    EXPECT_GT(qGray(light.pixel(light.width() - 3, 200)), 200);
    EXPECT_LT(qGray(dark.pixel(dark.width() - 3, 200)), 80);
    if (const QString pictures = qEnvironmentVariable("NAMSAN_TEST_PICTURES"); !pictures.isEmpty()) {
        EXPECT_TRUE(light.save(pictures + "/experiments.png"));
        EXPECT_TRUE(dark.save(pictures + "/experiments-dark.png"));
    }
}

} // namespace namsan
