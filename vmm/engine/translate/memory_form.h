// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

namespace namsan {

class Assembler;
class JumpLabel;

enum class MemoryAccess { Read, Write };

// How translated code gets from a linear address to the host's memory.
class MemoryForm {
public:
    virtual ~MemoryForm() = default;

    // Emits the way from the linear address in r8d to an r10 for which r10 + r8 is the place in host memory of size
    // bytes (1, 2, 4, 8, 10, 16). Changes r9 and r10. Write: the place may be read as well.
    //
    // Where that is not possible (page crossing, no plain RAM, a fault), a form that asks jumps to slow with r8d as it
    // was; it changes the host's flags. One that does not ask leaves the flags alone, and the access itself faults on
    // the host: it is then gone on with at the slow way, as if the lookup had jumped there. So whatever lies between
    // the lookup and the access must be of a kind that can be done twice.
    virtual bool asks() const = 0;
    virtual void emitLookup(Assembler&, MemoryAccess, unsigned size, JumpLabel& slow) const = 0;

    // As emitLookup() of a form that does not ask, with another register in r10's place, given by its number.
    virtual void emitLookupInto(Assembler&, MemoryAccess, uint8_t host) const = 0;

    // As emitLookupInto(), and changes no flags; but where the access would cross a page's end
    // it jumps to slow. From there and to there only a jump leads: both are places in the executable view.
    // Changes r10 only where that is the register.
    virtual void emitCrossingLookup(Assembler&, MemoryAccess, uint8_t host, unsigned size,
        const uint8_t* executableStart, const uint8_t* slow) const = 0;

    // Emits the way from r8d to the place of one byte, where what lies in its page can be used without any fault; else
    // it jumps to slow. Changes r9, r10 and the host's flags.
    virtual void emitSureLookup(Assembler&, MemoryAccess, JumpLabel& slow) const = 0;

    // What the register of the page table holds where the tables are at this place.
    virtual const void* tableRegister(const void* tables) const = 0;
};

// Compares with LinearMemory's own table. Runs everywhere; no signal is ever needed.
std::unique_ptr<MemoryForm> makeTlbForm();

// Takes what FlatTables says and does not ask. Needs BMI2. pagesStay: what is in a table can be used until it is taken
// out; the host takes no page away by itself.
std::unique_ptr<MemoryForm> makeFlatForm(bool pagesStay);

} // namespace namsan
