// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/guest_cache.h"

#include "vmm/machine/machine_config_schema.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>

namespace namsan {

namespace {

namespace fs = std::filesystem;

constexpr const char* descriptionFile = "guest.json";

// The script that makes guests, if it is where it belongs: beside the sources of a program that was built, or with the
// data of one that was installed. Its recipes lie beside it, in folders with the guests' names.
std::optional<fs::path> makeGuest()
{
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    for (const char* place : { "../../resources/guests/make-guest", "../share/namsan/guests/make-guest" }) {
        const fs::path script = (program.parent_path() / place).lexically_normal();
        if (!error && fs::exists(script, error))
            return script;
    }
    return std::nullopt;
}

std::string makeCommand(std::string_view name)
{
    const auto script = makeGuest();
    return script ? fmt::format("{} {}", script->string(), name)
                  : fmt::format("resources/guests/make-guest {} in Namsan's source folder", name);
}

bool hasRecipe(std::string_view name)
{
    const auto script = makeGuest();
    std::error_code error;
    return !script || fs::exists(script->parent_path() / name / "recipe", error);
}

bool isName(std::string_view text)
{
    return !text.empty() && text.size() <= 64 && text.front() != '.' && std::ranges::all_of(text, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
    });
}

Error damaged(const fs::path& file, std::string_view why, std::string_view name)
{
    return { fmt::format("The guest's description {} cannot be used: {}. Make the guest again with {} --refresh.",
        file.string(), why, makeCommand(name)) };
}

std::string textOf(const nlohmann::json& description, std::string_view key)
{
    const auto found = description.find(key);
    return found != description.end() && found->is_string() ? found->get<std::string>() : std::string {};
}

// The value of a field: of one that may be repeated, a list of strings or one string.
std::vector<std::string> valuesOf(const nlohmann::json& description, const ConfigField& field)
{
    std::vector<std::string> values;
    const auto found = description.find(field.key);
    if (field.repeatable && found != description.end() && found->is_array()) {
        for (const auto& value : *found) {
            if (value.is_string())
                values.push_back(value.get<std::string>());
        }
    } else if (std::string value = textOf(description, field.key); !value.empty()) {
        values.push_back(std::move(value));
    }
    return values;
}

// Every field of a configuration that the description names; files are named relative to the description.
Result<MachineConfig> readConfig(const nlohmann::json& description, const fs::path& folder)
{
    MachineConfig config;
    for (const ConfigField& field : machineConfigSchema()) {
        std::string value;
        for (const std::string& text : valuesOf(description, field)) {
            if (!value.empty())
                value += '\n';
            value += field.kind == ConfigField::Kind::File ? (folder / text).string() : text;
        }
        if (value.empty())
            continue;
        if (auto parsed = field.parse(config, value); !parsed)
            return parsed.error();
    }
    return config;
}

} // namespace

GuestCache::GuestCache(fs::path folder)
    : m_folder(std::move(folder))
{
}

fs::path GuestCache::defaultFolder()
{
    const char* cache = std::getenv("XDG_CACHE_HOME");
    if (cache && cache[0] == '/') // the specification has relative ones ignored
        return fs::path(cache) / "namsan" / "guests";
    const char* home = std::getenv("HOME");
    return fs::path(home ? home : "/") / ".cache" / "namsan" / "guests";
}

std::vector<std::string> GuestCache::names() const
{
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(m_folder, error)) {
        const std::string name = entry.path().filename().string();
        if (isName(name) && fs::exists(entry.path() / descriptionFile, error))
            names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

Result<CachedGuest> GuestCache::find(std::string_view name) const
{
    if (!isName(name))
        return Error { fmt::format(
            "\"{}\" is no name of a guest; \"namsan doctor\" lists those that there are.", name) };
    const fs::path folder = m_folder / name;
    const fs::path file = folder / descriptionFile;
    std::ifstream stream(file);
    if (!stream && !hasRecipe(name))
        return Error { fmt::format("There is no guest \"{}\"; \"namsan doctor\" lists those that there are.", name) };
    if (!stream)
        return Error { fmt::format(
            "The guest \"{}\" is not in {}. Make it once with {}.", name, m_folder.string(), makeCommand(name)) };

    const auto description = nlohmann::json::parse(stream, nullptr, false);
    if (!description.is_object() || textOf(description, "format") != "namsan-guest")
        return damaged(file, "it is no description of a guest", name);
    if (description.value("version", nlohmann::json()) != 1)
        return damaged(file, "it was made for another version of Namsan", name);

    auto config = readConfig(description, folder);
    if (!config)
        return damaged(file, config.error().message, name);
    CachedGuest guest { textOf(description, "title"), std::move(*config), {} };
    guest.config.name = name;
    if (const auto workloads = description.find("workloads");
        workloads != description.end() && workloads->is_object()) {
        for (const auto& [workload, append] : workloads->items()) {
            if (append.is_string())
                guest.workloads[workload] = append.get<std::string>();
        }
    }
    return guest;
}

} // namespace namsan
