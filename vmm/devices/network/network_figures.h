// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// What a network card has counted since the machine was made. Frames are counted as they cross the cable.
struct NetworkFigures {
    uint64_t framesSent = 0; // by the guest
    uint64_t bytesSent = 0;
    uint64_t framesReceived = 0; // by the guest
    uint64_t bytesReceived = 0;
    uint64_t framesLost = 0; // in either direction, where there was no room
    uint64_t framesFiltered = 0; // for somebody else
    uint64_t framesMalformed = 0; // that the guest's driver described wrongly
    uint64_t interrupts = 0;
    uint64_t notifications = 0; // by the guest's driver: each is an exit

    bool operator==(const NetworkFigures&) const = default;
};

} // namespace namsan
