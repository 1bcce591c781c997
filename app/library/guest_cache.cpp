// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/guest_cache.h"

#include "app/library/guest_recipes.h"
#include "vmm/machine/machine_config_schema.h"

#include <QCryptographicHash>
#include <QFile>
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
constexpr const char* stampFile = "stamp";
constexpr std::string_view stampLineStart = "file ";
constexpr size_t digestLength = 64; // SHA-256, in hexadecimal digits

Error damaged(const fs::path& file, std::string_view why, std::string_view name)
{
    return { fmt::format("The guest's description {} cannot be used: {}. Make the guest again with {} --refresh.",
        file.string(), why, GuestRecipes::ofThisProgram().makeCommand(name)) };
}

std::string textOf(const nlohmann::json& description, std::string_view key)
{
    const auto found = description.find(key);
    return found != description.end() && found->is_string() ? found->get<std::string>() : std::string {};
}

// The texts of an object's members, by their names.
std::map<std::string, std::string> textsOf(const nlohmann::json& description, std::string_view key)
{
    std::map<std::string, std::string> texts;
    const auto found = description.find(key);
    if (found == description.end() || !found->is_object())
        return texts;
    for (const auto& [name, text] : found->items()) {
        if (text.is_string())
            texts[name] = text.get<std::string>();
    }
    return texts;
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

// Empty where it cannot be read.
std::string digestOf(const fs::path& path)
{
    QFile file(QString::fromStdString(path.string()));
    QCryptographicHash hash(QCryptographicHash::Sha256);
    if (!file.open(QIODevice::ReadOnly) || !hash.addData(&file))
        return {};
    return hash.result().toHex().toStdString();
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
        if (isGuestName(name) && fs::exists(entry.path() / descriptionFile, error))
            names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

Result<CachedGuest> GuestCache::find(std::string_view name) const
{
    if (!isGuestName(name))
        return Error { fmt::format(
            "\"{}\" is no name of a guest; \"namsan doctor\" lists those that there are.", name) };
    const fs::path folder = m_folder / name;
    const fs::path file = folder / descriptionFile;
    std::ifstream stream(file);
    const GuestRecipes recipes = GuestRecipes::ofThisProgram();
    if (!stream && !recipes.script().empty() && !recipes.find(name))
        return Error { fmt::format("There is no guest \"{}\"; \"namsan doctor\" lists those that there are.", name) };
    if (!stream)
        return Error { fmt::format("The guest \"{}\" is not in {}. Make it once with {}.", name, m_folder.string(),
            recipes.makeCommand(name)) };

    const auto description = nlohmann::json::parse(stream, nullptr, false);
    if (!description.is_object() || textOf(description, "format") != "namsan-guest")
        return damaged(file, "it is no description of a guest", name);
    if (description.value("version", nlohmann::json()) != 1)
        return damaged(file, "it was made for another version of Namsan", name);

    auto config = readConfig(description, folder);
    if (!config)
        return damaged(file, config.error().message, name);
    CachedGuest guest { .title = textOf(description, "title"),
        .config = std::move(*config),
        .workloads = textsOf(description, "workloads"),
        .workload = textOf(description, "workload"),
        .sizes = textsOf(description, "sizes"),
        .url = textOf(description, "url") };
    guest.config.name = name;
    return guest;
}

Result<std::vector<GuestFile>> GuestCache::files(std::string_view name) const
{
    if (auto guest = find(name); !guest)
        return guest.error();
    const fs::path folder = m_folder / name;
    std::vector<GuestFile> files;
    std::ifstream stamp(folder / stampFile);
    for (std::string line; std::getline(stamp, line);) {
        // As sha256sum writes them, after a word of our own: "file DIGEST  ./NAME".
        const size_t nameAt = stampLineStart.size() + digestLength + 2;
        if (!line.starts_with(stampLineStart) || line.size() <= nameAt)
            continue;
        const fs::path path = (folder / line.substr(nameAt)).lexically_normal();
        std::error_code error;
        const auto size = fs::file_size(path, error);
        files.push_back(
            { .path = path, .bytes = error ? 0 : size, .digest = line.substr(stampLineStart.size(), digestLength) });
    }
    return files;
}

Result<void> GuestCache::verify(std::string_view name) const
{
    const auto all = files(name);
    if (!all)
        return all.error();
    for (const GuestFile& file : *all) {
        if (digestOf(file.path) != file.digest)
            return Error { fmt::format(
                "The guest \"{}\" is damaged: its file {} {}. \"namsan guest make {}\" makes it again.", name,
                file.path.string(), fs::exists(file.path) ? "is not what was made" : "is missing", name) };
    }
    return {};
}

} // namespace namsan
