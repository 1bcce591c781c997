// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/run_command.h"

#include "app/commands/prepare_guest.h"
#include "app/running/headless_run.h"
#include "vmm/machine/machine_config_check.h"
#include "vmm/machine/machine_config_schema.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ostream>

namespace namsan {

namespace {

constexpr const char* footer
    = R"(A text that is asked for ends the run when it is there. On a terminal, --serial stdio passes every key to the guest;
Ctrl+] leaves.

Test guests:
  --multiboot    Multiboot specification 0.6.96, as ELF or by the header's address fields; the command line is --append.
                 There is no GDT. A kernel that asks for graphics needs --screen.
  --bios         64 KiB to 16 MiB in whole 64 KiB. The processor starts at F000:FFF0 with its reset state, nothing else
                 is set up. The last 128 KiB are below 1 MiB, too; there they are RAM, copied anew at each reset.
  --boot-sector  512 bytes with 55 AA at their end. DL is 80h, SS:SP 0000:7C00, interrupts are on and the timer ticks.
                 There are no BIOS services: every INT returns at once and does nothing.
  A reset reads the files again.

Devices for --device:
  isa-debug-exit         port F4, 1 to 4 bytes: a write of V ends the run with the exit code 2V+1
  debugcon[,file=FILE]   port E9: bytes for the file, or line by line for the log in --record; reads as E9
  port402[,file=FILE]    the same at port 402, as SeaBIOS uses it

Exit codes:
  0  the text was seen; or none was asked for, and the guest powered off or halted
  2  bad input
  3  time-out
  4  the guest crashed
  5  the guest ended without the text, or reported that a workload failed
  2V+1, of which 8 bits count: the guest wrote V to isa-debug-exit)";

using Kind = ConfigField::Kind;

std::string helpFor(const ConfigField& field)
{
    if (field.kind != Kind::Size && field.kind != Kind::Choice)
        return std::string(field.help);
    return fmt::format("{} ({}).", field.help.substr(0, field.help.size() - 1), field.range);
}

Result<std::chrono::milliseconds> parseTimeout(std::string_view text)
{
    constexpr double longest = 1e7; // some 115 days
    double seconds = 0;
    const auto [end, error]
        = std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
    if (error != std::errc {} || end != text.data() + text.size() || !(seconds > 0 && seconds <= longest))
        return Error { fmt::format(
            "The time-out \"{}\" is not understood; write seconds, such as 20 or 0.5, up to {:.0f}.", text, longest) };
    return std::chrono::milliseconds(static_cast<int64_t>(std::ceil(seconds * 1000)));
}

void append(std::string& commandLine, const std::string& more)
{
    if (!commandLine.empty() && !more.empty())
        commandLine += ' ';
    commandLine += more;
}

std::string namesOf(const std::map<std::string, std::string>& all)
{
    std::string names;
    for (const auto& [name, unused] : all)
        names += (names.empty() ? "" : ", ") + name;
    return names.empty() ? "none" : names;
}

// One a line, as the schema takes them.
Result<std::string> joinLines(const ConfigField& field, const std::vector<std::string>& values)
{
    std::string lines;
    for (const std::string& value : values) {
        if (value.empty() || value.find('\n') != std::string::npos)
            return Error { fmt::format(
                "The value \"{}\" of {} is empty or has several lines; write it in one line.", value, field.option) };
        lines += (lines.empty() ? "" : "\n") + value;
    }
    return lines;
}

Error emptyText(std::string_view option)
{
    return { fmt::format("The text of {} is empty; leave the option out or give it a text.", option) };
}

} // namespace

RunCommand::RunCommand(CLI::App& parser)
    : m_command(parser.add_subcommand("run", "Run one machine, in the window or without it."))
{
    m_command->footer(footer);
    m_command->get_formatter()->column_width(32);
    m_command
        ->add_option("guest", m_guest,
            "A guest by its name, such as tiny; it is made first if it is not there (\"namsan guest list\").")
        ->type_name("[GUEST]");
    for (const ConfigField& field : machineConfigSchema()) {
        const std::string option(field.option);
        CLI::Option* added = nullptr;
        if (field.kind == Kind::Switch) {
            added = m_command->add_flag(option, m_switches[std::string(field.key)], helpFor(field));
        } else if (field.repeatable) {
            added = m_command->add_option(option, m_lists[std::string(field.key)], helpFor(field));
            added->type_name(std::string(field.valueName))->allow_extra_args(false)->take_all();
        } else {
            added = m_command->add_option(option, m_values[std::string(field.key)], helpFor(field));
            added->type_name(std::string(field.valueName));
            added->default_str(field.key == "name" ? "" : field.defaultText());
        }
        added->group("The machine");
    }

    const auto order = [&](const char* option, auto& value, const char* valueName, const char* help) {
        return m_command->add_option(option, value, help)->type_name(valueName)->group("The run");
    };
    order("--until", m_orders.until, "TEXT", "End with success when a line with this text came over the serial line.");
    order("--until-screen", m_orders.untilScreen, "TEXT", "End with success when the text screen shows this text.");
    order(
        "--workload", m_orders.workload, "NAME", "Have the guest run this workload, and end when it reports its end.");
    order("--size", m_size, "SIZE", "How much the guest's workload does, such as smoke for kbuild.");
    order("--url", m_url, "ADDRESS", "The page that a browser guest shows first.");
    order("--type", m_typing, "TEXT=>KEYS",
        "When TEXT comes (serial or screen), type KEYS, such as root\\n; may be repeated.")
        ->allow_extra_args(false)
        ->take_all();
    order("--move", m_moves, "TEXT=>ENGINE",
        "When TEXT comes (serial), carry the running guest to ENGINE; may be repeated.")
        ->allow_extra_args(false)
        ->take_all();
    order("--timeout", m_timeout, "SECONDS", "End the run after that much of the host's time.");
    order("--serial", m_orders.serial, "FILE",
        "Where the guest's serial output goes: stdio (takes input, too) or a file.");
    order("--screenshot", m_orders.screenshot, "FILE", "Keep the guest's last picture as PNG.");
    order("--window-screenshot", m_orders.windowScreenshot, "FILE",
        "Keep a picture of the window at the end of the run as PNG.");
    order("--record", m_orders.record, "FILE", "Keep everything that was measured, as JSON.");
    m_command->add_flag("--headless", m_headless, "Run without a window; no display is needed.")->group("The run");
}

bool RunCommand::chosen() const
{
    return m_command->parsed();
}

Result<RunRequest> RunCommand::request(const GuestCache& guests) const
{
    RunRequest request;
    request.headless = m_headless;
    if (!m_guest.empty()) {
        if (auto taken = takeGuest(guests, request); !taken)
            return taken.error();
    }
    if (auto taken = takeFields(request); !taken)
        return taken.error();
    if (auto taken = takeOrders(request); !taken)
        return taken.error();
    if (auto possible = checkMachineConfig(request.config); !possible)
        return possible.error();
    return request;
}

ExitCode RunCommand::execute(const Program& program) const
{
    const auto say = [&](const std::string& sentence) { program.errors << "namsan: " << sentence << '\n'; };
    const GuestCache guests(GuestCache::defaultFolder());
    if (const auto prepared = m_guest.empty() ? Result<void> {} : prepareGuest(m_guest, guests, program); !prepared) {
        say(prepared.error().message);
        return ExitCode::BadInput;
    }
    const auto asked = request(guests);
    if (!asked) {
        say(asked.error().message);
        return ExitCode::BadInput;
    }
    const auto host = readTopology();
    if (!host) {
        say(host.error().message);
        return ExitCode::BadInput;
    }
    // The window would say the same, but a shell script wants to hear of it at once.
    if (auto placement = parsePlacement(asked->config.placement, *host, asked->config.vcpus); !placement) {
        say(placement.error().message);
        return ExitCode::BadInput;
    }
    if (asked->headless)
        return runHeadless(asked->config, asked->orders, *host, program.makeMachine, say);
    return program.openWindow({ asked->config, asked->orders });
}

Result<void> RunCommand::takeGuest(const GuestCache& guests, RunRequest& request) const
{
    auto guest = guests.find(m_guest);
    if (!guest)
        return guest.error();
    request.config = guest->config;
    if (auto taken = takeWorkload(*guest, request); !taken)
        return taken;
    return takeUrl(*guest, request);
}

Result<void> RunCommand::takeWorkload(const CachedGuest& guest, RunRequest& request) const
{
    const std::string& name = m_orders.workload.empty() ? guest.workload : m_orders.workload;
    if (!name.empty()) {
        const auto workload = guest.workloads.find(name);
        if (workload == guest.workloads.end())
            return Error { fmt::format(
                "The guest \"{}\" has no workload \"{}\"; it has {}.", m_guest, name, namesOf(guest.workloads)) };
        append(request.config.append, workload->second);
    }
    // Without a window there is nothing to see afterwards: the run is over when its work is, unless it waits for a
    // text.
    if (m_headless && !m_orders.asksForText())
        request.orders.workload = name;
    if (m_size.empty())
        return {};
    const auto size = guest.sizes.find(m_size);
    if (size == guest.sizes.end())
        return Error { fmt::format(
            "The guest \"{}\" has no size \"{}\"; it has {}.", m_guest, m_size, namesOf(guest.sizes)) };
    append(request.config.append, size->second);
    return {};
}

Result<void> RunCommand::takeUrl(const CachedGuest& guest, RunRequest& request) const
{
    if (m_url.empty())
        return {};
    if (guest.url.empty())
        return Error { fmt::format("The guest \"{}\" shows no pages; leave --url out, or run browser.", m_guest) };
    // It travels as one word of the kernel's command line.
    const bool oneWord = std::ranges::all_of(m_url, [](char c) { return c > ' ' && c <= '~' && c != '"'; });
    if (!oneWord)
        return Error { fmt::format("The address \"{}\" holds blanks, quotes or letters beyond ASCII; "
                                   "write them as %20 and the like.",
            m_url) };
    append(request.config.append, guest.url + m_url);
    return {};
}

Result<void> RunCommand::takeFields(RunRequest& request) const
{
    for (const ConfigField& field : machineConfigSchema()) {
        if (m_command->count(std::string(field.option)) == 0)
            continue;
        std::string value = "false"; // switches turn something off
        if (field.repeatable) {
            const auto joined = joinLines(field, m_lists.find(field.key)->second);
            if (!joined)
                return joined.error();
            value = *joined;
        } else if (field.kind != Kind::Switch) {
            value = m_values.find(field.key)->second;
            if (field.key == "append") {
                append(request.config.append, value);
                continue;
            }
        }
        if (auto parsed = field.parse(request.config, value); !parsed)
            return parsed;
    }
    return {};
}

Result<void> RunCommand::takeOrders(RunRequest& request) const
{
    for (const auto& [option, text] :
        { std::pair("--until", &m_orders.until), std::pair("--until-screen", &m_orders.untilScreen),
            std::pair("--workload", &m_orders.workload), std::pair("--size", &m_size), std::pair("--url", &m_url),
            std::pair("--serial", &m_orders.serial), std::pair("--screenshot", &m_orders.screenshot),
            std::pair("--window-screenshot", &m_orders.windowScreenshot), std::pair("--record", &m_orders.record) }) {
        if (m_command->count(option) > 0 && text->empty())
            return emptyText(option);
    }
    if (m_guest.empty() && !(m_size + m_url).empty())
        return Error { "There is no guest that --size or --url could be for; name one, such as kbuild or browser." };
    if (m_headless && !m_orders.windowScreenshot.empty())
        return Error { "There is no window that --window-screenshot could show; leave out either it or --headless." };
    const std::string workload = request.orders.workload;
    request.orders = m_orders;
    if (request.orders.workload.empty())
        request.orders.workload = workload;
    for (const std::string& text : m_typing) {
        auto step = parseTypingStep(text);
        if (!step)
            return step.error();
        request.orders.typing.push_back(std::move(*step));
    }
    for (const std::string& text : m_moves) {
        auto step = parseEngineMoveStep(text);
        if (!step)
            return step.error();
        request.orders.moves.push_back(std::move(*step));
    }
    if (m_command->count("--timeout") == 0)
        return {};
    const auto timeout = parseTimeout(m_timeout);
    if (!timeout)
        return timeout.error();
    request.orders.timeout = *timeout;
    return {};
}

} // namespace namsan
