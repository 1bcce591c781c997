// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/isa_bridge.h"

namespace namsan {

namespace {

constexpr uint16_t intel = 0x8086;
constexpr uint16_t piix3 = 0x7000;
constexpr uint32_t isaBridgeClass = 0x060100;
constexpr uint8_t revision = 0x00;

// 82371SB datasheet, 2.2.
constexpr uint8_t ioRecoveryTimer = 0x4c;
constexpr uint8_t xBusChipSelect = 0x4e;
constexpr uint8_t pirqRouteControl = 0x60; // PIRQA# to PIRQD#
constexpr uint8_t pirqRouteControlEnd = 0x64;
constexpr uint8_t topOfMemory = 0x69;
constexpr uint8_t deterministicLatency = 0x82;

} // namespace

IsaBridge::IsaBridge()
    : m_space(intel, piix3, isaBridgeClass, revision)
{
    m_space.setWord(pci::command, 0x0007); // I/O, memory and bus master are fixed
    m_space.setWritableWord(pci::command, 0x0108); // SERR#, special cycles
    m_space.setWord(pci::status, 0x0200); // medium DEVSEL# timing
    m_space.setClearedByOne(pci::status + 1, 0x78);

    m_space.setByte(ioRecoveryTimer, 0x4d);
    m_space.setWritable(ioRecoveryTimer, 0xff);
    m_space.setWord(xBusChipSelect, 0x0003);
    m_space.setWritableWord(xBusChipSelect, 0x01ff);
    for (uint8_t offset = pirqRouteControl; offset < pirqRouteControlEnd; ++offset) {
        m_space.setByte(offset, 0x80); // not routed
        m_space.setWritable(offset, 0x8f);
    }
    m_space.setByte(topOfMemory, 0x02);
    m_space.setWritable(topOfMemory, 0xff);
    m_space.setWritable(deterministicLatency, 0x0f);
}

} // namespace namsan
