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
constexpr uint8_t topOfMemory = 0x69;
constexpr uint8_t deterministicLatency = 0x82;

// PIRQ route control, 2.2.10: bit 7 closes the route; of the IRQs, some are reserved.
constexpr uint8_t routeClosed = 0x80;
constexpr uint16_t routable = 0b1101'1110'1111'1000; // 3 to 7, 9 to 12, 14, 15

} // namespace

IsaBridge::IsaBridge(InterruptSink& interruptController)
    : m_space(intel, piix3, isaBridgeClass, revision)
    , m_interruptController(interruptController)
{
    m_space.setWord(pci::command, 0x0007); // I/O, memory and bus master are fixed
    m_space.setWritableWord(pci::command, 0x0108); // SERR#, special cycles
    m_space.setWord(pci::status, 0x0200); // medium DEVSEL# timing
    m_space.setClearedByOne(pci::status + 1, 0x78);

    m_space.setByte(ioRecoveryTimer, 0x4d);
    m_space.setWritable(ioRecoveryTimer, 0xff);
    m_space.setWord(xBusChipSelect, 0x0003);
    m_space.setWritableWord(xBusChipSelect, 0x01ff);
    for (uint8_t offset = pirqRouteControl; offset < pirqRouteControl + m_asserted.size(); ++offset) {
        m_space.setByte(offset, routeClosed);
        m_space.setWritable(offset, 0x8f);
    }
    m_space.setByte(topOfMemory, 0x02);
    m_space.setWritable(topOfMemory, 0xff);
    m_space.setWritable(deterministicLatency, 0x0f);
}

void IsaBridge::setInterruptInput(unsigned wire, bool asserted)
{
    m_asserted[wire % m_asserted.size()] = asserted;
    route();
}

void IsaBridge::route()
{
    std::array<bool, irqs> level {};
    for (size_t wire = 0; wire < m_asserted.size(); ++wire) {
        const uint8_t control = m_space.byte(static_cast<uint8_t>(pirqRouteControl + wire));
        const unsigned irq = control & 0xf;
        if (m_asserted[wire] && !(control & routeClosed) && (routable >> irq & 1))
            level[irq] = true;
    }
    for (unsigned irq = 0; irq < irqs; ++irq) {
        if (level[irq] == m_driven[irq])
            continue;
        m_driven[irq] = level[irq];
        m_interruptController.setInterruptInput(irq, level[irq]);
    }
}

void IsaBridge::writeConfiguration(uint8_t offset, Width width, uint32_t value)
{
    m_space.write(offset, width, value);
    route();
}

void IsaBridge::reset()
{
    m_space.reset();
    route();
}

Result<void> IsaBridge::restore(StateReader& state)
{
    auto restored = m_space.restore(state, name());
    if (restored)
        route();
    return restored;
}

} // namespace namsan
