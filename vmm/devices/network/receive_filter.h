// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/state_stream.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace namsan {

using MacAddress = std::array<uint8_t, 6>;

// Which frames a network card takes from its cable, as the driver set it by the control queue. VIRTIO 1.2, 5.1.6.5.1
// and 5.1.6.5.2: at first the card takes what is for its own address and broadcasts.
class ReceiveFilter {
public:
    static constexpr size_t mostAddresses = 64; // of each kind; with more, all of the kind pass

    explicit ReceiveFilter(const MacAddress& own)
        : m_permanent(own)
        , m_own(own)
    {
    }

    const MacAddress& ownAddress() const { return m_own; }

    // One command, as the driver wrote it: class, command, data. False: it is refused.
    bool command(std::span<const uint8_t>);

    bool passes(std::span<const uint8_t> frame) const;

    void reset();
    void save(StateWriter&) const;
    Result<void> restore(StateReader&, std::string_view device);

private:
    struct Modes {
        uint8_t promiscuous = 0;
        uint8_t allMulticast = 0;
        uint8_t allUnicast = 0;
        uint8_t noMulticast = 0;
        uint8_t noUnicast = 0;
        uint8_t noBroadcast = 0;
    };
    struct Table {
        std::vector<MacAddress> addresses;
        bool overflowed = false;

        bool holds(std::span<const uint8_t> address) const;
    };

    bool setMode(uint8_t command, std::span<const uint8_t> data);
    bool setTables(std::span<const uint8_t> data);
    static bool takeTable(std::span<const uint8_t>& data, Table&);

    MacAddress m_permanent;
    MacAddress m_own;
    Modes m_modes;
    Table m_unicast;
    Table m_multicast;
};

} // namespace namsan
