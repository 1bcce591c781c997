// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/experiment_run.h"

#include "app/lab/experiment_runner.h"
#include "app/lab/measuring_host.h"
#include "app/lab/possibility.h"
#include "app/lab/result_export.h"
#include "app/lab/result_text.h"
#include "app/running/ending_signals.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ostream>

namespace namsan {

namespace {

namespace fs = std::filesystem;

Result<std::map<unsigned, MachineConfig>> configsFor(
    const ExperimentSettings& settings, const Workload& workload, const WorkloadSize& size)
{
    const GuestCache guests(GuestCache::defaultFolder());
    std::map<unsigned, MachineConfig> configs;
    for (const Column& column : settings.columns) {
        auto config = configFor(workload, size, column.vcpus, guests);
        if (!config)
            return config.error();
        configs[column.vcpus] = std::move(*config);
    }
    return configs;
}

Result<Experiment> findOrCreate(ExperimentStore& store, const ExperimentSettings& settings, const Topology& host)
{
    auto kept = store.find(settings.name);
    if (!kept)
        return kept.error();
    if (!*kept)
        return store.create(settings, describeHost(host));
    if (const std::string difference = differenceBetween((*kept)->settings, settings); !difference.empty())
        return Error { difference };
    return std::move(**kept);
}

// One line for each run on standard error: what ended, how, and about how long the rest will take.
class Progress {
public:
    explicit Progress(std::ostream& output)
        : m_output(output)
    {
    }

    void ended(const Experiment& experiment)
    {
        const ExperimentRun& run = experiment.runs.back();
        const CellPlace& cell = run.planned.cell;
        const auto names = columnNames(experiment.settings.columns);
        m_output << fmt::format("{} of {}: {} {}, ", experiment.runs.size(), experiment.runsWanted(),
            experiment.settings.engines[cell.engine], names[cell.column]);
        if (run.status == RunStatus::Ok)
            m_output << secondsText(run.guestSeconds) << " s" << (run.guestTimeOff() ? " (guest time off)" : "");
        else
            m_output << "not counted: " << run.reason;
        ++m_made;
        const auto left = experiment.runsWanted() - std::min(experiment.runs.size(), experiment.runsWanted());
        const auto each = std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count()
            / static_cast<double>(m_made);
        if (left > 0)
            m_output << fmt::format("; about {} left", durationText(each * static_cast<double>(left)));
        m_output << std::endl; // at once, also into a pipe
    }

private:
    static std::string durationText(double seconds)
    {
        constexpr double minute = 60;
        constexpr double hour = 60 * minute;
        if (seconds < 2 * minute)
            return fmt::format("{:.0f} s", seconds);
        if (seconds < 2 * hour)
            return fmt::format("{:.0f} min", seconds / minute);
        return fmt::format("{:.0f} h {:.0f} min", std::floor(seconds / hour), std::fmod(seconds, hour) / minute);
    }

    std::ostream& m_output;
    const std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
    size_t m_made = 0;
};

ExitCode conclude(const Program& program, const Experiment& experiment, RunnerEnding ending)
{
    program.output << toPlainText(resultTable(experiment)) << std::flush;
    if (ending == RunnerEnding::Stopped) {
        program.errors << fmt::format(
            "namsan: The experiment was stopped after {} of {} runs, which are kept; the same "
            "command continues it.\n",
            experiment.runs.size(), experiment.runsWanted());
        return ExitCode::GoalMissed;
    }
    const auto lost
        = std::ranges::count_if(experiment.runs, [](const ExperimentRun& run) { return run.status != RunStatus::Ok; });
    if (lost == 0)
        return ExitCode::Success;
    program.errors << fmt::format("namsan: {} of {} runs are not counted; the table tells why, and \"namsan experiment "
                                  "show\" with --log shows what a guest said.\n",
        lost, experiment.runs.size());
    return ExitCode::GoalMissed;
}

} // namespace

Result<ExitCode> runExperiment(const Program& program, ExperimentStore& store, const ExperimentSettings& settings)
{
    const auto workload = findWorkload(settings.workload);
    if (!workload)
        return workload.error();
    const auto size = workload->size(settings.size);
    if (!size)
        return size.error();
    const auto host = readTopology();
    if (!host)
        return host.error();
    const auto configs = configsFor(settings, *workload, *size);
    if (!configs)
        return configs.error();
    if (auto sound = store.checkSoundness(); !sound)
        return sound.error();
    const fs::path folder = ExperimentStore::defaultFolder();
    const auto lock = lockMeasuring(folder); // before looking which runs there are: another one may be adding some
    if (!lock)
        return lock.error();
    auto experiment = findOrCreate(store, settings, *host);
    if (!experiment)
        return experiment.error();
    const auto impossible = impossibleCells(settings, *host, HostAbilities::ofThisHost());
    if (auto kept = store.setUnavailable(*experiment, impossible); !kept)
        return kept.error();
    experiment->unavailable = impossible;

    const EndingSignals endingSignals;
    Progress progress(program.errors);
    const fs::path self = fs::read_symlink("/proc/self/exe");
    const RunnerSurroundings surroundings {
        .host = *host,
        .launch =
            [&](const LaunchOrder& order) {
                return order.config.engine == yardstick ? launchQemu(order) : launchNamsan(self, order);
            },
        .folder = folder / "running",
        .stopDescriptor = endingSignals.descriptor(),
        .ended = [&](const Experiment& now) { progress.ended(now); },
    };
    const auto ending = makeMissingRuns(store, *experiment, *configs, *size, surroundings);
    if (!ending)
        return Error { fmt::format("{} {} of {} runs are kept; the same command continues the experiment.",
            ending.error().message, experiment->runs.size(), experiment->runsWanted()) };
    return conclude(program, *experiment, *ending);
}

} // namespace namsan
