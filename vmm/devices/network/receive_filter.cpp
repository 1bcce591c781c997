// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/network/receive_filter.h"

#include <algorithm>
#include <cstring>

namespace namsan {

namespace {

// VIRTIO 1.2, 5.1.6.5.1 and 5.1.6.5.2.
constexpr uint8_t classReceive = 0;
constexpr uint8_t classAddress = 1;
constexpr uint8_t setFilterTables = 0;
constexpr uint8_t setAddress = 1;

constexpr uint8_t multicastBit = 1; // of an address's first byte
constexpr MacAddress broadcast { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

} // namespace

bool ReceiveFilter::command(std::span<const uint8_t> bytes)
{
    if (bytes.size() < 2)
        return false;
    const std::span<const uint8_t> data = bytes.subspan(2);
    if (bytes[0] == classReceive)
        return setMode(bytes[1], data);
    if (bytes[0] != classAddress)
        return false;
    if (bytes[1] == setFilterTables)
        return setTables(data);
    if (bytes[1] != setAddress || data.size() != m_own.size())
        return false;
    std::ranges::copy(data, m_own.begin());
    return true;
}

bool ReceiveFilter::setMode(uint8_t command, std::span<const uint8_t> data)
{
    constexpr std::array modes { &Modes::promiscuous, &Modes::allMulticast, &Modes::allUnicast, &Modes::noMulticast,
        &Modes::noUnicast, &Modes::noBroadcast };
    if (command >= modes.size() || data.size() != 1 || data[0] > 1)
        return false;
    m_modes.*modes[command] = data[0];
    return true;
}

bool ReceiveFilter::setTables(std::span<const uint8_t> data)
{
    Table unicast;
    Table multicast;
    if (!takeTable(data, unicast) || !takeTable(data, multicast))
        return false;
    m_unicast = std::move(unicast);
    m_multicast = std::move(multicast);
    return true;
}

// A number of addresses and the addresses, 5.1.6.5.2.1.
bool ReceiveFilter::takeTable(std::span<const uint8_t>& data, Table& table)
{
    uint32_t count = 0;
    if (data.size() < sizeof count)
        return false;
    std::memcpy(&count, data.data(), sizeof count);
    data = data.subspan(sizeof count);
    if (count > data.size() / sizeof(MacAddress))
        return false;
    table.overflowed = count > mostAddresses;
    if (!table.overflowed) {
        table.addresses.resize(count);
        for (uint32_t i = 0; i < count; ++i)
            std::ranges::copy(data.subspan(i * sizeof(MacAddress), sizeof(MacAddress)), table.addresses[i].begin());
    }
    data = data.subspan(count * sizeof(MacAddress));
    return true;
}

bool ReceiveFilter::Table::holds(std::span<const uint8_t> address) const
{
    return overflowed || std::ranges::any_of(addresses, [&](const MacAddress& listed) {
        return std::ranges::equal(listed, address);
    });
}

bool ReceiveFilter::passes(std::span<const uint8_t> frame) const
{
    if (frame.size() < m_own.size())
        return false;
    if (m_modes.promiscuous)
        return true;
    const auto destination = frame.first(m_own.size());
    if (std::ranges::equal(destination, broadcast))
        return !m_modes.noBroadcast;
    if (destination[0] & multicastBit)
        return !m_modes.noMulticast && (m_modes.allMulticast || m_multicast.holds(destination));
    return !m_modes.noUnicast
        && (m_modes.allUnicast || std::ranges::equal(destination, m_own) || m_unicast.holds(destination));
}

void ReceiveFilter::reset()
{
    m_own = m_permanent;
    m_modes = {};
    m_unicast = {};
    m_multicast = {};
}

void ReceiveFilter::save(StateWriter& state) const
{
    state.put(m_own, m_modes);
    for (const Table* table : { &m_unicast, &m_multicast }) {
        state.put(static_cast<uint8_t>(table->overflowed), static_cast<uint8_t>(table->addresses.size()));
        for (const MacAddress& address : table->addresses)
            state.put(address);
    }
}

Result<void> ReceiveFilter::restore(StateReader& state, std::string_view device)
{
    MacAddress own {};
    Modes modes;
    if (auto taken = state.takeInto(own, modes); !taken)
        return taken;
    std::array<Table, 2> tables;
    for (Table& table : tables) {
        uint8_t overflowed = 0;
        uint8_t count = 0;
        if (auto taken = state.takeInto(overflowed, count); !taken)
            return taken;
        if (overflowed > 1 || count > mostAddresses)
            return StateReader::impossible(device);
        table.overflowed = overflowed;
        table.addresses.resize(count);
        for (MacAddress& address : table.addresses) {
            if (auto taken = state.takeInto(address); !taken)
                return taken;
        }
    }
    m_own = own;
    m_modes = modes;
    m_unicast = std::move(tables[0]);
    m_multicast = std::move(tables[1]);
    return {};
}

} // namespace namsan
