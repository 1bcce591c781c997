// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/guest_states.h"

#include "app/lab/child_process.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <sstream>

namespace namsan {

namespace {

constexpr auto longestAnswer = std::chrono::seconds(5); // of a busy host; a quiet one takes a tenth of a second

struct StateWords {
    GuestState state;
    std::string_view script; // as make-guest writes it
    std::string_view people;
};
constexpr std::array<StateWords, 4> allStates { {
    { GuestState::Ready, "ready", "ready" },
    { GuestState::RecipeChanged, "recipe changed", "recipe changed: will be made again" },
    { GuestState::NotMade, "not made", "not made" },
    { GuestState::Damaged, "damaged", "damaged" },
} };

// Lines "NAME: STATE".
std::map<std::string, GuestState> readStates(const std::string& text)
{
    std::map<std::string, GuestState> states;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        for (const StateWords& words : allStates) {
            const std::string ending = fmt::format(": {}", words.script);
            if (line.ends_with(ending))
                states[line.substr(0, line.size() - ending.size())] = words.state;
        }
    }
    return states;
}

} // namespace

Result<std::map<std::string, GuestState>> guestStates(const GuestRecipes& recipes)
{
    if (recipes.script().empty())
        return std::map<std::string, GuestState> {};
    auto child = ChildProcess::start({ { recipes.script().string(), "--state" }, "/dev/null", {} });
    if (!child)
        return child.error();
    std::string text;
    const ChildEnding ending
        = child->wait({ [&](std::span<const uint8_t> bytes) { text.append(bytes.begin(), bytes.end()); }, {}, {},
            longestAnswer, -1 });
    if (ending.timedOut || ending.exitCode != 0)
        return Error { fmt::format(
            "{} --state does not tell which guests are ready; install Namsan again if calling it "
            "by hand fails too.",
            recipes.script().string()) };
    return readStates(text);
}

std::string inWords(GuestState state)
{
    for (const StateWords& words : allStates) {
        if (words.state == state)
            return std::string(words.people);
    }
    return {};
}

} // namespace namsan
