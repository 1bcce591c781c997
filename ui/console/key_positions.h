// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/input/input_event.h"

#include <QtGlobal>

#include <optional>

class QKeyEvent;

namespace namsan {

constexpr HidUsage rightControl = 0xE4;

// The HID usage of a key by its Linux event code (input-event-codes.h, KEY_*). The position counts, not what the host's
// layout prints on it. Empty for keys that no PC keyboard of the guest has.
std::optional<HidUsage> usageOfLinuxKey(quint32 code);

// The same for an event. X11 and Wayland tell the position: their scan code is the Linux code plus 8. Where a platform
// tells none, the key counts as that of a US keyboard.
std::optional<HidUsage> usageOf(const QKeyEvent&);

} // namespace namsan
