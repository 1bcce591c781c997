// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/linear_memory.h"
#include "vmm/engine/translate/assembler.h"
#include "vmm/engine/translate/memory_form.h"

#include <bit>

namespace namsan {

namespace {

class TlbForm final : public MemoryForm {
public:
    bool asks() const override { return true; }
    const void* tableRegister(const void* tables) const override { return tables; }

    // No site of this form is known by a number, so none comes to be counted.
    void emitCrossingLookup(Assembler&, MemoryAccess, unsigned, const uint8_t*, const uint8_t*) const override { }

    void emitSureLookup(Assembler& assembler, MemoryAccess access, Xbyak::Label& slow) const override
    {
        emitLookup(assembler, access, 1, slow);
    }

    void emitLookup(Assembler& assembler, MemoryAccess access, unsigned size, Xbyak::Label& slow) const override
    {
        using namespace register_map;
        using Layout = LinearMemory::FastLayout;
        constexpr unsigned pageBits = 12;
        constexpr unsigned entryBits = std::bit_width(Layout::entryBytes) - 1;
        constexpr uint32_t indexMask = (Layout::entryCount - 1) << entryBits;
        constexpr uint32_t pageMask = 0xfffff000;

        // The tag is compared with the page of the last byte: an access that crosses a page end never matches the entry
        // of its first page.
        if (size == 1)
            assembler.mov(temporary, address);
        else
            assembler.lea(temporary, assembler.ptr[address64 + (size - 1)]);
        assembler.mov(host32, address);
        assembler.and_(temporary, pageMask);
        assembler.shr(host32, pageBits - entryBits);
        assembler.and_(host32, indexMask);
        const size_t tag = access == MemoryAccess::Write ? Layout::writeTagOffset : Layout::readTagOffset;
        assembler.cmp(temporary, assembler.dword[pageTable + host + tag]);
        assembler.jne(slow, Assembler::T_NEAR);
        assembler.mov(host, assembler.ptr[pageTable + host + Layout::addendOffset]);
    }
};

} // namespace

std::unique_ptr<MemoryForm> makeTlbForm()
{
    return std::make_unique<TlbForm>();
}

} // namespace namsan
