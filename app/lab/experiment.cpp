// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/experiment.h"

#include "app/lab/random_numbers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace namsan {

bool ExperimentRun::guestTimeOff() const
{
    constexpr double mostDrift = 0.01;
    // The guest's seconds have two decimals at each end, and a shell needs some hundredths between reading the clock
    // and printing the lines that the host sees: of a run of a second, a percent says nothing.
    constexpr double resolution = 0.05;
    const double difference = std::abs(guestSeconds - hostSeconds);
    return difference > mostDrift * hostSeconds && difference > resolution;
}

size_t Experiment::runsWanted() const
{
    const size_t cells = settings.engines.size() * settings.columns.size() - unavailable.size();
    return cells * settings.repetitions;
}

bool Experiment::finished() const
{
    // A cell that was begun on a host which could do it may have become impossible since.
    const auto counted = std::ranges::count_if(
        runs, [this](const ExperimentRun& run) { return !unavailable.contains(run.planned.cell); });
    return static_cast<size_t>(counted) >= runsWanted();
}

std::vector<PlannedRun> runOrder(const ExperimentSettings& settings)
{
    std::vector<CellPlace> cells;
    for (size_t engine = 0; engine < settings.engines.size(); ++engine)
        for (size_t column = 0; column < settings.columns.size(); ++column)
            cells.push_back({ engine, column });

    RandomNumbers random(settings.seed);
    std::vector<PlannedRun> order;
    for (unsigned repetition = 0; repetition < settings.repetitions; ++repetition) {
        for (size_t left = cells.size(); left > 1; --left)
            std::swap(cells[left - 1], cells[random.below(left)]);
        for (const CellPlace& cell : cells)
            order.push_back({ cell, repetition });
    }
    return order;
}

Result<void> checkExperimentName(const std::string& name)
{
    constexpr size_t longest = 100;
    const bool printable = std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
    if (name.empty() || name.size() > longest || !printable || name.front() == ' ' || name.back() == ' ')
        return Error { fmt::format(
            "\"{}\" is no name for an experiment; give it up to {} characters, such as --name \"first try\".", name,
            longest) };
    if (name == "published-2019")
        return Error { "The experiment \"published-2019\" holds what was published and can't be run; choose another "
                       "name with --name." };
    return {};
}

std::string differenceBetween(const ExperimentSettings& kept, const ExperimentSettings& asked)
{
    std::vector<std::string> differences;
    const auto compare = [&](const char* what, const auto& before, const auto& now) {
        if (before != now)
            differences.push_back(fmt::format("{} {} and not {}", what, before, now));
    };
    compare("the workload", kept.workload, asked.workload);
    compare("--size", kept.size, asked.size);
    compare(
        "--engine", fmt::format("{}", fmt::join(kept.engines, ",")), fmt::format("{}", fmt::join(asked.engines, ",")));
    compare("--columns", describe(kept.columns), describe(asked.columns));
    compare("--repetitions", kept.repetitions, asked.repetitions);
    compare("--seed", kept.seed, asked.seed);
    if (differences.empty())
        return {};
    return fmt::format("There is an experiment \"{}\" already, with {}; give the same settings to continue it, or "
                       "choose another name with --name.",
        kept.name, fmt::join(differences, ", "));
}

} // namespace namsan
