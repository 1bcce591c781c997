// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/prepare_guest.h"

#include "app/library/guest_making.h"

#include <algorithm>
#include <ostream>

namespace namsan {

Result<void> prepareGuest(const std::string& name, const GuestCache& guests, const Program& program)
{
    const auto names = guests.names();
    if (std::ranges::find(names, name) != names.end())
        return guests.verify(name);
    if (!program.recipes.find(name))
        return {};
    return makeGuest(program.recipes.script(), name, false,
        [&](std::string_view line) { program.errors << "namsan: " << line << std::endl; });
}

} // namespace namsan
