// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// One byte that a guest sent through a serial port.
struct SerialOutput {
    uint8_t byte;
};

// The guest switched the machine off (ACPI S5).
struct PowerOffRequest { };

// One byte that a guest wrote to a debug console.
struct DebugOutput {
    uint16_t port;
    uint8_t byte;
};

// The guest ended the run, with this value.
struct DebugExit {
    uint32_t value;
};

// The PC speaker began or ended to sound, or changed its tone.
struct SpeakerChange {
    bool on;
    uint32_t frequency; // Hz, rounded down; 0 while off

    bool operator==(const SpeakerChange&) const = default;
};

} // namespace namsan
