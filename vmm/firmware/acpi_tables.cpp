// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/acpi_tables.h"

#include "vmm/base/bits.h"
#include "vmm/devices/acpi/power_management.h"
#include "vmm/devices/acpi/reset_control_port.h"
#include "vmm/devices/interrupt/interrupt_fan_out.h"
#include "vmm/devices/interrupt/io_apic.h"
#include "vmm/engine/apic/local_apic_state.h"
#include "vmm/firmware/aml_builder.h"
#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/memory_map.h"
#include "vmm/firmware/pci_setup.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

namespace namsan {

namespace {

using Bytes = std::vector<uint8_t>;

void putText(Bytes& table, size_t offset, std::string_view text)
{
    std::copy(text.begin(), text.end(), table.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Makes all bytes of a range add up to 0.
void putChecksum(Bytes& table, size_t offset)
{
    table[offset] = 0;
    table[offset] = static_cast<uint8_t>(-std::accumulate(table.begin(), table.end(), 0));
}

// The header that all but RSDP and FACS begin with. ACPI 6.5, 5.2.6.
constexpr size_t headerSize = 36;
Bytes finishedTable(Bytes table, std::string_view signature, uint8_t revision)
{
    putText(table, 0, signature);
    putLittleEndian(std::span(table), 4, static_cast<uint32_t>(table.size()));
    table[8] = revision;
    putText(table, 10, "NAMSAN");
    putText(table, 16, "NAMSANPC");
    putLittleEndian<uint32_t>(std::span(table), 24, 1);
    putText(table, 28, "NMSN");
    putLittleEndian<uint32_t>(std::span(table), 32, 1);
    putChecksum(table, 9);
    return table;
}

// Generic address structure of a register in I/O space. ACPI 6.5, 5.2.3.2.
void putIoAddress(Bytes& table, size_t offset, Port port, uint8_t widthInBits, uint8_t accessSize)
{
    constexpr uint8_t systemIo = 1;
    table[offset] = systemIo;
    table[offset + 1] = widthInBits;
    table[offset + 3] = accessSize; // 1 byte, 2 word, 3 double word
    putLittleEndian<uint64_t>(std::span(table), offset + 4, port);
}

aml::Bytes isaDevice(std::string_view path, std::string_view id, const aml::Bytes& resources)
{
    return aml::device(path, { aml::name("_HID", aml::eisaId(id)), aml::name("_CRS", resources) });
}

aml::Bytes isaDevices()
{
    using namespace aml;
    return device("ISA",
        {
            name("_ADR", integer(0x00010000)),
            isaDevice("PIC", "PNP0000", resources({ ioPorts(0x20, 2), ioPorts(0xa0, 2), ioPorts(0x4d0, 2), irq(2) })),
            isaDevice("TMR", "PNP0100", resources({ ioPorts(0x40, 4), irq(0) })),
            isaDevice("RTC", "PNP0B00", resources({ ioPorts(0x70, 2), irq(8) })),
            isaDevice("SPK", "PNP0800", resources({ ioPorts(0x61, 1) })),
            isaDevice("KBD", "PNP0303", resources({ ioPorts(0x60, 1), ioPorts(0x64, 1), irq(1) })),
            isaDevice("MOU", "PNP0F13", resources({ irq(12) })),
            isaDevice("COM1", "PNP0501", resources({ ioPorts(0x3f8, 8), irq(4) })),
            // The power management's own ports, so that nobody else is given them.
            isaDevice("SYS", "PNP0C02",
                resources({ ioPorts(PowerManagement::base, PowerManagement::size),
                    ioPorts(PowerManagement::apmControl, 2) })),
        });
}

// RAM ends at 3 GiB at the latest; the top 20 MiB belong to chip set and firmware.
constexpr uint32_t pciMemoryFirst = 0xc0000000;
constexpr uint32_t pciMemoryLast = 0xfebfffff;

// Which interrupt each pin of each slot has: ACPI 6.5, 6.2.13. Global ones with the I/O APIC, IRQs of the 8259s
// without.
aml::Bytes pciRouting(bool withIoApic)
{
    using namespace aml;
    constexpr unsigned slots = 32;
    constexpr unsigned pins = 4;
    std::vector<Bytes> routes;
    for (unsigned slot = 1; slot < slots; ++slot) {
        for (unsigned pin = 0; pin < pins; ++pin) {
            const unsigned number
                = withIoApic ? IoApicPciInputs::inputOf(slot, pin) : irqOfPciWire[PciInterrupts::wireOf(slot, pin)];
            routes.push_back(package({ integer(slot << 16 | 0xffff), integer(pin), integer(0), integer(number) }));
        }
    }
    return package(routes);
}

Bytes differentiatedSystemDescription()
{
    using namespace aml;
    // \\_PIC tells which of the two controllers the operating system uses: 0 the 8259s, 1 the I/O APIC.
    const Bytes usesApic = name("\\APIC", integer(0));
    const Bytes choose = method("\\_PIC", 1, { storeArgument(0, "\\APIC") });
    const Bytes offType = integer(PowerManagement::softOffType);
    const Bytes softOff = name("\\_S5", package({ offType, offType, integer(0), integer(0) }));
    const Bytes pci = device("PCI0",
        {
            name("_HID", eisaId("PNP0A03")),
            name("_UID", integer(0)),
            name("_BBN", integer(0)),
            name("_CRS",
                resources({ busNumbers(0, 0xff), ioPorts(0xcf8, 8), ioWindow(0, 0xcf7), ioWindow(0xd00, 0xffff),
                    memoryWindow(0xa0000, 0xbffff), memoryWindow(pciMemoryFirst, pciMemoryLast) })),
            name("RPIC", pciRouting(false)),
            name("RAPC", pciRouting(true)),
            method("_PRT", 0, { ifThen(reference("\\APIC"), { giveBack("RAPC") }), giveBack("RPIC") }),
            isaDevices(),
        });
    const Bytes systemBus = scope("\\_SB", { pci });

    Bytes table(headerSize);
    for (const Bytes& part : { softOff, usesApic, choose, systemBus })
        table.insert(table.end(), part.begin(), part.end());
    return finishedTable(std::move(table), "DSDT", 1); // revision 1: integers have 32 bits
}

// ACPI 6.5, table 5.9; the offsets are the table's.
Bytes fixedDescription(uint32_t controlStructure, uint32_t differentiatedDescription)
{
    constexpr uint16_t notSupported = 0xfff; // a latency above 100 us (C2) and 1000 us (C3)
    constexpr uint16_t legacyDevices = 1 << 0;
    constexpr uint16_t has8042 = 1 << 1;
    constexpr uint32_t wbinvd = 1 << 0;
    constexpr uint32_t processorC1 = 1 << 2;
    constexpr uint32_t noSleepButton = 1 << 5;
    constexpr uint32_t noRtcWake = 1 << 6;
    constexpr uint32_t resetRegister = 1 << 10;

    Bytes table(244);
    const std::span<uint8_t> bytes(table);
    putLittleEndian(bytes, 36, controlStructure);
    putLittleEndian(bytes, 40, differentiatedDescription);
    table[45] = 1; // preferred profile: desktop
    putLittleEndian<uint16_t>(bytes, 46, PowerManagement::sciInterrupt);
    putLittleEndian<uint32_t>(bytes, 48, PowerManagement::apmControl);
    table[52] = PowerManagement::acpiEnable;
    table[53] = PowerManagement::acpiDisable;
    putLittleEndian<uint32_t>(bytes, 56, PowerManagement::eventBlock);
    putLittleEndian<uint32_t>(bytes, 64, PowerManagement::controlBlock);
    putLittleEndian<uint32_t>(bytes, 76, PowerManagement::timerBlock);
    table[88] = 4; // lengths of the event, control and timer blocks
    table[89] = 2;
    table[91] = 4;
    putLittleEndian(bytes, 96, notSupported);
    putLittleEndian(bytes, 98, notSupported);
    table[108] = 0x32; // where the RTC keeps the century
    putLittleEndian<uint16_t>(bytes, 109, legacyDevices | has8042);
    putLittleEndian<uint32_t>(bytes, 112, wbinvd | processorC1 | noSleepButton | noRtcWake | resetRegister);
    putIoAddress(table, 116, ResetControlPort::address, 8, 1);
    table[128] = ResetControlPort::hardReset;
    putLittleEndian<uint64_t>(bytes, 140, differentiatedDescription);
    putIoAddress(table, 148, PowerManagement::eventBlock, 32, 2);
    putIoAddress(table, 172, PowerManagement::controlBlock, 16, 2);
    putIoAddress(table, 208, PowerManagement::timerBlock, 32, 3);
    return finishedTable(std::move(table), "FACP", 3);
}

// ACPI 6.5, 5.2.12: local APICs, the I/O APIC, and what differs from IRQ = global interrupt.
Bytes multipleApicDescription(const ApicDescription& apics)
{
    constexpr uint32_t hasDual8259 = 1;
    constexpr uint16_t activeHigh = 1, edge = 1 << 2, level = 3 << 2;
    Bytes table(44);
    putLittleEndian(std::span(table), 36, static_cast<uint32_t>(apic_base::defaultAddress));
    putLittleEndian(std::span(table), 40, hasDual8259);
    const auto add = [&table](Bytes entry) {
        entry[1] = static_cast<uint8_t>(entry.size());
        table.insert(table.end(), entry.begin(), entry.end());
    };
    for (unsigned n = 0; n < apics.processors; ++n)
        add({ 0, 0, static_cast<uint8_t>(n), static_cast<uint8_t>(n), 1, 0, 0, 0 }); // enabled
    Bytes ioApic(12);
    ioApic[0] = 1;
    ioApic[2] = apics.ioApicId();
    putLittleEndian(std::span(ioApic), 4, static_cast<uint32_t>(IoApic::address));
    add(ioApic);
    const auto addOverride = [&add](unsigned irq, unsigned input, uint16_t flags) {
        add({ 2, 0, 0, static_cast<uint8_t>(irq), static_cast<uint8_t>(input), 0, 0, 0, static_cast<uint8_t>(flags),
            static_cast<uint8_t>(flags >> 8) });
    };
    addOverride(IsaInterrupts::timerIrq, IsaInterrupts::timerInput, activeHigh | edge);
    addOverride(PowerManagement::sciInterrupt, PowerManagement::sciInterrupt, activeHigh | level);
    add({ 4, 0, 0xff, activeHigh | edge, 0, 1 }); // NMI at LINT1 of all processors
    return finishedTable(std::move(table), "APIC", 1);
}

Bytes firmwareControlStructure()
{
    Bytes table(64);
    putText(table, 0, "FACS");
    putLittleEndian<uint32_t>(std::span(table), 4, 64);
    return table;
}

Bytes rootDescription(std::initializer_list<uint32_t> tables)
{
    Bytes table(headerSize);
    for (const uint32_t address : tables) {
        if (address == 0)
            continue;
        table.resize(table.size() + 4);
        putLittleEndian(std::span(table), table.size() - 4, address);
    }
    return finishedTable(std::move(table), "RSDT", 1);
}

Bytes rootPointer(uint32_t rootDescription)
{
    Bytes table(20);
    putText(table, 0, "RSD PTR ");
    putText(table, 9, "NAMSAN");
    putLittleEndian(std::span(table), 16, rootDescription);
    putChecksum(table, 8);
    return table;
}

} // namespace

PhysicalAddress writeAcpiTables(GuestMemory& memory, const ApicDescription& apics)
{
    constexpr uint64_t alignment = 64; // what the FACS asks for; the RSDP asks for 16
    PhysicalAddress next = memorymap::firmwareArea;
    const auto place = [&](const Bytes& table) {
        const PhysicalAddress address = next;
        memory.write(address, table);
        next = alignUp(address + table.size(), alignment);
        return static_cast<uint32_t>(address);
    };
    const uint32_t controlStructure = place(firmwareControlStructure());
    const uint32_t differentiated = place(differentiatedSystemDescription());
    const uint32_t fixed = place(fixedDescription(controlStructure, differentiated));
    const uint32_t multipleApic = apics.processors ? place(multipleApicDescription(apics)) : 0;
    const uint32_t root = place(rootDescription({ fixed, multipleApic }));
    return place(rootPointer(root));
}

} // namespace namsan
