// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

namespace namsan {

// Writes RSDP, RSDT, FADT, FACS and DSDT into E0000-FFFFF and returns the address of the RSDP. ACPI 6.5, chapter 5; the
// FADT is revision 3 (ACPI 2.0).
//
// They describe the board as it is: power management with SCI on IRQ 9, reset register at CF9, one PCI root bus, and
// the ISA devices of a PC (keyboard and mouse, COM1, RTC, timer, interrupt controllers, speaker). There is no MADT as
// long as there is no APIC.
PhysicalAddress writeAcpiTables(GuestMemory&);

} // namespace namsan
