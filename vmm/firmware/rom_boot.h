// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/engine/cpu_state.h"

#include <cstdint>
#include <string>

namespace namsan {

constexpr uint64_t smallestRom = uint64_t { 64 } << 10; // and its size is a multiple of that
constexpr uint64_t largestRom = uint64_t { 16 } << 20;

// Gives the board a ROM that holds this file: it ends at 4 GiB, where the processor fetches its first instruction.
// Once, before vCPUs run. Fails with a sentence that names the file, the reason and the remedy.
Result<void> plugInRom(GuestMemory&, const std::string& path);

// Reads the file into that ROM, and its last 128 KiB (all of a smaller one) to their place below 1 MiB, too, for code
// in real mode. That copy is RAM on this board, so the guest may write to it. Returns a processor of this model after
// its reset. Can be repeated, for a machine that is reset. Intel 82371SB (PIIX3) datasheet (290550-002), "XBCS: X-Bus
// Chip Select Register".
Result<CpuState> loadRom(GuestMemory&, const std::string& path, const CpuModel&);

} // namespace namsan
