// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

namespace namsan {

// What firmware tells of the machine's APICs.
struct ApicDescription {
    unsigned processors = 0; // numbered from 0, as their local APICs; 0: there are no APICs
    uint32_t signature = 0; // CPUID 1: EAX,
    uint32_t features = 0; // and EDX

    // The I/O APIC's, beyond the processors' where the four bits have room.
    uint8_t ioApicId() const { return processors <= 15 ? static_cast<uint8_t>(processors) : 0; }
};

// Writes RSDP, RSDT, FADT, FACS and DSDT into E0000-FFFFF and returns the address of the RSDP. ACPI 6.5, chapter 5; the
// FADT is revision 3 (ACPI 2.0).
//
// They describe the board as it is: power management with SCI on IRQ 9, reset register at CF9, one PCI root bus, and
// the ISA devices of a PC (keyboard and mouse, COM1, RTC, timer, interrupt controllers, speaker). There is a MADT where
// there are APICs.
PhysicalAddress writeAcpiTables(GuestMemory&, const ApicDescription& = {});

} // namespace namsan
