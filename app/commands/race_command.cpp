// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/race_command.h"

#include "app/commands/prepare_guest.h"
#include "app/commands/race_run.h"
#include "app/lab/experiment_store.h"
#include "app/lab/workload.h"
#include "app/running/race_setup.h"
#include "vmm/base/file_writer.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <ostream>

namespace namsan {

namespace {

constexpr const char* footer
    = R"(Lanes: n(s): the VMM shares a host CPU with vCPU 0, each further vCPU has its own; n(d): the VMM and every vCPU have
a host CPU each. A lane may be named twice: that shows what chance alone does.

In each round every lane boots and is held where the guest says that its workload begins. When all are there, they start
together; how far apart they really started stands in the table. What counts is the guest's own time from there on. Where
the host has too few CPUs for all lanes, they share some and hinder each other; --by-turns lets one run after another.

Nobody wins before 6 rounds are counted, nor while the 95 % interval of the change holds 0 %.

Exit codes: 0 all rounds are counted; 2 bad input or the host cannot go on; 5 interrupted, or a lane failed.)";

Result<void> checkFile(const char* what, const std::string& path)
{
    return path.empty() ? Result<void> {} : checkWritable(what, path);
}

} // namespace

RaceCommand::RaceCommand(CLI::App& parser)
    : m_command(parser.add_subcommand("race", "Run a workload in several placements beside each other."))
{
    RaceSettings& settings = m_request.settings;
    m_command->footer(footer);
    m_command->get_formatter()->column_width(32);
    m_command->add_option("workload", settings.workload, "kbuild or count.")->type_name("WORKLOAD")->required();
    m_command->add_option("--size", settings.size, "mini, smoke, standard or full.")
        ->type_name("SIZE")
        ->capture_default_str();
    m_command->add_option("--lanes", m_lanes, "The placements, 2 to 4, such as 1d,2s.")
        ->type_name("LANES")
        ->capture_default_str();
    m_command->add_option("--rounds", settings.rounds, "How often they run; 6 or more for a winner.")
        ->type_name("N")
        ->check(CLI::Range(1U, mostRounds))
        ->capture_default_str();
    m_command->add_option("--engine", settings.engine, "soft or kvm.")->type_name("ENGINE")->capture_default_str();
    m_command->add_flag("--by-turns", settings.byTurns, "One lane after another instead of all at the same time.");
    m_command->add_option("--seed", settings.seed, "Of the order of turns and of the intervals.")
        ->type_name("N")
        ->capture_default_str();
    m_command->add_option("--record", m_request.record, "Keep the rounds and what came of them, as JSON.")
        ->type_name("FILE");
    m_command
        ->add_option("--window-screenshot", m_request.windowScreenshot,
            "Keep a picture of the window at the end of the race as PNG.")
        ->type_name("FILE");
    m_command->add_flag("--headless", m_headless, "Run without a window and print the table.");
}

bool RaceCommand::chosen() const
{
    return m_command->parsed();
}

ExitCode RaceCommand::execute(const Program& program) const
{
    const auto done = race(program);
    if (done)
        return *done;
    program.errors << "namsan: " << done.error().message << '\n';
    return ExitCode::BadInput;
}

Result<ExitCode> RaceCommand::race(const Program& program) const
{
    RaceRequest request = m_request;
    auto lanes = parseColumns(m_lanes);
    if (!lanes)
        return lanes.error();
    request.settings.lanes = std::move(*lanes);
    if (m_headless && !request.windowScreenshot.empty())
        return Error { "There is no window that --window-screenshot could show; leave out either it or --headless." };
    if (auto possible = checkFile("The race's record", request.record); !possible)
        return possible.error();
    if (auto possible = checkFile("The window's screenshot", request.windowScreenshot); !possible)
        return possible.error();
    const auto workload = findWorkload(request.settings.workload);
    if (!workload)
        return workload.error();
    const auto host = readTopology();
    if (!host)
        return host.error();
    // What can't be is said before a guest is made for it.
    if (auto sound = checkRace(request.settings); !sound)
        return sound.error();
    if (const auto plan = planLanes(*host, request.settings.lanes); !plan)
        return plan.error();
    const GuestCache guests(GuestCache::defaultFolder());
    if (auto prepared = prepareGuest(std::string(workload->guest), guests, program); !prepared)
        return prepared.error();
    auto setup = prepareRace(request.settings, *host, guests, program.makeMachine, ExperimentStore::defaultFolder());
    if (!setup)
        return setup.error();
    if (m_headless)
        return raceHeadless(program, std::move(*setup), request.record);
    return program.openRace(request);
}

} // namespace namsan
