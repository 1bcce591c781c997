// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace namsan {

// A port of the host's loopback whose connections go to a port of the guest. No other address of the host can be
// forwarded: what a guest serves is for this host alone.
struct PortForward {
    enum class Protocol { Tcp, Udp };

    Protocol protocol = Protocol::Tcp;
    std::array<uint8_t, 4> hostAddress { 127, 0, 0, 1 }; // in 127.0.0.0/8
    uint16_t hostPort = 0; // 1 to 65535
    uint16_t guestPort = 0; // 1 to 65535

    bool operator==(const PortForward&) const = default;
};

// "tcp:127.0.0.1:8080:80", "udp:127.0.0.1:5353:53". Fails with a sentence for the user.
Result<PortForward> parsePortForward(std::string_view);
// As parsePortForward() takes it.
std::string format(const PortForward&);

} // namespace namsan
