// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/open_window.h"

#include "tests/support/fake_machine.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QPixmap>

namespace namsan {

// A window from its opening to its end, as the program runs it. The machine prints a line when it starts.
class OpenWindowTest : public ::testing::Test {
protected:
    ExitCode run(const RunOrders& orders, const QString& screenshot, bool ends = false)
    {
        auto machine = MachineController::create({}, orders,
            [ends](const MachineConfig& config, MachineListener* listener) -> Result<std::unique_ptr<Machine>> {
                auto fake = std::make_unique<FakeMachine>(config, listener);
                fake->whenStarted = [ends](FakeMachine& guest) {
                    guest.print("ready\n");
                    if (ends)
                        guest.end(MachineEnding::Reason::PoweredOff, "The guest switched itself off.");
                };
                return std::unique_ptr<Machine>(std::move(fake));
            });
        EXPECT_TRUE(machine.ok());
        WindowOptions options;
        options.theme = ThemeChoice::Light;
        options.screenshot = screenshot;
        return runInWindow(
            *static_cast<QApplication*>(QCoreApplication::instance()), std::move(machine.value()), options);
    }

    const TemporaryFolder folder;
};

// This guest does not listen to its power button: a window that asked it would stay for ever.
TEST_F(OpenWindowTest, ARunThatIsOverEndsWithoutAskingTheGuest)
{
    const QString picture = QString::fromStdString(folder.path("window.png"));
    EXPECT_EQ(run({ .until = "ready" }, picture), ExitCode::Success);
    EXPECT_GE(QPixmap(picture).width(), 960);
}

TEST_F(OpenWindowTest, AnUnseenWindowEndsWithItsGuest)
{
    ASSERT_EQ(QGuiApplication::platformName(), "offscreen");
    EXPECT_EQ(run({}, {}, true), ExitCode::Success);
}

TEST_F(OpenWindowTest, APictureThatCannotBeWrittenIsNoSuccess)
{
    EXPECT_EQ(run({ .until = "ready" }, QString::fromStdString(folder.path("none/window.png"))), ExitCode::BadInput);
}

} // namespace namsan
