// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/text_to_keys.h"
#include "vmm/machine/machine.h"

#include <gtest/gtest.h>

namespace namsan {

// On the machine's keyboard, as fast as it takes keys. The text as textToKeys() takes it.
inline void typeInto(Machine& machine, std::string_view text)
{
    const auto keys = textToKeys(text);
    ASSERT_TRUE(keys) << keys.error().message;
    for (const KeyEvent& key : *keys)
        machine.sendInput(key);
}

} // namespace namsan
