// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/instruction.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/translate/translated_frame.h"

#include <cstdint>
#include <exception>
#include <optional>

namespace namsan {

class FaultSites;
class UnitStore;

// An instruction in translated code that the interpreter's handler carries out.
struct HandlerSite {
    Instruction instruction;
    uint32_t eip = 0; // as its unit has it
    uint32_t executedBefore = 0; // instructions of its unit
    bool endsUnit = false;
    bool loadsSegment = false; // what the unit takes for granted may be different afterwards
    bool insteadOfNative = false; // this once, of an instruction that is translated
    bool anyPage = false; // its unit serves at any linear page
    // What this instruction would have done itself, had it not faulted on the host: at TranslatedFrame::savedAddress.
    struct Access {
        uint32_t site = 0; // its number in FaultSites
        uint32_t size = 0;
    };
    std::optional<Access> write;
};

// What translated code calls. The functions are called from emitted code, which no exception can pass: whatever is
// thrown is kept, and a result other than 0 makes the code leave.
class TranslatorRuntime {
public:
    TranslatorRuntime(Processor& processor, const GuestMemory& memory, const UnitStore& units, FaultSites& sites)
        : m_processor(processor)
        , m_memory(memory)
        , m_units(units)
        , m_sites(sites)
    {
    }

    // site: its number in FaultSites.
    static uint32_t readSlowly(TranslatedFrame*, uint32_t linear, uint32_t site);
    static uint32_t readForWriteSlowly(TranslatedFrame*, uint32_t linear, uint32_t site);
    static uint32_t prepareWrite(TranslatedFrame*, uint32_t linear, uint32_t site);
    static uint32_t commitWrite(TranslatedFrame*, uint32_t linear); // of the site of the last of those
    static uint32_t runHandler(TranslatedFrame*, const HandlerSite*);

    // The fault that translated code has left with, once.
    std::optional<Fault> takeFault();
    bool leftWith(Exception exception) const { return m_fault && m_fault->exception == exception; }
    // Anything else that was thrown, on its way again.
    void rethrowOther();

    // An observer of memory accesses for tests: sees them before they are done, and may refuse them, which makes the
    // instruction one to interpret. It sees those that take the slow way.
    class AccessObserver {
    public:
        virtual ~AccessObserver() = default;
        virtual bool aboutToAccess(uint32_t linear, unsigned size, bool write) = 0;
    };
    void setObserver(AccessObserver* observer) { m_observer = observer; }

    // Whether what units are translated for still holds: 32-bit code in flat segments, in the mode of the unit that
    // runs.
    class Rules {
    public:
        virtual ~Rules() = default;
        virtual bool stillHold() const = 0;
    };
    void setRules(const Rules& rules) { m_rules = &rules; }

    // For the flat form: an access that took the slow way has the next one to that page go the fast way, where it may,
    // and its site is told how that was.
    void useFlatTables() { m_flat = true; }

private:
    template <class Action> static uint32_t guarded(TranslatedFrame&, Action&&);
    template <class Action>
    static uint32_t access(TranslatedFrame&, uint32_t linear, uint32_t size, bool write, Action&&);
    bool writeMustBeInterpreted(uint32_t linear, uint32_t size);
    bool refused(uint32_t linear, uint32_t size, bool write)
    {
        return m_observer && !m_observer->aboutToAccess(linear, size, write);
    }
    uint64_t read(uint32_t linear, uint32_t size);
    void readIntoScratch(TranslatedFrame&, uint32_t linear, uint32_t size);
    void write(uint32_t linear, uint32_t size, uint64_t value);
    static uint32_t leaveFor(TranslatedFrame&, LeaveReason);

    Processor& m_processor;
    const GuestMemory& m_memory;
    const UnitStore& m_units;
    FaultSites& m_sites;
    static uint32_t beginSlowWay(TranslatedFrame&, uint32_t site);
    void learn(const TranslatedFrame&, uint32_t linear, uint32_t size, bool write);
    void noteHeld(uint32_t linear, uint32_t size, bool write);
    void noteSlowWay(const TranslatedFrame&, uint32_t linear, uint32_t size);
    bool canBeHeld(uint32_t linear, bool write);

    bool m_flat = false; // the form of memory
    bool m_wasHeld = false; // the page of the access that takes the slow way, in the tables
    AccessObserver* m_observer = nullptr;
    const Rules* m_rules = nullptr;
    std::optional<Fault> m_fault;
    std::exception_ptr m_other;
};

} // namespace namsan
