// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/port_forward.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

namespace namsan {

namespace {

constexpr uint8_t loopback = 127;

template <class Number> std::optional<Number> toNumber(std::string_view text)
{
    Number number {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc {} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    while (true) {
        const size_t end = std::min(text.find(separator), text.size());
        parts.push_back(text.substr(0, end));
        if (end == text.size())
            return parts;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::array<uint8_t, 4>> toAddress(std::string_view text)
{
    const auto parts = split(text, '.');
    std::array<uint8_t, 4> address;
    if (parts.size() != address.size())
        return std::nullopt;
    for (size_t i = 0; i < address.size(); ++i) {
        const auto byte = toNumber<uint8_t>(parts[i]);
        if (!byte)
            return std::nullopt;
        address[i] = *byte;
    }
    return address;
}

} // namespace

Result<PortForward> parsePortForward(std::string_view text)
{
    const auto parts = split(text, ':');
    if (parts.size() != 4 || (parts[0] != "tcp" && parts[0] != "udp"))
        return Error { fmt::format("The forward \"{}\" is not understood; write tcp or udp, the host's loopback "
                                   "address, its port and the guest's port, such as tcp:127.0.0.1:8080:80.",
            text) };
    const auto address = toAddress(parts[1]);
    if (!address || address->front() != loopback)
        return Error { fmt::format(
            "The forward \"{}\" listens on \"{}\", and only the host's loopback is allowed; write 127.0.0.1 there.",
            text, parts[1]) };
    const auto hostPort = toNumber<uint16_t>(parts[2]);
    const auto guestPort = toNumber<uint16_t>(parts[3]);
    if (!hostPort || !guestPort || *hostPort == 0 || *guestPort == 0)
        return Error { fmt::format("The forward \"{}\" names \"{}\", which is no port; choose from 1 to 65535.", text,
            hostPort && *hostPort != 0 ? parts[3] : parts[2]) };
    return PortForward { .protocol = parts[0] == "tcp" ? PortForward::Protocol::Tcp : PortForward::Protocol::Udp,
        .hostAddress = *address,
        .hostPort = *hostPort,
        .guestPort = *guestPort };
}

std::string format(const PortForward& forward)
{
    const auto& address = forward.hostAddress;
    return fmt::format("{}:{}.{}.{}.{}:{}:{}", forward.protocol == PortForward::Protocol::Tcp ? "tcp" : "udp",
        address[0], address[1], address[2], address[3], forward.hostPort, forward.guestPort);
}

} // namespace namsan
