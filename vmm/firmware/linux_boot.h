// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_state.h"

#include <cstdint>
#include <optional>
#include <string>

namespace namsan {

// A linear frame buffer as Linux's screen_info describes it: 32 bits per pixel, 00RRGGBB.
struct LinearScreenInfo {
    uint32_t base = 0; // physical
    uint32_t size = 0; // bytes
    uint16_t width = 0; // pixels
    uint16_t height = 0;
    uint16_t lineLength = 0; // bytes
};

struct LinuxBoot {
    std::string kernel; // path of a bzImage
    std::string initrd; // path, or empty for none
    std::string append; // kernel command line
    bool unpack = true; // unpack the payload here and enter its ELF image; otherwise the kernel unpacks itself
    std::optional<LinearScreenInfo> frameBuffer; // none: the VGA is in text mode 3
    PhysicalAddress acpiRsdp = 0; // where writeAcpiTables() put the root pointer; 0: the guest looks for it itself
};

// Where the loader puts what the kernel reads before it has a memory map of its own. All below 640 KiB.
namespace linuxboot {
constexpr PhysicalAddress descriptorTable = 0x8000;
constexpr PhysicalAddress bootParams = 0x10000;
constexpr PhysicalAddress commandLine = 0x20000;
} // namespace linuxboot

// Does what a boot loader does up to the 32-bit entry point of a Linux kernel, and returns the processor as it enters
// there: flat segments, paging off, interrupts off, ESI = boot_params. The A20 gate is the caller's to open, and what a
// BIOS leaves in memory (writeBiosEnvironment()) the caller's to put there. Can be repeated, for a machine that is
// reset. Linux, Documentation/arch/x86/boot.rst, "32-bit Boot Protocol".
//
// Fails, with a sentence that names the file, the reason and the remedy, where a file is missing, damaged or of the
// wrong kind, or where kernel, initrd or command line do not fit; memory may have been written to then.
Result<CpuState> loadLinux(GuestMemory&, const LinuxBoot&);

} // namespace namsan
