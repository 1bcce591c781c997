// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/mp_table.h"

#include "vmm/board/interrupt_message.h"
#include "vmm/devices/interrupt/interrupt_fan_out.h"
#include "vmm/devices/interrupt/io_apic.h"
#include "vmm/engine/apic/local_apic_state.h"
#include "vmm/firmware/little_endian.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <vector>

namespace namsan {

namespace {

using Bytes = std::vector<uint8_t>;

constexpr PhysicalAddress floatingPointer = 0xf0000; // in the BIOS ROM's place
constexpr PhysicalAddress configurationTable = floatingPointer + 16;
constexpr uint8_t revision = 4;
constexpr uint8_t xApicVersion = 0x14;

// Types of entries: table 4-3.
enum Entry : uint8_t { Processor, Bus, IoApicEntry, IoInterrupt, LocalInterrupt };
enum InterruptType : uint8_t { Vectored = 0, Nmi = 1, ExtInt = 3 };
constexpr uint8_t pciBus = 0;
constexpr uint8_t isaBus = 1;
constexpr uint8_t allLocalApics = 0xff;

void putChecksum(Bytes& table, size_t offset)
{
    table[offset] = 0;
    table[offset] = static_cast<uint8_t>(-std::accumulate(table.begin(), table.end(), 0));
}

class Table {
public:
    explicit Table(const ApicDescription& apics)
        : m_apics(apics)
        , m_bytes(44)
    {
        addProcessors();
        addBus(pciBus, "PCI   ");
        addBus(isaBus, "ISA   ");
        Bytes ioApic { IoApicEntry, apics.ioApicId(), IoApic::version, 1, 0, 0, 0, 0 };
        putLittleEndian(std::span(ioApic), 4, static_cast<uint32_t>(IoApic::address));
        add(ioApic);
        addInterrupts();
    }

    Bytes finished() const
    {
        Bytes bytes = m_bytes;
        std::ranges::copy(std::string_view("PCMP"), bytes.begin());
        putLittleEndian(std::span(bytes), 4, static_cast<uint16_t>(bytes.size()));
        bytes[6] = revision;
        std::ranges::copy(std::string_view("NAMSAN  VIRTUAL PC  "), bytes.begin() + 8);
        putLittleEndian(std::span(bytes), 34, m_entries);
        putLittleEndian(std::span(bytes), 36, static_cast<uint32_t>(apic_base::defaultAddress));
        putChecksum(bytes, 7);
        return bytes;
    }

private:
    void add(const Bytes& entry)
    {
        m_bytes.insert(m_bytes.end(), entry.begin(), entry.end());
        ++m_entries;
    }

    void addProcessors()
    {
        constexpr uint8_t enabled = 1 << 0;
        constexpr uint8_t boot = 1 << 1;
        for (unsigned n = 0; n < m_apics.processors; ++n) {
            Bytes entry(20);
            entry[0] = Processor;
            entry[1] = static_cast<uint8_t>(n);
            entry[2] = xApicVersion;
            entry[3] = n == 0 ? enabled | boot : enabled;
            putLittleEndian(std::span(entry), 4, m_apics.signature);
            putLittleEndian(std::span(entry), 8, m_apics.features);
            add(entry);
        }
    }

    void addBus(uint8_t number, std::string_view name)
    {
        Bytes entry { Bus, number };
        entry.insert(entry.end(), name.begin(), name.end());
        add(entry);
    }

    void addInterrupt(Entry entry, InterruptType type, uint8_t bus, unsigned source, uint8_t apic, unsigned input)
    {
        add({ entry, type, 0, 0, bus, static_cast<uint8_t>(source), apic, static_cast<uint8_t>(input) });
    }

    void addInterrupts()
    {
        constexpr unsigned isaIrqs = 16;
        const uint8_t ioApic = m_apics.ioApicId();
        addInterrupt(IoInterrupt, ExtInt, isaBus, 0, ioApic, 0);
        for (unsigned irq = 0; irq < isaIrqs; ++irq)
            if (irq != IsaInterrupts::timerInput)
                addInterrupt(IoInterrupt, Vectored, isaBus, irq, ioApic,
                    irq == IsaInterrupts::timerIrq ? IsaInterrupts::timerInput : irq);
        for (unsigned slot = 1; slot < 32; ++slot)
            for (unsigned pin = 0; pin < PciInterrupts::wires; ++pin)
                addInterrupt(
                    IoInterrupt, Vectored, pciBus, slot << 2 | pin, ioApic, IoApicPciInputs::inputOf(slot, pin));
        addInterrupt(LocalInterrupt, ExtInt, isaBus, 0, 0, 0);
        addInterrupt(LocalInterrupt, Nmi, isaBus, 0, allLocalApics, 1);
    }

    const ApicDescription& m_apics;
    Bytes m_bytes;
    uint16_t m_entries = 0;
};

} // namespace

void writeMpTable(GuestMemory& memory, const ApicDescription& apics)
{
    Bytes pointer(16);
    std::ranges::copy(std::string_view("_MP_"), pointer.begin());
    putLittleEndian(std::span(pointer), 4, static_cast<uint32_t>(configurationTable));
    pointer[8] = 1; // in units of 16 bytes
    pointer[9] = revision;
    putChecksum(pointer, 10); // the feature bytes stay 0: there is a table, and virtual wire mode
    memory.write(floatingPointer, pointer);
    memory.write(configurationTable, Table(apics).finished());
}

} // namespace namsan
