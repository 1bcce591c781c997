// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/guest_command.h"

#include "app/library/guest_cache.h"
#include "app/library/guest_making.h"
#include "app/library/guest_states.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <numeric>
#include <ostream>

namespace namsan {

namespace {

// "12 MB": of people's megabytes, as recipes and package managers count them.
std::string inMegabytes(uint64_t bytes)
{
    constexpr uint64_t mega = 1'000'000;
    return fmt::format("{} MB", (bytes + mega - 1) / mega);
}

std::string stateOf(const GuestCache& guests, const GuestRecipe& recipe, GuestState state)
{
    if (state == GuestState::NotMade)
        return fmt::format("{}: {}", inWords(state), recipe.cost());
    if (state == GuestState::Damaged)
        return fmt::format("{}: \"namsan guest make {}\" makes it again", inWords(state), recipe.name);
    const auto files = guests.files(recipe.name);
    if (!files)
        return files.error().message;
    if (state == GuestState::RecipeChanged)
        return inWords(state);
    return fmt::format("{}, {}", inWords(state),
        inMegabytes(std::accumulate(files->begin(), files->end(), uint64_t { 0 },
            [](uint64_t sum, const GuestFile& file) { return sum + file.bytes; })));
}

} // namespace

GuestCommand::GuestCommand(CLI::App& parser)
    : m_command(parser.add_subcommand("guest", "List the guests, make one, or show its files."))
    , m_list(m_command->add_subcommand("list", "List the guests: which are ready, and what making the others takes."))
    , m_make(m_command->add_subcommand("make", "Make a guest from Debian's packages, unless it is there and whole."))
    , m_files(m_command->add_subcommand("files", "Show the files of a guest, with their sizes and SHA-256 sums."))
{
    m_command->require_subcommand(1);
    for (CLI::App* command : { m_make, m_files })
        command->add_option("name", m_name, "The guest.")->required()->type_name("NAME");
    m_make->add_flag("--refresh", m_refresh, "Make it anew, from the packages that Debian has today.");
    m_make->footer("Ctrl+C stops it; nothing half done is left.");
}

bool GuestCommand::chosen() const
{
    return m_command->parsed();
}

ExitCode GuestCommand::execute(const Program& program) const
{
    const GuestCache guests(GuestCache::defaultFolder());
    if (m_list->parsed())
        return list(guests, program);
    return m_make->parsed() ? make(guests, program) : files(guests, program);
}

ExitCode GuestCommand::list(const GuestCache& guests, const Program& program) const
{
    const auto line = [&](std::string_view name, std::string_view title, std::string_view state) {
        program.output << fmt::format("{:<17} {}\n{:<17} {}\n", name, title, "", state);
    };
    const auto states = guestStates(program.recipes);
    if (!states) {
        program.errors << "namsan: " << states.error().message << '\n';
        return ExitCode::BadInput;
    }
    for (const GuestRecipe& recipe : program.recipes.all()) {
        const auto state = states->find(recipe.name);
        line(recipe.name, recipe.title,
            stateOf(guests, recipe, state == states->end() ? GuestState::NotMade : state->second));
    }
    for (const std::string& name : guests.names()) { // of other versions of Namsan, or made by hand
        if (program.recipes.find(name))
            continue;
        const auto guest = guests.find(name);
        line(name, guest ? guest->title : "", guest ? "ready, without a recipe" : guest.error().message);
    }
    return ExitCode::Success;
}

ExitCode GuestCommand::make(const GuestCache&, const Program& program) const
{
    const auto say = [&](std::string_view sentence) { program.errors << "namsan: " << sentence << std::endl; };
    if (!program.recipes.find(m_name)) {
        say(program.recipes.script().empty()
                ? "The script that makes guests, make-guest, is not where it belongs; install Namsan again."
                : fmt::format(
                    "There is no recipe for a guest \"{}\"; \"namsan guest list\" shows the guests.", m_name));
        return ExitCode::BadInput;
    }
    const auto made = makeGuest(program.recipes.script(), m_name, m_refresh, say);
    if (made)
        return ExitCode::Success;
    say(made.error().message);
    return ExitCode::BadInput;
}

ExitCode GuestCommand::files(const GuestCache& guests, const Program& program) const
{
    const auto whole = guests.verify(m_name);
    const auto files = guests.files(m_name);
    if (!whole || !files) {
        program.errors << "namsan: " << (whole ? files.error() : whole.error()).message << '\n';
        return ExitCode::BadInput;
    }
    for (const GuestFile& file : *files)
        program.output << fmt::format("{}  {:>11}  {}\n", file.digest, file.bytes, file.path.string());
    return ExitCode::Success;
}

} // namespace namsan
