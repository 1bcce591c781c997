// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/translate/translator.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace namsan {

// Runs every unit twice: translated, and then, with registers and memory put back, instruction by instruction in the
// interpreter; and compares what came of it. The guest goes on from the interpreter's state. For developers and tests:
// slow, and exact up to devices, whose accesses are left to the interpreter.
//
// Pages that a unit writes are kept as they were. In tlb form all accesses take the slow way, and are seen there. In
// flat form reads take the fast way, and so do writes into pages that were kept already: the stack's is from the
// beginning.
class Lockstep final : public Accelerator, private TranslatorRuntime::AccessObserver {
public:
    // All must outlive it. attention gets a kick at the first difference.
    static Result<std::unique_ptr<Lockstep>> create(
        Processor&, GuestMemory&, CodeCache&, const Decoder&, Attention&, TranslatorOptions = {});

    Outcome run() override;
    std::optional<Fault> takeFault() override { return std::exchange(m_fault, {}); }

    // The first difference in a sentence; empty while there is none.
    const std::string& difference() const { return m_difference; }
    uint64_t comparedInstructions() const { return m_compared; }

private:
    struct Registers {
        std::array<uint32_t, 9> gpr;
        uint32_t nextEip;
        uint16_t arithmeticFlags;
        uint32_t otherFlags;
        FxsaveArea fxsave;
    };
    // A page that the unit has written to.
    struct Page {
        uint8_t* host;
        std::array<uint8_t, GuestMemory::pageSize> before;
        std::array<uint8_t, GuestMemory::pageSize> translated; // what the unit has left there
    };

    Lockstep(Processor& processor, GuestMemory& memory, CodeCache& codeCache, Attention& attention)
        : m_processor(processor)
        , m_memory(memory)
        , m_codeCache(codeCache)
        , m_attention(attention)
    {
    }

    bool aboutToAccess(uint32_t linear, unsigned size, bool write) override;
    void notePage(uint8_t* host);
    void letStackBeWritten();
    Registers registers() const;
    void putBack(const Registers&);
    void interpret(uint64_t count);
    void interpretOne();
    void interpretPartOfRepetition(const Registers& translated);
    bool isAtRepetition();
    uint32_t flagsToCompare();
    uint32_t liveFlags();
    void compare(const Registers& translated);
    void comparePage(const Page&);
    void compareFloatingPoint(const FxsaveArea& translated);
    void report(std::string_view what, uint64_t interpreted, uint64_t translated);

    Processor& m_processor;
    GuestMemory& m_memory;
    CodeCache& m_codeCache;
    Attention& m_attention;
    std::unique_ptr<Translator> m_translator;
    bool m_flat = false;
    std::vector<std::unique_ptr<Page>> m_pages;
    size_t m_usedPages = 0; // of them, by this unit
    std::optional<Fault> m_fault;
    std::string m_difference;
    bool m_exactFlags = false;
    uint32_t m_unitEip = 0;
    uint64_t m_compared = 0;
};

} // namespace namsan
