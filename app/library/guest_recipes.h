// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// What the head of a recipe says about the guest it makes; sizes and time in words, such as "60 MB".
struct GuestRecipe {
    std::string name;
    std::string title = {};
    std::string download = {};
    std::string disk = {}; // while it is made
    std::string kept = {}; // when it is ready
    std::string time = {};

    // "60 MB to download, ... , some 30 seconds"
    std::string cost() const;
};

// The recipes that lie beside the script that makes guests (resources/guests/make-guest).
class GuestRecipes {
public:
    // Beside the sources of a program that was built, or with the data of one that was installed.
    static GuestRecipes ofThisProgram();
    // An empty path: there are none, and no guest can be made.
    explicit GuestRecipes(std::filesystem::path script);

    const std::filesystem::path& script() const { return m_script; }
    std::vector<GuestRecipe> all() const; // by name
    std::optional<GuestRecipe> find(std::string_view name) const;
    // What a user can type to make it.
    std::string makeCommand(std::string_view name) const;

private:
    std::filesystem::path m_script;
};

// Whether it can name a guest: a folder's name that leads nowhere else.
bool isGuestName(std::string_view);

} // namespace namsan
