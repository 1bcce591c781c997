// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_state.h"
#include "vmm/firmware/linux_boot.h"

#include <optional>
#include <string>
#include <vector>

namespace namsan {

struct MultibootBoot {
    std::string kernel; // path of the kernel
    std::string append; // its command line
    // Each is a path, and behind a space the module's string; the shortest beginning that is a file is the path.
    std::vector<std::string> modules;
    std::optional<LinearScreenInfo> frameBuffer; // none: the VGA is in text mode 3
};

// Does what a Multiboot loader does, and returns the processor as the kernel is entered: 32-bit protected mode with
// flat segments, paging and interrupts off, EAX = 2BADB002h, EBX = the address of the information. There is no GDT, and
// the kernel makes its stack itself. The A20 gate is the caller's to open, and what a BIOS leaves in memory
// (writeBiosEnvironment()) the caller's to put there. Can be repeated, for a machine that is reset.
// Multiboot Specification 0.6.96, 3.2 and 3.3.
//
// The kernel lies where it says. Modules follow it from 1 MiB on, each at the beginning of a page, in their order; the
// information with all that it points to lies below 640 KiB if there is room. Nothing of that overlaps.
//
// Fails, with a sentence that names the file, the reason and the remedy, where a file is missing, damaged or of the
// wrong kind, or where something does not fit; memory may have been written to then.
Result<CpuState> loadMultiboot(GuestMemory&, const MultibootBoot&);

} // namespace namsan
