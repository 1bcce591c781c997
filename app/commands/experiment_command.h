// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"
#include "app/lab/experiment.h"

#include <string>

namespace CLI {
class App;
}

namespace namsan {

class ExperimentStore;

// "namsan experiment run | list | show | export": a workload over a matrix of placements and engines, and its table.
class ExperimentCommand {
public:
    explicit ExperimentCommand(CLI::App& parser); // adds itself; lives as long as the parser is used

    bool chosen() const;
    ExitCode execute(const Program&) const;

private:
    void addRun();
    void addReaders();
    // What was asked for; what was not said is as it was kept under that name.
    Result<ExperimentSettings> settings(const ExperimentSettings* kept) const;
    bool given(const char* option) const;

    Result<ExitCode> run(const Program&, ExperimentStore&) const;
    Result<ExitCode> list(const Program&, ExperimentStore&) const;
    Result<ExitCode> show(const Program&, ExperimentStore&) const;
    Result<ExitCode> showPapers(const Program&, ExperimentStore&, const Experiment&) const;
    Result<ExitCode> exportResults(const Program&, ExperimentStore&) const;
    Result<ExitCode> exportPublished(const Program&) const;

    CLI::App* m_command;
    CLI::App* m_run;
    CLI::App* m_list;
    CLI::App* m_show;
    CLI::App* m_export;
    std::string m_workload;
    std::string m_size = "smoke";
    std::string m_engines = "soft";
    std::string m_columns = "1s,1d";
    unsigned m_repetitions = 10;
    uint64_t m_seed = 1;
    std::string m_name;
    std::string m_format;
    unsigned m_log = 0; // which run's, from 1; 0: none
    unsigned m_record = 0;
};

} // namespace namsan
