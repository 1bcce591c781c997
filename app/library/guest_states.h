// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/library/guest_recipes.h"
#include "vmm/base/result.h"

#include <map>
#include <string>
#include <string_view>

namespace namsan {

enum class GuestState {
    Ready,
    RecipeChanged, // since it was made: it will be made again
    NotMade,
    Damaged, // a file is missing, or is not what was made
};

// Of all guests that there are recipes for, by their names. The script that makes them tells, so that it and this
// program are always of one mind. Quick: only files that have changed since a guest was made are read, so that Ready
// does not replace GuestCache::verify() before a run. Fails with a sentence where the script does not tell.
Result<std::map<std::string, GuestState>> guestStates(const GuestRecipes&);

// "recipe changed: will be made again"
std::string inWords(GuestState);

} // namespace namsan
