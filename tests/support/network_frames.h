// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/devices/network/internet_checksum.h"
#include "vmm/devices/network/network_link.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// A guest's side of a network in miniature: the frames that it takes to ask for an address and to talk UDP and TCP.
// RFC 826 (ARP), 791 (IPv4), 768 (UDP), 9293 (TCP), 2131 (DHCP).
namespace namsan::frames {

using Bytes = std::vector<uint8_t>;
using Ipv4 = std::array<uint8_t, 4>;
using Mac = std::array<uint8_t, 6>;

constexpr Mac guestMac { 2, 0, 0, 0, 0, 1 };
constexpr Mac broadcastMac { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
// Any address that libslirp does not know as another guest's; it looks at IP addresses.
constexpr Mac routerMac { 0x52, 0x55, 10, 0, 2, 2 };
constexpr uint8_t tcp = 6;
constexpr uint8_t udp = 17;

inline void add(Bytes& bytes, std::span<const uint8_t> more)
{
    for (const uint8_t byte : more)
        bytes.push_back(byte);
}
inline void addWord(Bytes& bytes, size_t value)
{
    bytes.push_back(static_cast<uint8_t>(value >> 8));
    bytes.push_back(static_cast<uint8_t>(value));
}
inline void addDword(Bytes& bytes, uint32_t value)
{
    addWord(bytes, value >> 16);
    addWord(bytes, value & 0xffff);
}
inline uint16_t word(std::span<const uint8_t> bytes, size_t at)
{
    return static_cast<uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
inline uint32_t dword(std::span<const uint8_t> bytes, size_t at)
{
    return uint32_t { word(bytes, at) } << 16 | word(bytes, at + 2);
}

inline NetworkFrame ethernet(const Mac& to, uint16_t type, std::span<const uint8_t> payload)
{
    NetworkFrame frame;
    add(frame, to);
    add(frame, guestMac);
    addWord(frame, type);
    add(frame, payload);
    return frame;
}

inline NetworkFrame arpRequest(const Ipv4& own, const Ipv4& wanted)
{
    Bytes bytes { 0, 1, 8, 0, 6, 4, 0, 1 };
    add(bytes, guestMac);
    add(bytes, own);
    bytes.insert(bytes.end(), 6, 0);
    add(bytes, wanted);
    return ethernet(broadcastMac, 0x0806, bytes);
}

// An IPv4 packet; its payload is a TCP or UDP header with data, whose checksum field lies at checksumAt.
inline NetworkFrame packet(
    const Ipv4& from, const Ipv4& to, uint8_t protocol, Bytes payload, size_t checksumAt, const Mac& mac = routerMac)
{
    Bytes pseudo;
    add(pseudo, from);
    add(pseudo, to);
    addWord(pseudo, protocol);
    addWord(pseudo, payload.size());
    add(pseudo, payload);
    const uint16_t sum = internetChecksum(pseudo);
    payload[checksumAt] = static_cast<uint8_t>(sum >> 8);
    payload[checksumAt + 1] = static_cast<uint8_t>(sum);

    Bytes header { 0x45, 0 };
    addWord(header, 20 + payload.size());
    addDword(header, 0x00010000); // identification, no fragment
    header.push_back(64);
    header.push_back(protocol);
    addWord(header, 0);
    add(header, from);
    add(header, to);
    const uint16_t headerSum = internetChecksum(header);
    header[10] = static_cast<uint8_t>(headerSum >> 8);
    header[11] = static_cast<uint8_t>(headerSum);
    add(header, payload);
    return ethernet(mac, 0x0800, header);
}

inline NetworkFrame udpFrame(const Ipv4& from, uint16_t fromPort, const Ipv4& to, uint16_t toPort,
    std::span<const uint8_t> data, const Mac& mac = routerMac)
{
    Bytes bytes;
    addWord(bytes, fromPort);
    addWord(bytes, toPort);
    addWord(bytes, 8 + data.size());
    addWord(bytes, 0);
    add(bytes, data);
    return packet(from, to, udp, bytes, 6, mac);
}

namespace flag {
constexpr uint8_t fin = 1;
constexpr uint8_t syn = 2;
constexpr uint8_t reset = 4;
constexpr uint8_t push = 8;
constexpr uint8_t ack = 16;
} // namespace flag

struct Segment {
    uint16_t fromPort = 0;
    uint16_t toPort = 0;
    uint32_t sequence = 0;
    uint32_t acknowledgement = 0;
    uint8_t flags = 0;
    Bytes data = {};
};

inline NetworkFrame tcpFrame(const Ipv4& from, const Ipv4& to, const Segment& segment)
{
    Bytes bytes;
    addWord(bytes, segment.fromPort);
    addWord(bytes, segment.toPort);
    addDword(bytes, segment.sequence);
    addDword(bytes, segment.acknowledgement);
    bytes.push_back(0x50);
    bytes.push_back(segment.flags);
    addWord(bytes, 60000);
    addDword(bytes, 0);
    add(bytes, segment.data);
    return packet(from, to, tcp, bytes, 16);
}

// What an IPv4 frame carries; empty where it is none of that protocol or a checksum is wrong.
inline std::optional<Bytes> payloadOf(const NetworkFrame& frame, uint8_t protocol)
{
    if (frame.size() < 34 || word(frame, 12) != 0x0800 || frame[23] != protocol)
        return {};
    const std::span<const uint8_t> ip = std::span(frame).subspan(14);
    const size_t headerSize = size_t { 4 } * (ip[0] & 0xf);
    const size_t size = word(ip, 2);
    if (size > ip.size() || headerSize > size || internetChecksum(ip.first(headerSize)) != 0)
        return {};
    Bytes payload(ip.begin() + static_cast<std::ptrdiff_t>(headerSize), ip.begin() + static_cast<std::ptrdiff_t>(size));
    Bytes pseudo;
    add(pseudo, ip.subspan(12, 8));
    addWord(pseudo, protocol);
    addWord(pseudo, payload.size());
    add(pseudo, payload);
    const bool none = protocol == udp && word(payload, 6) == 0;
    if (!none && internetChecksum(pseudo) != 0)
        return {};
    return payload;
}

inline std::optional<Segment> segmentOf(const NetworkFrame& frame)
{
    const auto bytes = payloadOf(frame, tcp);
    if (!bytes || bytes->size() < 20)
        return {};
    const size_t headerSize = size_t { 4 } * ((*bytes)[12] >> 4);
    return Segment { .fromPort = word(*bytes, 0),
        .toPort = word(*bytes, 2),
        .sequence = dword(*bytes, 4),
        .acknowledgement = dword(*bytes, 8),
        .flags = (*bytes)[13],
        .data = Bytes(bytes->begin() + static_cast<std::ptrdiff_t>(headerSize), bytes->end()) };
}

// A DHCPDISCOVER (1) or DHCPREQUEST (3).
inline NetworkFrame dhcpMessage(uint8_t type, const std::optional<Ipv4>& requested = {})
{
    Bytes bytes { 1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78 };
    bytes.resize(28);
    add(bytes, guestMac);
    bytes.resize(236);
    add(bytes, Bytes { 99, 130, 83, 99, 53, 1, type });
    if (requested) {
        add(bytes, Bytes { 50, 4 });
        add(bytes, *requested);
    }
    bytes.push_back(255);
    bytes.resize(300);
    return udpFrame({ 0, 0, 0, 0 }, 68, { 255, 255, 255, 255 }, 67, bytes, broadcastMac);
}
// The value of an option of a DHCP message (as UDP carries it); empty where it has none.
inline Bytes dhcpOption(std::span<const uint8_t> message, uint8_t option)
{
    for (size_t at = 240; at + 1 < message.size() && message[at] != 255;) {
        if (message[at] == 0) {
            ++at;
            continue;
        }
        const size_t length = message[at + 1];
        if (at + 2 + length > message.size())
            break;
        if (message[at] == option)
            return Bytes(message.begin() + static_cast<std::ptrdiff_t>(at + 2),
                message.begin() + static_cast<std::ptrdiff_t>(at + 2 + length));
        at += 2 + length;
    }
    return {};
}

} // namespace namsan::frames
