// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"
#include "vmm/engine/translate/guest_unit.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace namsan {

// The host's places that a unit's code keeps in host registers, beside the guest's own registers: what a base register
// points to was looked up once, and other accesses through it need no lookup while it changes by known amounts only.
// Such an access may lie in the page before or behind the one that was looked up; on the host nothing can be touched
// there (GuardedMemory), so it faults, and takes the slow way. Farther away there is no such certainty, and a new
// lookup.
//
// What is kept lives within one run through a unit, which has no loop inside, and ends where anything is called that is
// not emitted. That is enough for everybody who takes a page away: it is this processor's thread alone that changes its
// page tables, and what others want of it (pages with code that must not be written any more, A20, a change of the
// memory map, a pause) it hears of as Attention, which it attends to between units. Until then it counts as one that
// still writes there (ProcessorGroup::isSettled()), as it does between any lookup and its access. Other processors'
// exclusive sections may come in between at a slow way, as may devices: after that everything kept is looked up again.
class KeptBases {
public:
    static constexpr unsigned places = 2; // the first is the stack pointer's
    static constexpr unsigned ofStack = 0;
    static constexpr unsigned ofOthers = 1;

    void clear() { m_basesOf = {}; }
    void drop(unsigned place) { m_basesOf[place] = 0; }

    // How an access at a guest's register plus a displacement is made.
    struct Kept {
        uint8_t place;
        int32_t distance; // from what the host register holds
    };
    std::optional<Kept> find(uint8_t base, uint32_t displacement, bool writes) const;

    // From now on the place holds that of base plus displacement. writes: by the page table's view for writes.
    // usesAhead: how many accesses are expected to use it.
    void keep(unsigned place, uint8_t base, uint32_t displacement, bool writes, unsigned usesAhead);
    void noteUse(unsigned place)
    {
        if (m_places[place].usesAhead)
            --m_places[place].usesAhead;
    }
    unsigned usesAhead(unsigned place) const { return m_basesOf[place] ? m_places[place].usesAhead : 0u; }

    // A guest's register holds something else now; or it has moved; or it is another register's value, moved.
    void lose(uint8_t reg) { loseAll(1u << reg); }
    void loseAll(uint32_t registers)
    {
        for (uint8_t& bases : m_basesOf)
            bases &= static_cast<uint8_t>(~registers);
    }
    void move(uint8_t reg, uint32_t by) { copy(reg, reg, by); }
    void copy(uint8_t to, uint8_t from, uint32_t by);
    // An instruction's doing to registers, where it was seen by RegisterEffect.
    void follow(const Instruction&);

    // A register from which the place can be looked up again, and how far the held place is from it.
    struct Origin {
        uint8_t base;
        int32_t displacement;
        bool writes;
    };
    std::optional<Origin> originOf(unsigned place) const;
    bool isEmpty() const { return !m_basesOf[ofStack] && !m_basesOf[ofOthers]; }

private:
    static constexpr int32_t farthest = 4096 - 16; // so that no byte of an operand is beyond a neighbouring page

    struct Place {
        bool writes = false;
        uint8_t usesAhead = 0;
    };
    static bool isNear(int64_t distance) { return distance >= -farthest && distance <= farthest; }

    std::array<uint8_t, places> m_basesOf {}; // the guest registers near a place, as bits
    std::array<Place, places> m_places {};
    std::array<int16_t, 8> m_distances {}; // of a register's value from its place
};

// What one instruction of a unit has to do with bases.
struct BaseUse {
    bool keeps = false; // what is kept outlasts it: all that it changes is registers that are known, and operands
    uint8_t changed = 0; // guest registers that follow() loses, as bits
    uint8_t base = 8; // through which it accesses memory, plainly; 8: none
    bool writes = false; // that operand
    uint8_t usesAhead = 0; // of the same base, before it is lost
    bool writesAhead = false;
};

// Of each instruction of a unit.
void findBaseUses(const GuestUnit&, std::vector<BaseUse>&);

} // namespace namsan
