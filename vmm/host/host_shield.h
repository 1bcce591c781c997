// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <span>

namespace namsan {

// Keeps a guest's frames from reaching the host itself, while the world behind it stays open. libslirp turns a guest's
// connection into one of this program's own, which may connect to all of the host's addresses; so what goes to one of
// them, or wherever the host listens besides, ends here. The name server of the NAT is a way to the host's resolver:
// port 53 and nothing else passes.
class HostShield {
public:
    using Ipv4 = std::array<uint8_t, 4>;
    using Clock = std::chrono::steady_clock;

    // hostAddresses is asked now and then, since a host's addresses change; nameServer is the NAT's.
    HostShield(const Ipv4& nameServer, std::function<std::set<Ipv4>()> hostAddresses);

    // Whether a frame of the guest may go on. Frames other than IPv4's never reach the host.
    bool lets(std::span<const uint8_t> frame, Clock::time_point now);

    // The addresses of all interfaces of this host.
    static std::set<Ipv4> addressesOfThisHost();

private:
    static constexpr std::chrono::seconds freshness { 2 };

    Ipv4 m_nameServer;
    std::function<std::set<Ipv4>()> m_askHost;
    std::set<Ipv4> m_hostAddresses;
    Clock::time_point m_askedAt;
};

} // namespace namsan
