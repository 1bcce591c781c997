// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/guest_recipes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <fstream>

namespace namsan {

namespace {

namespace fs = std::filesystem;

// The head: comment lines, some of them "# Key: text".
GuestRecipe readHead(std::string_view name, const fs::path& file)
{
    GuestRecipe recipe { .name = std::string(name) };
    std::ifstream stream(file);
    for (std::string line; std::getline(stream, line) && line.starts_with('#');) {
        for (const auto& [key, text] : { std::pair("# Guest: ", &recipe.title),
                 std::pair("# Download: ", &recipe.download), std::pair("# Disk: ", &recipe.disk),
                 std::pair("# Kept: ", &recipe.kept), std::pair("# Time: ", &recipe.time) }) {
            if (line.starts_with(key))
                *text = line.substr(std::string_view(key).size());
        }
    }
    return recipe;
}

} // namespace

std::string GuestRecipe::cost() const
{
    return fmt::format(
        "{} to download, {} of disk while it is made, {} when it is ready, some {}", download, disk, kept, time);
}

GuestRecipes GuestRecipes::ofThisProgram()
{
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    for (const char* place : { "../../resources/guests/make-guest", "../share/namsan/guests/make-guest" }) {
        const fs::path script = (program.parent_path() / place).lexically_normal();
        if (!error && fs::exists(script, error))
            return GuestRecipes(script);
    }
    return GuestRecipes({});
}

GuestRecipes::GuestRecipes(fs::path script)
    : m_script(std::move(script))
{
}

std::vector<GuestRecipe> GuestRecipes::all() const
{
    std::vector<GuestRecipe> recipes;
    std::error_code error;
    if (m_script.empty())
        return recipes;
    for (const auto& entry : fs::directory_iterator(m_script.parent_path(), error)) {
        if (auto recipe = find(entry.path().filename().string()))
            recipes.push_back(*std::move(recipe));
    }
    std::ranges::sort(recipes, {}, &GuestRecipe::name);
    return recipes;
}

std::optional<GuestRecipe> GuestRecipes::find(std::string_view name) const
{
    const fs::path file = m_script.parent_path() / name / "recipe";
    std::error_code error;
    if (m_script.empty() || !isGuestName(name) || !fs::is_regular_file(file, error))
        return std::nullopt;
    return readHead(name, file);
}

std::string GuestRecipes::makeCommand(std::string_view name) const
{
    return m_script.empty() ? fmt::format("resources/guests/make-guest {} in Namsan's source folder", name)
                            : fmt::format("{} {}", m_script.string(), name);
}

bool isGuestName(std::string_view text)
{
    return !text.empty() && text.size() <= 64 && text.front() != '.' && std::ranges::all_of(text, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
    });
}

} // namespace namsan
