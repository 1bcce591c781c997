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
    void emitCrossingLookup(Assembler&, MemoryAccess, uint8_t, unsigned, const uint8_t*, const uint8_t*) const override
    {
    }

    // Its lookups all ask.
    void emitLookupInto(Assembler&, MemoryAccess, uint8_t) const override { }

    void emitSureLookup(Assembler& assembler, MemoryAccess access, JumpLabel& slow) const override
    {
        emitLookup(assembler, access, 1, slow);
    }

    // The tag is compared with the page of the last byte: an access that crosses a page end never matches the entry of
    // its first page.
    void emitLookup(Assembler& assembler, MemoryAccess access, unsigned size, JumpLabel& slow) const override
    {
        using namespace register_map;
        if (size == 1)
            assembler.move(temporary, address);
        else
            assembler.loadAddress(
                temporary, { .base = number(address), .displacement = static_cast<int32_t>(size - 1) });
        assembler.copy(access == MemoryAccess::Write ? m_compareForWrite : m_compareForRead);
        assembler.jumpIf(Condition::NotEqual, slow);
        assembler.copy(m_takeAddend);
    }

private:
    using Layout = LinearMemory::FastLayout;

    static Snippet makeComparison(size_t tag)
    {
        return makeSnippet([tag](Assembler& assembler) {
            using namespace register_map;
            constexpr unsigned pageBits = 12;
            constexpr unsigned entryBits = std::bit_width(Layout::entryBytes) - 1;
            constexpr uint32_t indexMask = (Layout::entryCount - 1) << entryBits;
            constexpr uint32_t pageMask = 0xfffff000;
            assembler.mov(host32, address);
            assembler.and_(temporary, pageMask);
            assembler.shr(host32, pageBits - entryBits);
            assembler.and_(host32, indexMask);
            assembler.cmp(temporary, assembler.dword[pageTable + host + tag]);
        });
    }

    Snippet m_compareForRead = makeComparison(Layout::readTagOffset);
    Snippet m_compareForWrite = makeComparison(Layout::writeTagOffset);
    Snippet m_takeAddend = makeSnippet([](Assembler& assembler) {
        using namespace register_map;
        assembler.mov(host, assembler.ptr[pageTable + host + Layout::addendOffset]);
    });
};

} // namespace

std::unique_ptr<MemoryForm> makeTlbForm()
{
    return std::make_unique<TlbForm>();
}

} // namespace namsan
