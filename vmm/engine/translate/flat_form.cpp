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
    bool asks() const override { return false; }
    const void* tableRegister(const void* tables) const override
    {
        return static_cast<const uint8_t*>(tables) + pageBits;
    }

    void emitLookup(Assembler& assembler, MemoryAccess access, [[maybe_unused]] unsigned size,
        [[maybe_unused]] Xbyak::Label& slow) const override
    {
        using namespace register_map;
        const size_t view = access == MemoryAccess::Write ? FlatMemory::viewBytes : 0;
        assembler.shrx(temporary, address, Xbyak::Reg32(pageTable.getIdx()));
        assembler.mov(host, assembler.ptr[pageTable + temporary64 * 8 + (view - pageBits)]);
    }
};

} // namespace

std::unique_ptr<MemoryForm> makeFlatForm()
{
    return std::make_unique<FlatForm>();
}

} // namespace namsan
