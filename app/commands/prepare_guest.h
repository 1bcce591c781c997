// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"
#include "app/library/guest_cache.h"

#include <string>

namespace namsan {

// A guest that is missing is made, as is one whose recipe has changed since; that is told of on the program's errors.
// Any other that is there is verified. Fails with a sentence. A guest that nothing is known of is no failure here: who
// looks for it tells why there is none.
Result<void> prepareGuest(const std::string& name, const GuestCache&, const Program&);

} // namespace namsan
