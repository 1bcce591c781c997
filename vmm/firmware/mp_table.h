// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/firmware/acpi_tables.h"

namespace namsan {

// Writes the tables by which operating systems without ACPI find processors, buses and the I/O APIC, where they look
// for them. Intel MP specification 1.4, chapter 4.
void writeMpTable(GuestMemory&, const ApicDescription&);

} // namespace namsan
