// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/translate/assembler.h"
#include "vmm/engine/translate/memory_form.h"

#include <array>

namespace namsan {

namespace {

// SHRX takes its count from a register of which it looks at the low five bits only, and no register is free to hold a
// 12. The page table's holds one there: tables begin at a page, and the register points 12 bytes behind.
constexpr unsigned pageBits = 12;

class FlatForm final : public MemoryForm {
public:
    explicit FlatForm(bool pagesStay)
        : m_pagesStay(pagesStay)
    {
        for (uint8_t host = firstHost; host <= lastHost; ++host)
            m_lookups[host - firstHost] = { makeLookup(0, host), makeLookup(FlatMemory::viewBytes, host) };
    }

    bool asks() const override { return false; }
    const void* tableRegister(const void* tables) const override
    {
        return static_cast<const uint8_t*>(tables) + pageBits;
    }

    void emitLookup(Assembler& assembler, MemoryAccess access, [[maybe_unused]] unsigned size,
        [[maybe_unused]] JumpLabel& slow) const override
    {
        emitLookupInto(assembler, access, register_map::number(register_map::host));
    }

    void emitLookupInto(Assembler& assembler, MemoryAccess access, uint8_t host) const override
    {
        assembler.copy(m_lookups[host - firstHost][access == MemoryAccess::Write]);
    }

    // Without flags: the offset in the page goes to the top of 32 bits, and what carries out of them chooses from two
    // places to go.
    void emitCrossingLookup(Assembler& assembler, MemoryAccess access, uint8_t into, unsigned size,
        const uint8_t* executableStart, const uint8_t* slow) const override
    {
        using namespace register_map;
        constexpr unsigned wordBits = 32;
        constexpr unsigned offsetToTop = wordBits - pageBits;
        const uint8_t* start = assembler.getCurr();
        Xbyak::Label places;
        const auto kept = assembler.inFrame(offsetof(TranslatedFrame, savedHost));
        assembler.mov(kept, host);
        assembler.mov(host32, offsetToTop);
        assembler.shlx(temporary, address, host32);
        assembler.lea(temporary64, assembler.ptr[temporary64 + ((size - 1) << offsetToTop)]);
        assembler.mov(host32, wordBits);
        assembler.shrx(temporary64, temporary64, host);
        assembler.lea(host, assembler.ptr[assembler.rip + places]);
        assembler.jmp(assembler.ptr[host + temporary64 * 8]);
        assembler.align(8);
        assembler.L(places);
        constexpr size_t bytesOfPlaces = 2 * sizeof(uint64_t);
        assembler.dq(reinterpret_cast<uintptr_t>(executableStart + (assembler.getCurr() - start) + bytesOfPlaces));
        assembler.dq(reinterpret_cast<uintptr_t>(slow));
        assembler.mov(host, kept);
        emitLookupInto(assembler, access, into);
    }

    void emitSureLookup(Assembler& assembler, MemoryAccess access, JumpLabel& slow) const override
    {
        using namespace register_map;
        if (!m_pagesStay) {
            assembler.jumpTo(slow);
            return;
        }
        emitLookup(assembler, access, 1, slow);
        assembler.cmp(host, assembler.inFrame(offsetof(TranslatedFrame, hole)));
        assembler.jumpIf(Condition::Equal, slow);
    }

private:
    static constexpr uint8_t firstHost = 9; // a lookup's registers, by number
    static constexpr uint8_t lastHost = 11;

    static Snippet makeLookup(size_t view, uint8_t host)
    {
        return makeSnippet([view, host](Assembler& assembler) {
            using namespace register_map;
            assembler.shrx(temporary, address, Xbyak::Reg32(pageTable.getIdx()));
            assembler.mov(Xbyak::Reg64(host), assembler.ptr[pageTable + temporary64 * 8 + (view - pageBits)]);
        });
    }

    std::array<std::array<Snippet, 2>, lastHost - firstHost + 1> m_lookups; // for reads and for writes
    bool m_pagesStay;
};

} // namespace

std::unique_ptr<MemoryForm> makeFlatForm(bool pagesStay)
{
    return std::make_unique<FlatForm>(pagesStay);
}

} // namespace namsan
