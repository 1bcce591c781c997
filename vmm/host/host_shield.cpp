// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/host_shield.h"

#include <algorithm>
#include <cstring>
#include <ifaddrs.h>
#include <netinet/in.h>

namespace namsan {

namespace {

// Ethernet, and IPv4 in it. RFC 894, RFC 791.
constexpr size_t etherType = 12;
constexpr size_t ipHeader = 14;
constexpr size_t shortestIpHeader = 20;
constexpr size_t fragmentOffset = ipHeader + 6;
constexpr size_t protocolField = ipHeader + 9;
constexpr size_t destinationField = ipHeader + 16;
constexpr uint8_t tcp = 6;
constexpr uint8_t udp = 17;
constexpr uint16_t domainPort = 53;

uint16_t wordAt(std::span<const uint8_t> bytes, size_t offset)
{
    return static_cast<uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

bool isDomainQuery(std::span<const uint8_t> frame)
{
    const size_t destinationPort = ipHeader + size_t { 4 } * (frame[ipHeader] & 0xf) + 2;
    const bool laterFragment = wordAt(frame, fragmentOffset) & 0x1fff; // which has no ports
    const bool hasPorts = frame[protocolField] == tcp || frame[protocolField] == udp;
    return hasPorts && !laterFragment && destinationPort + 2 <= frame.size()
        && wordAt(frame, destinationPort) == domainPort;
}

} // namespace

HostShield::HostShield(const Ipv4& nameServer, std::function<std::set<Ipv4>()> hostAddresses)
    : m_nameServer(nameServer)
    , m_askHost(std::move(hostAddresses))
    , m_hostAddresses(m_askHost())
    , m_askedAt(Clock::now())
{
}

bool HostShield::lets(std::span<const uint8_t> frame, Clock::time_point now)
{
    constexpr uint16_t ipv4 = 0x0800;
    if (frame.size() < ipHeader || wordAt(frame, etherType) != ipv4)
        return true;
    if (frame.size() < ipHeader + shortestIpHeader)
        return false;
    if (now - m_askedAt > freshness) {
        m_hostAddresses = m_askHost();
        m_askedAt = now;
    }
    Ipv4 destination;
    std::ranges::copy(frame.subspan(destinationField, destination.size()), destination.begin());
    if (destination == m_nameServer)
        return isDomainQuery(frame);
    const uint8_t network = destination[0];
    const bool loopback = network == 127 || network == 0; // connecting to 0.0.0.0 means this host
    const bool multicast = network >= 224 && network < 240; // which comes back to the host's own listeners
    return !loopback && !multicast && !m_hostAddresses.contains(destination);
}

std::set<HostShield::Ipv4> HostShield::addressesOfThisHost()
{
    std::set<Ipv4> addresses;
    ifaddrs* interfaces = nullptr;
    if (getifaddrs(&interfaces) != 0)
        return addresses;
    for (const ifaddrs* interface = interfaces; interface; interface = interface->ifa_next) {
        if (!interface->ifa_addr || interface->ifa_addr->sa_family != AF_INET)
            continue;
        sockaddr_in address;
        std::memcpy(&address, interface->ifa_addr, sizeof address);
        Ipv4 bytes;
        std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
        addresses.insert(bytes);
    }
    freeifaddrs(interfaces);
    return addresses;
}

} // namespace namsan
