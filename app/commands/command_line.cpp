// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/command_line.h"

#include "app/commands/doctor_command.h"
#include "app/commands/experiment_command.h"
#include "app/commands/guest_command.h"
#include "app/commands/race_command.h"
#include "app/commands/run_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace namsan {

namespace {

constexpr const char* description
    = "Namsan runs virtual machines and shows what their placement on the host's "
      "processors does to them.\nWithout a command it asks in its window what to begin with.";

constexpr const char* examples = R"(Examples:
  namsan run tiny                         the tiny Linux guest in the window
  namsan run tiny --placement 1d          its vCPU and the VMM on a host CPU each
  namsan run kbuild --size smoke          a compiler at work, timed and checked
  namsan guest list                       the guests, and what making them takes
  namsan run --kernel vmlinuz --initrd initrd.gz --append console=ttyS0 --headless --serial stdio
  namsan experiment run count --columns 1s,1d --repetitions 6 --name first
                                          a table of what placement does; "show first" shows it again
  namsan race kbuild --size smoke --lanes 1d,2s
                                          two placements beside each other, started together
  namsan doctor                           what this host offers

"namsan run --help" lists the options of a run and the exit codes.)";

// The command that the user meant, for the sentence about what went wrong.
std::string helpOf(const CLI::App& program)
{
    const auto chosen = program.get_subcommands();
    return chosen.empty() ? "namsan --help" : fmt::format("namsan {} --help", chosen.front()->get_name());
}

// CLI11's own messages name a rule; people want the thing, the reason and the remedy.
std::string sentenceFor(const CLI::ParseError& error, const CLI::App& program)
{
    const std::vector<std::string> strange = program.remaining(true);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) && !strange.empty()) {
        const std::string& first = strange.front();
        const bool command = program.get_subcommands().empty() && !first.starts_with('-');
        const char* kind = first.starts_with('-') ? "option" : command ? "command" : "argument";
        return fmt::format("There is no {} \"{}\"; \"{}\" lists what there is.", kind, first, helpOf(program));
    }
    return fmt::format("The command line is not understood: {}; \"{}\" explains it.", error.what(), helpOf(program));
}

} // namespace

ExitCode runCommandLine(const std::vector<std::string>& arguments, const Program& program)
{
    CLI::App parser(description, "namsan");
    parser.footer(examples);
    parser.get_formatter()->column_width(32);
    parser.set_version_flag("--version", "namsan " NAMSAN_VERSION, "Print the version and end.");
    parser.set_help_flag("-h,--help", "Print this help and end.");
    parser.require_subcommand(0, 1);
    RunCommand run(parser);
    GuestCommand guest(parser);
    ExperimentCommand experiment(parser);
    RaceCommand race(parser);
    DoctorCommand doctor(parser);

    try {
        // CLI11 takes them in the order of a stack.
        parser.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::Success& asked) { // help and version
        parser.exit(asked, program.output, program.errors);
        return ExitCode::Success;
    } catch (const CLI::ParseError& error) {
        program.errors << "namsan: " << sentenceFor(error, parser) << '\n';
        return ExitCode::BadInput;
    }
    if (run.chosen())
        return run.execute(program);
    if (guest.chosen())
        return guest.execute(program);
    if (experiment.chosen())
        return experiment.execute(program);
    if (race.chosen())
        return race.execute(program);
    if (doctor.chosen())
        return doctor.execute(program);
    if (!program.askWhatToDo)
        return runCommandLine({ "run", "tiny" }, program);
    const std::vector<std::string> chosen = program.askWhatToDo();
    return chosen.empty() ? ExitCode::Success : runCommandLine(chosen, program);
}

} // namespace namsan
