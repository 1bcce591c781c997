// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/prepare_guest.h"

#include "app/library/guest_making.h"
#include "app/library/guest_states.h"

#include <algorithm>
#include <ostream>

namespace namsan {

Result<void> prepareGuest(const std::string& name, const GuestCache& guests, const Program& program)
{
    const auto names = guests.names();
    const bool isThere = std::ranges::find(names, name) != names.end();
    if (!program.recipes.find(name))
        return isThere ? guests.verify(name) : Result<void> {};
    if (isThere) {
        const auto states = guestStates(program.recipes);
        const bool changed = states && states->contains(name) && states->at(name) == GuestState::RecipeChanged;
        if (!changed) // nor does a script that does not answer keep a guest that is there from running
            return guests.verify(name);
    }
    return makeGuest(program.recipes.script(), name, false,
        [&](std::string_view line) { program.errors << "namsan: " << line << std::endl; });
}

} // namespace namsan
