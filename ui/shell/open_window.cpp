// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/open_window.h"

#include <QApplication>
#include <QSettings>

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
    window.show();
    if (window.machine().state() == MachineState::Ready)
        window.machine().start();
    // A run with orders ends by itself; the window then closes without asking.
    QObject::connect(&window.machine(), &MachineController::runFinished, &application, &QCoreApplication::quit);
    // Nobody can close a window that nobody can see: there the run ends with its guest.
    if (QGuiApplication::platformName() == QLatin1String("offscreen"))
        QObject::connect(&window.machine(), &MachineController::stateChanged, &application, [](MachineState state) {
            if (state == MachineState::Ended)
                QCoreApplication::quit();
        });
    QApplication::exec();

    std::vector<std::string> complaints;
    const bool pictureIsLost = !options.screenshot.isEmpty() && !window.grab().save(options.screenshot, "PNG");
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
