// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/experiment_runner.h"

#include <fmt/format.h>

#include <poll.h>
#include <set>
#include <utility>

namespace namsan {

namespace {

namespace fs = std::filesystem;

bool isReadable(int descriptor)
{
    pollfd source { descriptor, POLLIN, 0 };
    return descriptor >= 0 && poll(&source, 1, 0) > 0;
}

// A folder for one run's files. One that an earlier, killed run has left is taken over.
class WorkFolder {
public:
    static Result<WorkFolder> make(const fs::path& path)
    {
        std::error_code error;
        fs::remove_all(path, error);
        fs::create_directories(path, error);
        if (error)
            return Error { fmt::format("The folder {} for a run's files can't be made: {}. Make room or change its "
                                       "rights, and give the same command again.",
                path.string(), error.message()) };
        return WorkFolder(path);
    }
    WorkFolder(WorkFolder&& other) noexcept
        : m_path(std::exchange(other.m_path, {}))
    {
    }
    WorkFolder& operator=(WorkFolder&&) = delete;
    ~WorkFolder()
    {
        std::error_code ignored;
        if (!m_path.empty())
            fs::remove_all(m_path, ignored);
    }

private:
    explicit WorkFolder(fs::path path)
        : m_path(std::move(path))
    {
    }

    fs::path m_path;
};

std::vector<PlannedRun> missingRuns(const Experiment& experiment)
{
    std::set<PlannedRun> made;
    for (const ExperimentRun& run : experiment.runs)
        made.insert(run.planned);
    std::vector<PlannedRun> missing;
    for (const PlannedRun& planned : runOrder(experiment.settings)) {
        if (!made.contains(planned) && !experiment.unavailable.contains(planned.cell))
            missing.push_back(planned);
    }
    return missing;
}

Result<LaunchOrder> orderFor(const Experiment& experiment, const PlannedRun& planned, const MachineConfig& config,
    const WorkloadSize& size, const RunnerSurroundings& surroundings)
{
    const Column& column = experiment.settings.columns[planned.cell.column];
    const auto placement = plan(surroundings.host, column.policy, column.vcpus);
    if (!placement)
        return placement.error();
    LaunchOrder order { config, *placement, experiment.settings.workload, size.limit, surroundings.folder,
        surroundings.stopDescriptor };
    order.config.engine = experiment.settings.engines[planned.cell.engine];
    order.config.placement = column.option();
    return order;
}

} // namespace

Result<RunnerEnding> makeMissingRuns(ExperimentStore& store, Experiment& experiment,
    const std::map<unsigned, MachineConfig>& configByVcpus, const WorkloadSize& size,
    const RunnerSurroundings& surroundings)
{
    const auto folder = WorkFolder::make(surroundings.folder);
    if (!folder)
        return folder.error();
    for (const PlannedRun& planned : missingRuns(experiment)) {
        if (isReadable(surroundings.stopDescriptor))
            return RunnerEnding::Stopped;
        const unsigned vcpus = experiment.settings.columns[planned.cell.column].vcpus;
        const auto order = orderFor(experiment, planned, configByVcpus.at(vcpus), size, surroundings);
        if (!order)
            return order.error();
        auto launched = surroundings.launch(*order);
        if (!launched)
            return launched.error();
        if (!*launched)
            return RunnerEnding::Stopped;
        ExperimentRun run = std::move((*launched)->run);
        run.planned = planned;
        if (auto kept = store.addRun(experiment, run, (*launched)->papers); !kept)
            return kept.error();
        experiment.runs.push_back(std::move(run));
        if (surroundings.ended)
            surroundings.ended(experiment);
    }
    return RunnerEnding::Finished;
}

} // namespace namsan
