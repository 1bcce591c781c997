// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/state_stream.h"

#include <array>
#include <cstdint>

namespace namsan {

// The registers of one 8237A with its four channels, as a program sees them. Intel 8237A data sheet (231466, 1993).
class Dma8237 {
public:
    struct Channel {
        uint16_t baseAddress = 0;
        uint16_t currentAddress = 0;
        uint16_t baseCount = 0; // transfers less one
        uint16_t currentCount = 0;
    };

    // Register select lines A3-A0. What has no register to read reads as all ones.
    uint8_t read(unsigned registerSelect);
    void write(unsigned registerSelect, uint8_t value);

    const Channel& channel(unsigned number) const { return m_channels[number]; }
    uint8_t mode(unsigned number) const { return m_modes[number]; }
    bool masked(unsigned number) const { return (m_masked >> number) & 1; }
    uint8_t command() const { return m_command; }

    void reset() { *this = Dma8237(); }
    void save(StateWriter&) const;
    Result<void> restore(StateReader&, std::string_view device);

private:
    void masterClear();
    uint8_t readChannelByte(unsigned registerSelect);
    void writeChannelByte(unsigned registerSelect, uint8_t value);

    std::array<Channel, 4> m_channels {};
    std::array<uint8_t, 4> m_modes {}; // bits 7-2 of the mode register
    uint8_t m_command = 0;
    uint8_t m_terminalCounts = 0; // the lower half of the status register
    uint8_t m_requested = 0; // by software
    uint8_t m_masked = 0xf;
    uint8_t m_temporary = 0;
    bool m_highByteNext = false; // the first/last flip-flop
};

} // namespace namsan
