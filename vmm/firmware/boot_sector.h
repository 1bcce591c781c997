// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_state.h"

#include <string>

namespace namsan {

// Puts a boot sector where a PC's BIOS puts the first one of its first hard disk, 0000:7C00, and returns the processor
// as the BIOS leaves it there: real mode, interrupts on, DL = 80h, the stack below the sector. What else a BIOS leaves
// in memory (writeBiosEnvironment()) is the caller's to put there. Can be repeated, for a machine that is reset.
// Plug and Play BIOS Specification 1.0A, appendix; IBM PC/AT Technical Reference (1984), "BIOS", bootstrap loader.
//
// Fails, with a sentence that names the file, the reason and the remedy, for what is no 512 bytes with 55h, AAh at
// their end.
Result<CpuState> loadBootSector(GuestMemory&, const std::string& path);

} // namespace namsan
