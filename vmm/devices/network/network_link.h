// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace namsan {

// An Ethernet frame without its check sequence: destination, source, type, payload.
using NetworkFrame = std::vector<uint8_t>;

// The other end of a network card's cable. The card calls it under the board lock, so it only ever passes frames on and
// never waits.
class NetworkLink {
public:
    virtual ~NetworkLink() = default;

    // The largest frame that transmit() takes, in bytes.
    virtual size_t largestFrame() const = 0;
    // Takes a frame from the card. False: there is no room, and the frame is lost.
    virtual bool transmit(NetworkFrame) = 0;
    // Gives the next frame for the card. False: there is none. Whoever connects the two tells the card of new ones.
    virtual bool receive(NetworkFrame&) = 0;
};

} // namespace namsan
