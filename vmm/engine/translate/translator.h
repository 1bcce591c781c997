// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/accelerator.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/translate/code_parts.h"
#include "vmm/engine/translate/code_region.h"
#include "vmm/engine/translate/fault_sites.h"
#include "vmm/engine/translate/guest_unit.h"
#include "vmm/engine/translate/memory_form.h"
#include "vmm/engine/translate/runtime.h"
#include "vmm/engine/translate/thunks.h"
#include "vmm/engine/translate/translated_frame.h"
#include "vmm/engine/translate/unit_store.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace namsan {

class Decoder;
class Assembler;
class UnitEmitter;

struct TranslatorOptions {
    size_t codeBytes = size_t { 256 } << 20; // of addresses; memory is taken as it fills
    unsigned hotAfter = 12; // a place is translated when it was come to that many times, 1 to 255
    unsigned longestUnit = UnitCollector::mostInstructions; // instructions
    bool exactFlags = false; // also where no later instruction asks for them: in the frame of a fault
    bool unitByUnit = false; // units are not chained, handlers are left to the interpreter; run() runs one unit
    bool lockstep = false; // the same, and accesses are to be observed
    bool keepsBases = true; // what base registers point to is looked up once in a unit, in flat form
    bool anyPageAtOnce = false; // units serve at any linear page before there is a second one: for tests
    bool flat = false; // the memory form; see Translator::canBeFlat()
};

// From IA-32 to x86-64: runs what is hot of 32-bit code in flat segments as translated units, and leaves everything
// else to the interpreter. Of one vCPU and its thread.
//
// Translated code finds its way from unit to unit itself and comes back here (the dispatcher) only for what it does not
// know, or when something is wanted of the vCPU. Stores into code come in through CodeCache, whose follower this is.
class Translator final : public Accelerator,
                         private CodeFollower,
                         private FaultSites::LookupEmitter,
                         private TranslatorRuntime::Rules {
public:
    // Fails with a sentence where the host gives no executable memory or is too old a processor. All must outlive it.
    static Result<std::unique_ptr<Translator>> create(
        Processor&, GuestMemory&, CodeCache&, const Decoder&, const Attention&, const TranslatorOptions& = {});
    ~Translator() override;

    // Whether this host serves for translating at all, as far as that can be told without a VM: a sentence why not.
    static Result<void> isPossible();

    // Whether this host serves for the flat form, as far as that can be told without a VM: a sentence why not.
    static Result<void> canBeFlat();

    Outcome run() override;
    std::optional<Fault> takeFault() override { return m_runtime.takeFault(); }

    // For the lockstep comparison.
    TranslatorRuntime& runtime() { return m_runtime; }

    // The emitted code of the unit at the place where the processor is, where there is one: for tests and for people.
    struct EmittedCode {
        const uint8_t* begin;
        const uint8_t* end;
    };
    std::optional<EmittedCode> codeAt(uint32_t linear);

private:
    static constexpr size_t roomForUnit = 64 << 10; // bytes; more than the longest unit can take
    static constexpr size_t heatCount = 1 << 16;

    Translator(Processor&, GuestMemory&, CodeCache&, const Decoder&, const Attention&, const TranslatorOptions&,
        std::unique_ptr<CodeRegion>);

    const void* tables();
    bool isTranslatable() const;
    uint32_t modeNow() const;
    bool stillHold() const override { return isTranslatable() && modeNow() == m_mode; }
    void setContext();
    const uint8_t* findCode();
    TranslatedUnit* findUnit(uint32_t linear);
    bool stillStraddles(const TranslatedUnit&, uint32_t linear);
    const GuestUnit* collect(uint32_t linear, PhysicalAddress);
    TranslatedUnit* translate(uint32_t linear, PhysicalAddress);
    void shareCodeOf(PhysicalAddress);
    bool isHot(PhysicalAddress);
    void link(const TranslatedUnit&);
    void beginNextPart();
    void forgetLinks(size_t part);
    void countLeave();
    void noteFault();
    void expectAccessAgain();
    std::optional<uint32_t> emitAskingLookup(const FaultSites::Site&) override;
    void keepNoMore(const FaultSites::Site&) override;
    static void patchJump(uint8_t* distance, const uint8_t* target);

    void codeWritten(PhysicalAddress, uint64_t size) override;
    bool holdsCodeOf(PhysicalAddress page) const override { return m_units.holdsCodeOf(page); }
    void dropAllCode() override;

    Processor& m_processor;
    GuestMemory& m_memory;
    CodeCache& m_codeCache;
    const TranslatorOptions m_options; // lockstep is unitByUnit, too
    UnitStore m_units;
    TranslatorRuntime m_runtime;
    UnitCollector m_collector;
    std::unique_ptr<CodeRegion> m_region;
    FaultSites m_faultSites;
    std::unique_ptr<Assembler> m_assembler;
    std::unique_ptr<MemoryForm> m_memoryForm;
    Thunks m_thunks;
    std::unique_ptr<UnitEmitter> m_emitter;
    CodeParts m_parts; // behind the thunks
    // Jumps that lead into a part from others: where in the region their distances are.
    struct Link {
        uint32_t place;
        uint32_t kind; // link_kind
    };
    std::array<std::vector<Link>, CodeParts::most> m_linksInto;
    TranslatedFrame m_frame;
    uint64_t m_contextEpoch = 0; // the part of the context that its keys have no room for
    uint32_t m_mode = 0;
    bool m_linkWaits = false; // m_frame.link
    struct PageFaultPlace {
        uint32_t eip;
        uint32_t linear;
    };
    std::optional<PageFaultPlace> m_lastPageFault; // in flat form
    std::vector<uint8_t> m_heat; // how often a cold place was come to, by a hash of its address
    std::vector<uint8_t> m_emptyTable; // for lockstep in tlb form: nothing is ever found there
};

} // namespace namsan
