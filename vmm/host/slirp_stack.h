// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/devices/network/network_link.h"
#include "vmm/host/port_forward.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <poll.h>
#include <span>
#include <vector>

namespace namsan {

// How a NAT is set up.
struct NatOptions {
    bool offline = false; // nothing outside can be reached; DHCP and forwards work
    bool hostAccess = true; // the guest reaches this host
    std::vector<PortForward> forwards = {};
};

// The NAT's own addresses: net 10.0.2.0/24, where DHCP gives the guest .15.
namespace nat {
constexpr std::array<uint8_t, 4> network { 10, 0, 2, 0 };
constexpr std::array<uint8_t, 4> networkMask { 255, 255, 255, 0 };
constexpr std::array<uint8_t, 4> host { 10, 0, 2, 2 }; // gateway; to the guest, the host's loopback
constexpr std::array<uint8_t, 4> nameServer { 10, 0, 2, 3 };
constexpr std::array<uint8_t, 4> guest { 10, 0, 2, 15 };
constexpr size_t mtu = 1500;
} // namespace nat

// libslirp: a TCP/IP stack that turns a guest's connections into sockets of this program. All calls from one thread at
// a time; nothing here waits. (libslirp keeps its clock and the host's name server in variables of the process, so the
// stacks of several machines take turns.)
class SlirpStack {
public:
    // Fails with a sentence where a forwarded port is not to be had.
    static Result<std::unique_ptr<SlirpStack>> create(const NatOptions&);
    ~SlirpStack();
    SlirpStack(const SlirpStack&) = delete;
    SlirpStack& operator=(const SlirpStack&) = delete;

    // What poll(2) is to wait for; returns for how many milliseconds at most, or -1.
    int addPolls(std::vector<pollfd>&);
    // After poll(2): does what can be done. The entries are those that addPolls() added, in place.
    void work(const std::vector<pollfd>&);
    // A frame from the guest.
    void input(std::span<const uint8_t>);
    // The frames for the guest that came of all that.
    std::vector<NetworkFrame> takeOutput();

private:
    struct Callbacks;
    struct Stack;

    SlirpStack();
    Result<void> open(const NatOptions&);

    std::unique_ptr<Stack> m_stack;
    std::vector<NetworkFrame> m_output;
};

} // namespace namsan
