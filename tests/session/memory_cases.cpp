// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/session_rig.h"
namespace namsan {
std::vector<ConformanceCase> memoryCases()
{
    return {};
}
} // namespace namsan
