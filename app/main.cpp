// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/command_line.h"
#include "app/running/ending_signals.h"
#include "ui/shell/open_window.h"

#include <QApplication>
#include <QSocketNotifier>

#include <cstdlib>
#include <iostream>

namespace namsan {

namespace {

// Qt ends the program where it finds no display, so it is asked for before Qt
// is.
bool hasDisplay()
{
    const auto isSet = [](const char* variable) {
        const char* value = std::getenv(variable);
        return value && *value;
    };
    return isSet("DISPLAY") || isSet("WAYLAND_DISPLAY") || isSet("QT_QPA_PLATFORM");
}

ExitCode refuse(const std::string& sentence)
{
    std::cerr << "namsan: " << sentence << '\n';
    return ExitCode::BadInput;
}

ExitCode openWindow(int& argc, char** argv, const WindowRequest& request, const MachineFactory& makeMachine)
{
    if (!hasDisplay())
        return refuse("There is no display for the window (neither DISPLAY nor "
                      "WAYLAND_DISPLAY is set); "
                      "run with --headless, or with QT_QPA_PLATFORM=offscreen.");
    const EndingSignals endingSignals; // before Qt and the machine make threads,
                                       // which inherit what is blocked
    QApplication application(argc, argv);
    QSocketNotifier ending(endingSignals.descriptor(), QSocketNotifier::Read);
    // Not quit(), which would ask the guest first.
    QObject::connect(&ending, &QSocketNotifier::activated, &application, [] { QCoreApplication::exit(); });
    auto machine = MachineController::create(request.config, request.orders, makeMachine);
    if (!machine)
        return refuse(machine.error().message);
    WindowOptions options;
    options.screenshot = QString::fromStdString(request.orders.windowScreenshot);
    return runInWindow(application, std::move(*machine), options);
}

} // namespace

} // namespace namsan

int main(int argc, char** argv)
{
    using namespace namsan;
    const MachineFactory makeMachine = &Machine::create;
    const Program program {
        .openWindow = [&](const WindowRequest& request) { return openWindow(argc, argv, request, makeMachine); },
        .makeMachine = makeMachine,
        .output = std::cout,
        .errors = std::cerr,
        .recipes = GuestRecipes::ofThisProgram(),
    };
    return static_cast<int>(runCommandLine({ argv + 1, argv + argc }, program));
}
