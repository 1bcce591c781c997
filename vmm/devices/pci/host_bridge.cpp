// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/host_bridge.h"

namespace namsan {

namespace {

constexpr uint16_t intel = 0x8086;
constexpr uint16_t i440fx = 0x1237;
constexpr uint32_t hostBridgeClass = 0x060000;
constexpr uint8_t revision = 0x02;

// 440FX datasheet, table 2 and 3.2.
constexpr uint8_t masterLatencyTimer = 0x0d;
constexpr uint8_t pmcConfiguration = 0x50;
constexpr uint8_t deturboCounter = 0x52;
constexpr uint8_t dramControl = 0x57;
constexpr uint8_t dramTiming = 0x58;
constexpr uint8_t programmableAttributeMap = 0x59; // PAM0 to PAM6
constexpr uint8_t programmableAttributeMapEnd = 0x60;
constexpr uint8_t dramRowBoundary = 0x60; // DRB0 to DRB7
constexpr uint8_t dramRowBoundaryEnd = 0x68;
constexpr uint8_t multiTransactionTimer = 0x70;
constexpr uint8_t cpuLatencyTimer = 0x71;
constexpr uint8_t systemManagementRam = 0x72;

} // namespace

HostBridge::HostBridge()
    : m_space(intel, i440fx, hostBridgeClass, revision)
{
    m_space.setWord(pci::command, pci::memorySpace | pci::busMaster); // both are fixed
    m_space.setWritableWord(pci::command, 0x0140); // SERR#, parity error response
    m_space.setWord(pci::status, 0x0280); // medium DEVSEL# timing, fast back-to-back
    m_space.setClearedByOne(pci::status + 1, 0xf1);
    m_space.setWritable(masterLatencyTimer, 0xf8);

    m_space.setWritableWord(pmcConfiguration, 0xffff);
    m_space.setWritable(deturboCounter, 0xff);
    m_space.setByte(dramControl, 0x01);
    m_space.setWritable(dramControl, 0xff);
    m_space.setByte(dramTiming, 0x10);
    m_space.setWritable(dramTiming, 0xff);
    for (uint8_t offset = programmableAttributeMap; offset < programmableAttributeMapEnd; ++offset)
        m_space.setWritable(offset, 0x77); // two fields each of write, read, cache enable
    for (uint8_t offset = dramRowBoundary; offset < dramRowBoundaryEnd; ++offset) {
        m_space.setByte(offset, 0x01);
        m_space.setWritable(offset, 0xff);
    }
    m_space.setByte(multiTransactionTimer, 0x20);
    m_space.setWritable(multiTransactionTimer, 0xf8);
    m_space.setByte(cpuLatencyTimer, 0x10);
    m_space.setWritable(cpuLatencyTimer, 0x1f);
    m_space.setByte(systemManagementRam, 0x02);
    m_space.setWritable(systemManagementRam, 0x78);
}

} // namespace namsan
