// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/open_window.h"

#include <QApplication>
#include <QSettings>
#include <QTimer>

#include <iostream>

namespace namsan {

ExitCode runInWindow(
    QApplication& application, std::unique_ptr<MachineController> machine, const WindowOptions& options)
{
    applyTheme(application, options.theme);
    auto topology = readTopology();
    if (!topology) {
        std::cerr << "namsan: " << topology.error().message << '\n';
        topology = Topology {};
    }
    MachineAgain again = options.again;
    if (!again)
        again = [config = machine->config()] { return MachineController::create(config); };

    QSettings settings(QStringLiteral("namsan"), QStringLiteral("namsan"));
    MainWindow window(topology.value(), std::move(machine), std::move(again), &settings);
    // A run with orders ends by itself, and nobody can close a window that nobody can see: there it ends with its
    // guest. Not by quit(), which closes the window as its user would: by the guest's power button.
    // Through the event loop, which a short run may be ahead of.
    const auto leave = [] { QTimer::singleShot(0, [] { QCoreApplication::exit(); }); };
    QObject::connect(&window.machine(), &MachineController::runFinished, &application, leave);
    if (QGuiApplication::platformName() == QLatin1String("offscreen"))
        QObject::connect(
            &window.machine(), &MachineController::stateChanged, &application, [leave](MachineState state) {
                if (state == MachineState::Ended)
                    leave();
            });
    window.show();
    if (window.machine().state() == MachineState::Ready)
        window.machine().start();
    QApplication::exec();

    std::vector<std::string> complaints;
    const bool pictureIsLost = !options.screenshot.isEmpty() && !window.pictureOfRun().save(options.screenshot, "PNG");
    RunOutcome outcome = window.machine().conclude(complaints);
    if (pictureIsLost) {
        complaints.push_back("The window's screenshot could not be written to " + options.screenshot.toStdString()
            + ". Is the folder there, may you write to it, and has the disk room?");
        if (outcome.code == ExitCode::Success)
            outcome.code = ExitCode::BadInput;
    }
    for (const std::string& complaint : complaints)
        std::cerr << "namsan: " << complaint << '\n';
    if (!outcome.why.empty())
        std::cerr << "namsan: " << outcome.why << '\n';
    return outcome.code;
}

} // namespace namsan
