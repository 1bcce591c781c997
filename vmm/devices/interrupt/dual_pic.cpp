// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/interrupt/dual_pic.h"

namespace namsan {

namespace {
constexpr Port masterCommand = 0x20;
constexpr Port masterData = 0x21;
constexpr Port slaveCommand = 0xa0;
constexpr Port slaveData = 0xa1;
constexpr Port masterEdgeLevel = 0x4d0;
constexpr Port slaveEdgeLevel = 0x4d1;

// Timer, keyboard, cascade, clock and coprocessor are always edges (PIIX4, 4.2.10).
constexpr uint8_t masterCanBeLevel = 0b11111000;
constexpr uint8_t slaveCanBeLevel = 0b11011110;
} // namespace

DualPic::DualPic(PortBus& ports, InterruptSink& processor)
    : m_interruptPin(processor, 0)
{
    ports.claim(masterCommand, masterData, *this);
    ports.claim(slaveCommand, slaveData, *this);
    ports.claim(masterEdgeLevel, slaveEdgeLevel, *this);
}

void DualPic::setInterruptInput(unsigned input, bool level)
{
    if (input >= 2 * Pic8259::inputs || input == cascadeInput)
        return;
    if (input < Pic8259::inputs)
        m_master.setInput(input, level);
    else
        m_slave.setInput(input - Pic8259::inputs, level);
    driveOutputs();
}

void DualPic::driveOutputs()
{
    m_master.setInput(cascadeInput, m_slave.interruptOutput());
    m_interruptPin.set(m_master.interruptOutput());
}

uint8_t DualPic::acknowledge()
{
    const unsigned input = m_master.acknowledge();
    uint8_t vector = m_master.vectorOf(input);
    if (m_master.hasSlave(input)) {
        // The one slave answers only to its own number; with any other on the cascade lines, nobody drives the bus.
        vector = m_slave.slaveIdentity() == input ? m_slave.vectorOf(m_slave.acknowledge()) : 0xff;
        // The slave lets go of its output during INTA, so that a request that still waits makes a new edge.
        m_master.setInput(cascadeInput, false);
    }
    // The output falls during INTA: a request that is left makes an edge, which the I/O APIC asks for.
    m_interruptPin.lower();
    driveOutputs();
    return vector;
}

uint32_t DualPic::portIn(Port port, Width)
{
    switch (port) {
    case masterEdgeLevel:
        return m_master.levelTriggered();
    case slaveEdgeLevel:
        return m_slave.levelTriggered();
    default:
        break;
    }
    Pic8259& chip = port <= masterData ? m_master : m_slave;
    const uint8_t value = port == masterCommand || port == slaveCommand ? chip.readCommand() : chip.readData();
    driveOutputs(); // a poll is an acknowledgement
    return value;
}

void DualPic::portOut(Port port, Width, uint32_t value)
{
    const auto byte = static_cast<uint8_t>(value);
    switch (port) {
    case masterCommand:
        m_master.writeCommand(byte);
        break;
    case masterData:
        m_master.writeData(byte);
        break;
    case slaveCommand:
        m_slave.writeCommand(byte);
        break;
    case slaveData:
        m_slave.writeData(byte);
        break;
    case masterEdgeLevel:
        m_master.setLevelTriggered(byte & masterCanBeLevel);
        break;
    case slaveEdgeLevel:
        m_slave.setLevelTriggered(byte & slaveCanBeLevel);
        break;
    default:
        break;
    }
    driveOutputs();
}

void DualPic::reset()
{
    m_master.reset();
    m_slave.reset();
    driveOutputs();
}

void DualPic::save(StateWriter& state) const
{
    m_master.save(state);
    m_slave.save(state);
}

Result<void> DualPic::restore(StateReader& state)
{
    Pic8259 master = m_master;
    Pic8259 slave = m_slave;
    if (auto restored = master.restore(state, name()); !restored)
        return restored;
    if (auto restored = slave.restore(state, name()); !restored)
        return restored;
    if ((master.levelTriggered() & ~masterCanBeLevel) || (slave.levelTriggered() & ~slaveCanBeLevel))
        return StateReader::impossible(name());
    m_master = master;
    m_slave = slave;
    m_interruptPin.set(m_master.interruptOutput());
    return {};
}

} // namespace namsan
