// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/command_line.h"
#include "app/running/ending_signals.h"
#include "ui/race/open_race.h"
#include "ui/shell/open_start.h"
#include "ui/shell/open_window.h"

#include <QApplication>
#include <QSocketNotifier>

#include <cstdlib>
#include <iostream>
#include <memory>

namespace namsan {

namespace {

constexpr const char* noDisplay
    = "There is no display for the window (neither DISPLAY nor WAYLAND_DISPLAY is set); run with --headless, or with "
      "QT_QPA_PLATFORM=offscreen.";

// Qt ends the program where it finds no display, so it is asked for before Qt is.
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

// Qt's program, from the first window on. It ends with the signals that end programs.
class WindowProgram {
public:
    WindowProgram(int& argc, char** argv)
        : m_application(argc, argv)
        , m_ending(m_endingSignals.descriptor(), QSocketNotifier::Read)
    {
        // Not quit(), which would ask the guest first.
        QObject::connect(&m_ending, &QSocketNotifier::activated, &m_application, [this] {
            m_ended = true;
            QCoreApplication::exit();
        });
    }

    QApplication& application() { return m_application; }
    bool ended() const { return m_ended; }

private:
    const EndingSignals m_endingSignals; // before Qt and the machine make threads, which inherit what is blocked
    QApplication m_application;
    QSocketNotifier m_ending;
    bool m_ended = false;
};

ExitCode openWindow(WindowProgram& window, const WindowRequest& request, const MachineFactory& makeMachine)
{
    auto machine = MachineController::create(request.config, request.orders, makeMachine);
    if (!machine)
        return refuse(machine.error().message);
    WindowOptions options;
    options.screenshot = QString::fromStdString(request.orders.windowScreenshot);
    return runInWindow(window.application(), std::move(*machine), options);
}

} // namespace

} // namespace namsan

int main(int argc, char** argv)
{
    using namespace namsan;
    const MachineFactory makeMachine = &Machine::create;
    const GuestRecipes recipes = GuestRecipes::ofThisProgram();
    std::unique_ptr<WindowProgram> window;
    const auto provideWindow = [&]() -> WindowProgram& {
        if (!window)
            window = std::make_unique<WindowProgram>(argc, argv);
        return *window;
    };
    Program program {
        .openWindow =
            [&](const WindowRequest& request) {
                return hasDisplay() ? openWindow(provideWindow(), request, makeMachine) : refuse(noDisplay);
            },
        .makeMachine = makeMachine,
        .output = std::cout,
        .errors = std::cerr,
        .openRace =
            [&](const RaceRequest& request) {
                return hasDisplay() ? raceInWindow(provideWindow().application(), request, makeMachine)
                                    : refuse(noDisplay);
            },
        .recipes = recipes,
    };
    if (hasDisplay())
        program.askWhatToDo = [&] {
            auto chosen = askWhatToDo(provideWindow().application(), recipes);
            return window->ended() ? std::vector<std::string> {} : chosen;
        };
    return static_cast<int>(runCommandLine({ argv + 1, argv + argc }, program));
}
