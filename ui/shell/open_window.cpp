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
    if (!options.screenshot.isEmpty()) {
        QObject::connect(&application, &QCoreApplication::aboutToQuit, &window, [&window, path = options.screenshot] {
            if (!window.grab().save(path))
                std::cerr << "namsan: the picture of the window could not be written to " << path.toStdString()
                          << ". Is the folder there, and may you write to it?\n";
        });
    }
    window.show();
    if (window.machine().state() == MachineState::Ready)
        window.machine().start();
    // A run with orders ends by itself; the window then closes without asking.
    QObject::connect(&window.machine(), &MachineController::runFinished, &application, &QCoreApplication::quit);
    QApplication::exec();

    std::vector<std::string> complaints;
    const RunOutcome outcome = window.machine().conclude(complaints);
    for (const std::string& complaint : complaints)
        std::cerr << "namsan: " << complaint << '\n';
    if (!outcome.why.empty())
        std::cerr << "namsan: " << outcome.why << '\n';
    return outcome.code;
}

} // namespace namsan
