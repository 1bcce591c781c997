// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/run_goal.h"

#include <fmt/format.h>

#include <algorithm>

namespace namsan {

RunGoal::RunGoal(const RunOrders& orders)
    : m_orders(orders)
{
}

void RunGoal::workload(const WorkloadEvent& event)
{
    const auto* ended = std::get_if<WorkloadEnded>(&event);
    if (!ended)
        return;
    if (!ended->ok && m_failedWorkload.empty())
        m_failedWorkload = ended->name;
    if (!m_orders.workload.empty() && ended->name == m_orders.workload)
        reached();
}

void RunGoal::serialOutput(std::span<const uint8_t> bytes)
{
    if (m_orders.until.empty())
        return;
    m_lines.feed(bytes, [this](std::string_view line) {
        if (line.find(m_orders.until) != std::string_view::npos)
            reached();
    });
}

void RunGoal::screen(const std::vector<std::string>& lines)
{
    const auto holdsText
        = [this](const std::string& line) { return line.find(m_orders.untilScreen) != std::string::npos; };
    if (!m_orders.untilScreen.empty() && std::ranges::any_of(lines, holdsText))
        reached();
}

void RunGoal::ended(const MachineEnding& ending)
{
    using Reason = MachineEnding::Reason;
    if (ending.reason == Reason::Crashed)
        decide(ExitCode::GuestCrashed, fmt::format("The guest crashed: {}", ending.why));
    else if (ending.reason == Reason::DebugExit)
        decide(static_cast<ExitCode>(ending.exitCode()),
            m_orders.asksForText() ? fmt::format("The guest ended and {}: {}", whatIsMissing(), ending.why) : "");
    else if (m_orders.asksForText())
        decide(ExitCode::GoalMissed, fmt::format("The guest ended and {}: {}", whatIsMissing(), ending.why));
    else if (ending.reason == Reason::Reset)
        decide(ExitCode::GoalMissed, fmt::format("The guest reset itself, which ends the run: {}", ending.why));
    else
        reached();
}

void RunGoal::timedOut(std::string_view typingWaitsFor)
{
    const double seconds
        = std::chrono::duration<double>(m_orders.timeout.value_or(std::chrono::milliseconds(0))).count();
    std::string missing = m_orders.asksForText() ? whatIsMissing() : "the guest still ran";
    if (!typingWaitsFor.empty())
        missing += fmt::format(", and the text \"{}\" that typing waits for never came", typingWaitsFor);
    decide(ExitCode::TimedOut,
        fmt::format("The time-out of {} s passed and {}; give it more time with --timeout, or look at "
                    "the guest's serial output.",
            seconds, missing));
}

void RunGoal::interrupted(ExitCode code, std::string why)
{
    decide(code, std::move(why));
}

void RunGoal::reached()
{
    if (m_failedWorkload.empty())
        decide(ExitCode::Success, {});
    else
        decide(ExitCode::GoalMissed,
            fmt::format("The guest reported that its workload \"{}\" failed; its serial output "
                        "tells more.",
                m_failedWorkload));
}

void RunGoal::decide(ExitCode code, std::string why)
{
    if (!m_outcome)
        m_outcome = RunOutcome { code, std::move(why) };
}

std::string RunGoal::whatIsMissing() const
{
    std::string missing;
    const auto add = [&](std::string_view what, const std::string& text) {
        if (!text.empty())
            missing += fmt::format("{}{} \"{}\"", missing.empty() ? "" : " and ", what, text);
    };
    add("the text", m_orders.until);
    add("the screen text", m_orders.untilScreen);
    add("the end of the workload", m_orders.workload);
    return missing + " never came";
}

} // namespace namsan
