// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/dma/dma_8237.h"

namespace namsan {

namespace {
// "Figure 6: Software Command Codes and Register Codes", by A3-A0.
enum RegisterSelect : unsigned {
    firstControlRegister = 8, // below: address and count of each channel
    commandOrStatus = 8,
    request = 9,
    singleMask = 10,
    modeRegister = 11,
    clearFlipFlop = 12,
    masterClearOrTemporary = 13,
    clearMask = 14,
    allMasks = 15,
};

uint8_t withChannelBit(uint8_t bits, uint8_t value)
{
    const auto channelBit = static_cast<uint8_t>(1u << (value & 3));
    return static_cast<uint8_t>(value & 4 ? bits | channelBit : bits & ~channelBit);
}

void setHalf(uint16_t& word, bool high, uint8_t value)
{
    word = static_cast<uint16_t>(high ? (word & 0x00ff) | value << 8 : (word & 0xff00) | value);
}
} // namespace

uint8_t Dma8237::read(unsigned registerSelect)
{
    if (registerSelect < firstControlRegister)
        return readChannelByte(registerSelect);
    switch (registerSelect) {
    case commandOrStatus: {
        // "Status Register": the terminal counts are cleared by each read. The upper half are the channels' request
        // pins, which nobody drives.
        const uint8_t status = m_terminalCounts;
        m_terminalCounts = 0;
        return status;
    }
    case masterClearOrTemporary:
        return m_temporary;
    case allMasks:
        return static_cast<uint8_t>(0xf0 | m_masked); // as the PIIX4 (290562, 4.1.2) lets it be read
    default:
        return 0xff;
    }
}

void Dma8237::write(unsigned registerSelect, uint8_t value)
{
    if (registerSelect < firstControlRegister)
        return writeChannelByte(registerSelect, value);
    switch (registerSelect) {
    case commandOrStatus:
        m_command = value;
        break;
    case request:
        m_requested = withChannelBit(m_requested, value);
        break;
    case singleMask:
        m_masked = withChannelBit(m_masked, value);
        break;
    case modeRegister:
        m_modes[value & 3] = value & 0xfc;
        break;
    case clearFlipFlop:
        m_highByteNext = false;
        break;
    case masterClearOrTemporary:
        masterClear();
        break;
    case clearMask:
        m_masked = 0;
        break;
    case allMasks:
        m_masked = value & 0xf;
        break;
    default:
        break;
    }
}

// "Master Clear": the same as a hardware reset, for these registers.
void Dma8237::masterClear()
{
    m_command = 0;
    m_terminalCounts = 0;
    m_requested = 0;
    m_temporary = 0;
    m_highByteNext = false;
    m_masked = 0xf;
}

uint8_t Dma8237::readChannelByte(unsigned registerSelect)
{
    const Channel& channel = m_channels[registerSelect / 2];
    const uint16_t word = registerSelect % 2 ? channel.currentCount : channel.currentAddress;
    const bool high = m_highByteNext;
    m_highByteNext = !high;
    return static_cast<uint8_t>(high ? word >> 8 : word);
}

// Base and current registers are written together and can be read only as current ones.
void Dma8237::writeChannelByte(unsigned registerSelect, uint8_t value)
{
    Channel& channel = m_channels[registerSelect / 2];
    const bool isCount = registerSelect % 2;
    setHalf(isCount ? channel.baseCount : channel.baseAddress, m_highByteNext, value);
    setHalf(isCount ? channel.currentCount : channel.currentAddress, m_highByteNext, value);
    m_highByteNext = !m_highByteNext;
}

void Dma8237::save(StateWriter& state) const
{
    state.put(m_channels, m_modes, m_command, m_terminalCounts, m_requested, m_masked, m_temporary, m_highByteNext);
}

Result<void> Dma8237::restore(StateReader& state, std::string_view device)
{
    Dma8237 chip;
    auto taken = state.takeInto(chip.m_channels, chip.m_modes, chip.m_command, chip.m_terminalCounts, chip.m_requested,
        chip.m_masked, chip.m_temporary, chip.m_highByteNext);
    if (!taken)
        return taken;
    uint8_t channelNumbers = 0;
    for (const uint8_t mode : chip.m_modes)
        channelNumbers |= mode & 3;
    if (channelNumbers || chip.m_terminalCounts > 0xf || chip.m_requested > 0xf || chip.m_masked > 0xf)
        return StateReader::impossible(device);
    *this = chip;
    return {};
}

} // namespace namsan
