// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/flat_tables.h"
#include "vmm/engine/translate/assembler.h"
#include "vmm/engine/translate/memory_form.h"

namespace namsan {

namespace {

// SHRX takes its count from a register of which it looks at the low five bits only, and no register is free to hold a
// 12. The page table's holds one there: tables begin at a page, and the register points 12 bytes behind.
constexpr unsigned pageBits = 12;

class FlatForm final : public MemoryForm {
public:
    explicit FlatForm(bool pagesStay)
        : m_readLookup(makeLookup(0))
        , m_writeLookup(makeLookup(FlatMemory::viewBytes))
        , m_pagesStay(pagesStay)
    {
    }

    bool asks() const override { return false; }
    const void* tableRegister(const void* tables) const override
    {
        return static_cast<const uint8_t*>(tables) + pageBits;
    }

    void emitLookup(Assembler& assembler, MemoryAccess access, [[maybe_unused]] unsigned size,
        [[maybe_unused]] JumpLabel& slow) const override
    {
        assembler.copy(access == MemoryAccess::Write ? m_writeLookup : m_readLookup);
    }

    // Without flags: the offset in the page goes to the top of 32 bits, and what carries out of them chooses from two
    // places to go.
    void emitCrossingLookup(Assembler& assembler, MemoryAccess access, unsigned size, const uint8_t* executableStart,
        const uint8_t* slow) const override
    {
        using namespace register_map;
        constexpr unsigned wordBits = 32;
        constexpr unsigned offsetToTop = wordBits - pageBits;
        const uint8_t* start = assembler.getCurr();
        Xbyak::Label places;
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
        JumpLabel never;
        emitLookup(assembler, access, size, never);
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
    static Snippet makeLookup(size_t view)
    {
        return makeSnippet([view](Assembler& assembler) {
            using namespace register_map;
            assembler.shrx(temporary, address, Xbyak::Reg32(pageTable.getIdx()));
            assembler.mov(host, assembler.ptr[pageTable + temporary64 * 8 + (view - pageBits)]);
        });
    }

    Snippet m_readLookup;
    Snippet m_writeLookup;
    bool m_pagesStay;
};

} // namespace

std::unique_ptr<MemoryForm> makeFlatForm(bool pagesStay)
{
    return std::make_unique<FlatForm>(pagesStay);
}

} // namespace namsan
