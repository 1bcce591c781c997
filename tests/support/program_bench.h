// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/command_line.h"
#include "tests/support/fake_machine.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <sstream>

namespace namsan {

// The whole program with a cache folder of its own; window and machine only remember what they were asked for.
class ProgramBench : public ::testing::Test {
protected:
    ProgramBench()
    {
        if (const char* before = std::getenv("XDG_CACHE_HOME"))
            m_cacheBefore = before;
        setenv("XDG_CACHE_HOME", folder.path("").c_str(), 1);
    }
    ~ProgramBench() override
    {
        m_cacheBefore ? setenv("XDG_CACHE_HOME", m_cacheBefore->c_str(), 1) : unsetenv("XDG_CACHE_HOME");
    }

    ExitCode run(const std::vector<std::string>& arguments)
    {
        output.str("");
        errors.str("");
        window.reset();
        machine.reset();
        Program program {
            .openWindow =
                [this](const WindowRequest& request) {
                    window = request;
                    return ExitCode::Success;
                },
            .makeMachine =
                [this](const MachineConfig& config, MachineListener* listener) {
                    machine = config;
                    auto made = std::make_unique<FakeMachine>(config, listener);
                    made->whenStarted
                        = [](FakeMachine& guest) { guest.end(MachineEnding::Reason::PoweredOff, "Off."); };
                    return Result<std::unique_ptr<Machine>>(std::move(made));
                },
            .output = output,
            .errors = errors,
            .recipes = recipes,
        };
        if (choice)
            program.askWhatToDo = [this] { return *choice; };
        return runCommandLine(arguments, program);
    }

    // The sentence with which a command line is refused, without the program's name.
    std::string refusal(const std::vector<std::string>& arguments)
    {
        EXPECT_EQ(run(arguments), ExitCode::BadInput);
        EXPECT_FALSE(window) << "a window opened";
        EXPECT_FALSE(machine) << "a machine was made";
        const std::string text = errors.str();
        EXPECT_TRUE(text.starts_with("namsan: ") && text.ends_with("\n")) << text;
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
        return text.size() > 9 ? text.substr(8, text.size() - 9) : text;
    }

    const TemporaryFolder folder;
    GuestRecipes recipes = GuestRecipes({});
    std::optional<std::vector<std::string>> choice; // on the first screen, which there is only with it
    std::ostringstream output, errors;
    std::optional<WindowRequest> window;
    std::optional<MachineConfig> machine;

private:
    std::optional<std::string> m_cacheBefore;
};

} // namespace namsan
