// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/experiment_command.h"

#include "app/commands/experiment_run.h"
#include "app/lab/experiment_store.h"
#include "app/lab/possibility.h"
#include "app/lab/result_export.h"

#include <QCoreApplication>
#include <QGuiApplication>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <ostream>

namespace namsan {

namespace {

constexpr const char* footer
    = R"(Columns: n(s): the VMM shares a host CPU with vCPU 0, each further vCPU has its own; n(d): the VMM and every vCPU have
a host CPU each. Percents are against 1(d). A column may be named twice: the second is a placebo.

The same command continues an experiment that was interrupted; finished runs are kept, whatever happens. A cell that
this host cannot do holds "-" and its reason. The engine qemu is a yardstick: the same kernel, initial RAM disk and
command line in an installed QEMU, placed in the same way.

Exit codes: 0 all runs ended well; 2 bad input or the host cannot go on; 5 interrupted, or runs failed.)";

std::vector<std::string> split(const std::string& text)
{
    std::vector<std::string> parts;
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

// Qt's databases want an application object, and its fonts a graphical one; a command has none until here, and needs no
// display for either.
class QtApplication {
public:
    explicit QtApplication(bool withFonts)
    {
        if (QCoreApplication::instance())
            return;
        if (withFonts)
            m_application = std::make_unique<QGuiApplication>(m_count, m_arguments.data());
        else
            m_application = std::make_unique<QCoreApplication>(m_count, m_arguments.data());
    }

private:
    int m_count = 3;
    std::array<char, 7> m_name { "namsan" };
    std::array<char, 10> m_option { "-platform" };
    std::array<char, 10> m_platform { "offscreen" };
    std::array<char*, 4> m_arguments { m_name.data(), m_option.data(), m_platform.data(), nullptr };
    std::unique_ptr<QCoreApplication> m_application;
};

Result<Experiment> findKept(ExperimentStore& store, const std::string& name)
{
    auto found = store.find(name);
    if (!found)
        return found.error();
    if (!*found)
        return Error { fmt::format(
            "There is no experiment \"{}\"; \"namsan experiment list\" lists those that there are.", name) };
    return std::move(**found);
}

} // namespace

ExperimentCommand::ExperimentCommand(CLI::App& parser)
    : m_command(parser.add_subcommand(
        "experiment", "Measure a workload over a matrix of placements and engines, and show the table."))
    , m_run(m_command->add_subcommand("run", "Run an experiment, or continue one."))
    , m_list(m_command->add_subcommand("list", "List the experiments that there are."))
    , m_show(m_command->add_subcommand("show", "Show an experiment's table beside those of 2019."))
    , m_export(m_command->add_subcommand("export", "Write an experiment to standard output."))
{
    m_command->require_subcommand(1);
    m_command->footer(footer);
    m_command->get_formatter()->column_width(32);
    addRun();
    addReaders();
}

void ExperimentCommand::addRun()
{
    m_run->footer(footer);
    m_run->add_option("workload", m_workload, "kbuild or count.")->type_name("WORKLOAD")->required();
    m_run->add_option("--size", m_size, "mini, smoke, standard or full.")->type_name("SIZE")->capture_default_str();
    m_run->add_option("--engine", m_engines, "The rows: soft, kvm, qemu; several with commas between.")
        ->type_name("ENGINES")
        ->capture_default_str();
    m_run->add_option("--columns", m_columns, "The placements, such as 1s,1d,2s.")
        ->type_name("COLUMNS")
        ->capture_default_str();
    m_run->add_option("--repetitions", m_repetitions, "How often each cell is run; 6 or more for intervals.")
        ->type_name("N")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    m_run->add_option("--seed", m_seed, "Of the order of the runs and of the intervals.")
        ->type_name("N")
        ->capture_default_str();
    m_run->add_option("--name", m_name, "What the experiment is called.")->type_name("NAME")->required();
}

void ExperimentCommand::addReaders()
{
    for (CLI::App* reader : { m_show, m_export })
        reader->add_option("name", m_name, "The experiment; published-2019 for what was published.")
            ->type_name("NAME")
            ->required();
    m_show->add_option("--log", m_log, "Instead: the guest's log of that run, from 1.")->type_name("RUN");
    m_show->add_option("--record", m_record, "Instead: the record of that run, from 1.")->type_name("RUN");
    m_export->add_option("--format", m_format, "md, csv, json, svg or png.")->type_name("FORMAT")->required();
}

bool ExperimentCommand::chosen() const
{
    return m_command->parsed();
}

ExitCode ExperimentCommand::execute(const Program& program) const
{
    const QtApplication application(m_format == "svg" || m_format == "png");
    const auto perform = [&]() -> Result<ExitCode> {
        if (m_name == publishedName && m_export->parsed())
            return exportPublished(program);
        if (m_name == publishedName && m_show->parsed()) {
            program.output << toPlainText(publishedTables());
            return ExitCode::Success;
        }
        auto store = ExperimentStore::open(ExperimentStore::defaultFolder());
        if (!store)
            return store.error();
        if (m_run->parsed())
            return run(program, **store);
        if (m_show->parsed())
            return show(program, **store);
        return m_export->parsed() ? exportResults(program, **store) : list(program, **store);
    };
    const auto done = perform();
    if (done)
        return *done;
    program.errors << "namsan: " << done.error().message << '\n';
    return ExitCode::BadInput;
}

bool ExperimentCommand::given(const char* option) const
{
    return m_run->count(option) > 0;
}

Result<ExperimentSettings> ExperimentCommand::settings(const ExperimentSettings* kept) const
{
    ExperimentSettings settings = kept ? *kept : ExperimentSettings {};
    settings.name = m_name;
    settings.workload = m_workload;
    if (!kept || given("--size"))
        settings.size = m_size;
    if (!kept || given("--engine"))
        settings.engines = split(m_engines);
    if (!kept || given("--repetitions"))
        settings.repetitions = m_repetitions;
    if (!kept || given("--seed"))
        settings.seed = m_seed;
    if (!kept || given("--columns")) {
        auto columns = parseColumns(m_columns);
        if (!columns)
            return columns.error();
        settings.columns = std::move(*columns);
    }
    if (auto usable = checkExperimentName(settings.name); !usable)
        return usable.error();
    for (const std::string& engine : settings.engines) {
        if (auto usable = checkEngineName(engine); !usable)
            return usable.error();
        if (std::ranges::count(settings.engines, engine) > 1)
            return Error { fmt::format("The engine {} is named twice; name it once.", engine) };
    }
    return settings;
}

Result<ExitCode> ExperimentCommand::run(const Program& program, ExperimentStore& store) const
{
    auto kept = store.find(m_name);
    if (!kept)
        return kept.error();
    const auto asked = settings(*kept ? &(*kept)->settings : nullptr);
    if (!asked)
        return asked.error();
    if (*kept) {
        if (const std::string difference = differenceBetween((*kept)->settings, *asked); !difference.empty())
            return Error { difference };
    }
    return runExperiment(program, store, *asked);
}

Result<ExitCode> ExperimentCommand::list(const Program& program, ExperimentStore& store) const
{
    const auto experiments = store.list();
    if (!experiments)
        return experiments.error();
    for (const Experiment& experiment : *experiments)
        program.output << fmt::format("{}: {} of {} runs; {}\n", experiment.settings.name, experiment.runs.size(),
            experiment.runsWanted(), commandFor(experiment.settings));
    program.output << publishedName << ": what was published in 2019\n";
    return ExitCode::Success;
}

Result<ExitCode> ExperimentCommand::show(const Program& program, ExperimentStore& store) const
{
    const auto experiment = findKept(store, m_name);
    if (!experiment)
        return experiment.error();
    if (m_log > 0 || m_record > 0)
        return showPapers(program, store, *experiment);
    program.output << toPlainText(*experiment, resultTable(*experiment), publishedTables());
    return ExitCode::Success;
}

Result<ExitCode> ExperimentCommand::showPapers(
    const Program& program, ExperimentStore& store, const Experiment& experiment) const
{
    const unsigned number = m_log > 0 ? m_log : m_record;
    if (number > experiment.runs.size())
        return Error { fmt::format(
            "The experiment \"{}\" has {} runs and no run {}; the CSV export lists them in their "
            "order.",
            experiment.settings.name, experiment.runs.size(), number) };
    const auto papers = store.papers(experiment, experiment.runs[number - 1].planned);
    if (!papers)
        return papers.error();
    if (*papers)
        program.output << (m_log > 0 ? (*papers)->log : (*papers)->record);
    return ExitCode::Success;
}

Result<ExitCode> ExperimentCommand::exportResults(const Program& program, ExperimentStore& store) const
{
    const auto experiment = findKept(store, m_name);
    if (!experiment)
        return experiment.error();
    if (m_format == "csv") {
        program.output << toCsv(*experiment);
        return ExitCode::Success;
    }
    const ResultTable table = resultTable(*experiment);
    if (m_format == "md")
        program.output << toMarkdown(*experiment, table, publishedTables());
    else if (m_format == "json")
        program.output << toJson(*experiment, table, publishedTables());
    else
        return exportPlot(program, m_format, table);
    return ExitCode::Success;
}

Result<ExitCode> ExperimentCommand::exportPublished(const Program& program) const
{
    if (m_format == "md")
        program.output << toMarkdown(publishedTables());
    else if (m_format == "csv")
        program.output << toCsv(publishedTables());
    else if (m_format == "json")
        program.output << toJson(publishedTables());
    else
        return Error { fmt::format("The published tables can't be written as \"{}\", since there are no single runs to "
                                   "plot; choose md, csv or json.",
            m_format) };
    return ExitCode::Success;
}

} // namespace namsan
