// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/instruction.h"

#include <cstdint>

namespace namsan {

// Which instructions the translator carries out itself; the others are left to the interpreter's handlers.

// What the translation depends on besides the instructions, as bits of a unit's mode.
namespace unit_mode {
constexpr uint32_t user = 1 << 0; // CPL 3
constexpr uint32_t fsIsWhole = 1 << 1; // 4 GiB of writable data from any base: no check is needed
constexpr uint32_t gsIsWhole = 1 << 2;
constexpr uint32_t x87IsNative = 1 << 3; // x87 and MMX run on the host's unit
constexpr uint32_t sseIsNative = 1 << 4;
constexpr uint32_t oneOfSeveral = 1 << 5; // other processors are at the same memory; of all units, or of none
constexpr uint32_t anyPage = 1 << 6; // serves at any linear page: its addresses are relative to that
constexpr unsigned bits = 7;
} // namespace unit_mode

bool isNative(const Instruction&, uint32_t mode);

// After it the guest may go on elsewhere than at the next instruction, or under other rules. Conditional jumps alone do
// not count: a unit goes on behind them. native: as isNative() says.
bool endsUnit(const Instruction&, bool native);

// Loads DS or ES, without ending the unit: whoever runs it looks afterwards whether the segments still serve. (Systems
// load FS and GS to have others in them, which is another mode.)
bool loadsDataSegment(const Instruction&);

// What matters where a processor is one of several: accesses that others must see as one, and that one waits for
// others.
bool isLocked(const Instruction&);
bool isPause(const Instruction&);

// The width in bytes of the operand in ModRM.rm (or at a direct offset).
unsigned rmWidth(const Instruction&);

// Of a string instruction: 1, 2 or 4.
unsigned stringElementSize(const Instruction&);

// Whether ModRM.rm is what the instruction writes, or reads and writes.
bool writesRm(const Instruction&);
// Whether the instruction writes memory, perhaps.
bool mayStore(const Instruction&, bool native);
bool readsRm(const Instruction&);

} // namespace namsan
