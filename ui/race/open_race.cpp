// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/open_race.h"

#include "app/commands/race_run.h"
#include "app/lab/experiment_store.h"

#include <QApplication>
#include <QPixmap>

#include <iostream>

namespace namsan {

RaceMaker raceMaker(const Topology& host, const MachineFactory& factory)
{
    return [host, factory](const RaceSettings& settings) {
        return prepareRace(
            settings, host, GuestCache(GuestCache::defaultFolder()), factory, ExperimentStore::defaultFolder());
    };
}

ExitCode raceInWindow(
    QApplication& application, const RaceRequest& request, const MachineFactory& factory, ThemeChoice theme)
{
    applyTheme(application, theme);
    const auto say = [](const std::string& sentence) { std::cerr << "namsan: " << sentence << '\n'; };
    const auto host = readTopology();
    if (!host) {
        say(host.error().message);
        return ExitCode::BadInput;
    }
    RaceWindow window(*host, raceMaker(*host, factory), request.settings);
    const bool endsItself
        = !request.windowScreenshot.empty() || QGuiApplication::platformName() == QLatin1String("offscreen");
    ExitCode code = ExitCode::Success;
    QObject::connect(&window, &RaceWindow::raceOver, &application, [&] {
        const RaceRunner& runner = *window.runner();
        code = runner.race().stage() == RaceStage::Cancelled ? ExitCode::Success : exitCodeOf(runner.race());
        if (const auto written = request.record.empty() ? Result<void> {} : writeRaceRecord(runner, request.record);
            !written)
            say(written.error().message);
        if (!request.windowScreenshot.empty()
            && !window.grab().save(QString::fromStdString(request.windowScreenshot), "PNG")) {
            say("The window's screenshot could not be written to " + request.windowScreenshot
                + ". Is the folder there, may you write to it, and has the disk room?");
            code = ExitCode::BadInput;
        }
        if (endsItself)
            QCoreApplication::exit();
    });
    window.show();
    window.start();
    if (!window.racing()) { // the command has looked at all that can be known: the host is being measured
        say(window.banner().toStdString());
        if (endsItself)
            return ExitCode::BadInput;
    }
    QApplication::exec();
    return window.racing() ? ExitCode::GoalMissed : code; // a signal ended the program
}

} // namespace namsan
