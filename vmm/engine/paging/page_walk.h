// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

#include <array>
#include <cstdint>
#include <optional>

namespace namsan {

// What becomes of what was kept of global pages when everything else is looked up again (Intel SDM volume 3, 4.10.2.4).
enum class GlobalPages { Keep, LookUp };

class CodeCache;

// Bits of a page fault's error code. Intel SDM volume 3, figure 4-12.
namespace page_fault {
constexpr uint32_t present = 1 << 0; // the page is there: it was a violation of rights
constexpr uint32_t write = 1 << 1;
constexpr uint32_t user = 1 << 2;
constexpr uint32_t reservedBit = 1 << 3;
constexpr uint32_t fetch = 1 << 4; // I/D: only where no-execute pages are enabled
} // namespace page_fault

struct PageAccess {
    bool write = false;
    bool user = false;
    bool fetch = false;
};

// What a walk through the page tables found for one 4 KiB page.
struct PageTranslation {
    PhysicalAddress physicalPage = 0; // address of the 4 KiB page
    bool writable = false; // a write with this privilege is allowed, and the dirty bit is set
    bool global = false;
    bool large = false; // part of a page of 2 or 4 MiB
    bool executable = true;

    bool operator==(const PageTranslation&) const = default;
};

struct PageWalkResult {
    std::optional<uint32_t> errorCode; // set: a page fault
    PageTranslation translation;
};

// The four entries that a processor with PAE reads when CR3 is loaded, and then keeps. Intel SDM volume 3, 4.4.1.
using PageDirectoryPointers = std::array<uint64_t, 4>;

// Walks page tables as they lie in guest memory: 32-bit ones and, with CR4.PAE, those of 64-bit entries. Intel SDM
// volume 3, 4.3 and 4.4.
class PageWalk {
public:
    struct Control {
        uint32_t cr0 = 0;
        uint32_t cr3 = 0;
        uint32_t cr4 = 0;
        uint64_t efer = 0;
        PageDirectoryPointers pageDirectoryPointers {}; // with PAE
    };

    // What the processor's model says about addresses. Address bits from physicalBits on are reserved.
    struct Model {
        unsigned physicalBits = 32;
        bool pse36 = false; // 4 MiB pages reach beyond 4 GiB
    };

    explicit PageWalk(GuestMemory& memory)
        : m_memory(memory)
    {
    }

    void setModel(const Model& model) { m_model = model; }
    void setAddressMask(uint64_t mask) { m_addressMask = mask; } // A20
    void setCodeCache(CodeCache* codeCache) { m_codeCache = codeCache; }

    // Paging must be on. Sets the accessed bits and, for a write, the dirty bit of a walk that ends well, and nothing
    // of one that faults.
    PageWalkResult walk(const Control&, uint32_t linear, PageAccess);

    // What a read with that privilege would find, where it would set no bit and not fault. Paging may be off.
    std::optional<PageTranslation> peek(const Control&, uint32_t linear, bool user) const;

    // What CR3 points to with PAE; nothing where an entry that is present has a reserved bit set.
    std::optional<PageDirectoryPointers> readPageDirectoryPointers(uint32_t cr3) const;

private:
    // One entry of a table on the way, and where it lies.
    struct Step {
        PhysicalAddress address = 0;
        uint64_t entry = 0;
    };

    template <class Entry> Step readEntry(PhysicalAddress) const;
    std::optional<PageWalkResult> walk32(const Control&, uint32_t linear, PageAccess);
    std::optional<PageWalkResult> walkPae(const Control&, uint32_t linear, PageAccess);
    std::optional<PageWalkResult> finish(
        const Control&, PageAccess, const Step& directory, const Step& last, PhysicalAddress page);
    bool setBits(const Step&, uint32_t bits);
    static bool mayRead(const Step&, bool user);
    std::optional<PageTranslation> peek32(const Control&, uint32_t linear, bool user) const;
    std::optional<PageTranslation> peekPae(const Control&, uint32_t linear, bool user) const;
    PageTranslation seen(
        const Control&, bool user, const Step& directory, const Step& last, PhysicalAddress page) const;

    uint64_t beyondPhysical() const { return ~((uint64_t { 1 } << m_model.physicalBits) - 1); }
    uint64_t reservedInLargePage32() const;
    uint64_t reservedInPaeEntry(const Control&) const;

    GuestMemory& m_memory;
    CodeCache* m_codeCache = nullptr;
    Model m_model;
    uint64_t m_addressMask = ~uint64_t { 0 };
};

} // namespace namsan
