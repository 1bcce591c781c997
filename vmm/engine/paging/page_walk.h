// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"

#include <cstdint>
#include <optional>

namespace namsan {

class CodeCache;

// Bits of a page fault's error code. Intel SDM volume 3, figure 4-12.
namespace page_fault {
constexpr uint32_t present = 1 << 0; // the page is there: it was a violation of rights
constexpr uint32_t write = 1 << 1;
constexpr uint32_t user = 1 << 2;
constexpr uint32_t reservedBit = 1 << 3;
} // namespace page_fault

struct PageAccess {
    bool write = false;
    bool user = false;
};

// What a walk through the page tables found for one 4 KiB page.
struct PageTranslation {
    uint32_t physicalPage = 0; // address of the 4 KiB page
    bool writable = false; // a write with this privilege is allowed, and the dirty bit is set
    bool global = false;
    bool large = false; // part of a 4 MiB page

    bool operator==(const PageTranslation&) const = default;
};

struct PageWalkResult {
    std::optional<uint32_t> errorCode; // set: a page fault
    PageTranslation translation;
};

// Walks 32-bit page tables (no PAE) as they lie in guest memory. Intel SDM volume 3, 4.3.
class PageWalk {
public:
    struct Control {
        uint32_t cr0 = 0;
        uint32_t cr3 = 0;
        uint32_t cr4 = 0;
    };

    explicit PageWalk(GuestMemory& memory)
        : m_memory(memory)
    {
    }

    void setAddressMask(uint32_t mask) { m_addressMask = mask; } // A20
    void setCodeCache(CodeCache* codeCache) { m_codeCache = codeCache; }

    // Paging must be on. Sets the accessed bits and, for a write, the dirty bit of a walk that ends well, and nothing
    // of one that faults.
    PageWalkResult walk(const Control&, uint32_t linear, PageAccess);

    // What a read with that privilege would find, where it would set no bit and not fault. Paging may be off.
    std::optional<PageTranslation> peek(const Control&, uint32_t linear, bool user) const;

private:
    uint32_t readEntry(uint32_t physical) const;
    void setBits(uint32_t physical, uint32_t entry, uint32_t bits);
    PageWalkResult walkLarge(
        const Control&, uint32_t linear, PageAccess, uint32_t directoryAddress, uint32_t directoryEntry);

    GuestMemory& m_memory;
    CodeCache* m_codeCache = nullptr;
    uint32_t m_addressMask = 0xffffffff;
};

} // namespace namsan
