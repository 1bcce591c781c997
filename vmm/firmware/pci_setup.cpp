// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/pci_setup.h"

#include "vmm/base/bits.h"
#include "vmm/devices/pci/isa_bridge.h"
#include "vmm/devices/pci/pci_bus.h"
#include "vmm/devices/pci/pci_configuration_space.h"

namespace namsan {

namespace {

// Behind what a linear frame buffer can take from E0000000, below the chip set's.
constexpr uint32_t firstMemory = 0xf0000000;
constexpr uint32_t lastMemory = 0xfebfffff;
constexpr uint32_t firstPort = 0xc000;
constexpr uint32_t lastPort = 0xffff;

constexpr unsigned isaBridgeDevice = 1;
constexpr Port slaveEdgeLevel = 0x4d1; // ELCR2
constexpr uint8_t levelTriggered = 0b1100; // IRQ 10 and 11

constexpr uint8_t bridgeClass = 0x06;
constexpr uint8_t multiFunction = 0x80;

class Configuration {
public:
    explicit Configuration(PortBus& ports)
        : m_ports(ports)
    {
    }
    ~Configuration() { m_ports.out(PciBus::addressPort, Width::Dword, 0); }

    void select(unsigned device, unsigned function) { m_place = 0x80000000u | device << 11 | function << 8; }
    uint32_t read(uint8_t offset, Width width = Width::Dword) { return m_ports.in(address(offset), width); }
    void write(uint8_t offset, Width width, uint32_t value) { m_ports.out(address(offset), width, value); }

private:
    Port address(uint8_t offset)
    {
        m_ports.out(PciBus::addressPort, Width::Dword, m_place | (offset & 0xfcu));
        return static_cast<Port>(PciBus::dataPort + (offset & 3));
    }

    PortBus& m_ports;
    uint32_t m_place = 0;
};

// A range of addresses that is given away from its beginning.
class Window {
public:
    Window(uint32_t first, uint32_t last)
        : m_next(first)
        , m_end(uint64_t { last } + 1)
    {
    }
    // 0 where there is no room.
    uint32_t take(uint64_t size)
    {
        const uint64_t base = alignUp(m_next, size);
        if (base + size > m_end)
            return 0;
        m_next = base + size;
        return static_cast<uint32_t>(base);
    }

private:
    uint64_t m_next;
    uint64_t m_end;
};

class Setup {
public:
    explicit Setup(PortBus& ports)
        : m_ports(ports)
        , m_configuration(ports)
    {
    }

    void run()
    {
        for (unsigned device = 0; device < 32; ++device) {
            for (unsigned function = 0; function < 8; ++function) {
                m_configuration.select(device, function);
                if ((m_configuration.read(pci::vendorId, Width::Word)) == 0xffff)
                    break; // functions are numbered without gaps on this board
                setUp(device);
                if (function == 0 && !(m_configuration.read(pci::headerType, Width::Byte) & multiFunction))
                    break;
            }
        }
        if (m_interrupts)
            routeInterrupts();
    }

private:
    void setUp(unsigned device)
    {
        if (m_configuration.read(pci::classCode + 2, Width::Byte) == bridgeClass)
            return;
        for (unsigned index = 0; index < 6; ++index)
            placeBar(static_cast<uint8_t>(pci::baseAddress + 4 * index));
        const uint32_t command = m_configuration.read(pci::command, Width::Word);
        m_configuration.write(pci::command, Width::Word, command | pci::ioSpace | pci::memorySpace);
        if (const uint32_t pin = m_configuration.read(pci::interruptPin, Width::Byte); pin >= 1 && pin <= 4) {
            const uint8_t irq = irqOfPciWire[PciInterrupts::wireOf(device, pin - 1)];
            m_configuration.write(pci::interruptLine, Width::Byte, irq);
            m_interrupts = true;
        }
    }

    void placeBar(uint8_t offset)
    {
        m_configuration.write(offset, Width::Dword, 0xffffffff);
        const uint32_t answer = m_configuration.read(offset);
        const bool io = answer & 1;
        const uint32_t mask = answer & ~(io ? 0x3u : 0xfu);
        if (mask != 0)
            m_configuration.write(offset, Width::Dword, (io ? m_io : m_memory).take(uint64_t { ~mask } + 1));
    }

    void routeInterrupts()
    {
        m_configuration.select(isaBridgeDevice, 0);
        for (unsigned wire = 0; wire < irqOfPciWire.size(); ++wire)
            m_configuration.write(
                static_cast<uint8_t>(IsaBridge::pirqRouteControl + wire), Width::Byte, irqOfPciWire[wire]);
        m_ports.out(slaveEdgeLevel, Width::Byte, m_ports.in(slaveEdgeLevel, Width::Byte) | levelTriggered);
    }

    PortBus& m_ports;
    Configuration m_configuration;
    Window m_memory { firstMemory, lastMemory };
    Window m_io { firstPort, lastPort };
    bool m_interrupts = false;
};

} // namespace

void setUpPciDevices(PortBus& ports)
{
    Setup(ports).run();
}

} // namespace namsan
