// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/apic/local_apic.h"
#include "vmm/time/engine_timers.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace namsan {

// A processor as its local APIC sees it. All but wake() are called under the APICs' lock: they note, and never wait.
class ApicProcessor {
public:
    virtual ~ApicProcessor() = default;

    virtual void setApicRequest(bool level) = 0;
    virtual void apicNmi() = 0;
    virtual void apicInitialize() = 0;
    virtual void apicStartUp(uint8_t vector) = 0;

    // Something of this was told, so that a processor that sleeps may have to go on. Without the lock, on any thread.
    virtual void wake() = 0;
};

// The local APICs of one machine and the bus between them. Any thread.
//
// One lock for all of them, held for the length of a register access: a message's arbitration looks at several, and
// broadcasts go to all. It is taken inside the board lock (the I/O APIC sends) and takes no other, so an IPI never
// meets the board.
class LocalApics final : public InterruptMessageSink, public EngineTimers {
public:
    LocalApics(unsigned count, LocalApic::Features, const Clock&);
    ~LocalApics() override;

    unsigned count() const { return static_cast<unsigned>(m_chips.size()); }

    // Before processors run.
    void connect(unsigned index, ApicProcessor&);

    // -- of the processor with that index; tscOffset is what it adds to the clock's TSC
    bool ownsAddress(unsigned index, uint64_t physical) const;
    uint64_t read(unsigned index, uint64_t physical, unsigned size);
    // Gives the vector whose end is to be told to the I/O APICs.
    std::optional<uint8_t> write(unsigned index, uint64_t physical, unsigned size, uint64_t value);
    std::optional<uint64_t> readMsr(unsigned index, uint32_t number);
    struct MsrWrite {
        bool done = false; // otherwise #GP
        std::optional<uint8_t> endOfInterrupt;
    };
    MsrWrite writeMsr(unsigned index, uint32_t number, uint64_t value);
    void setTscOffset(unsigned index, uint64_t offset);
    std::optional<uint8_t> acknowledge(unsigned index); // nothing: ask the 8259s
    bool isEnabled(unsigned index) const; // as CPUID shows it

    // -- of everybody
    void setLocalInput(unsigned index, unsigned pin, bool level);
    bool send(const InterruptMessage&) override;

    std::optional<GuestTime> nextDeadline() const override;
    void setDeadlineMoved(std::function<void(GuestTime delay)>) override;
    void runDue() override;
    GuestTime lateness() const override;

    LocalApicState save(unsigned index) const;
    void load(unsigned index, const LocalApicState&);

private:
    class Chip;
    class Inside;

    ApicTimer::Now now(const Chip&) const;
    bool route(const InterruptMessage&, LocalApicWires::Shorthand, unsigned sender);
    bool deliverToLowestPriority(const InterruptMessage&, const std::vector<unsigned>& candidates);

    const Clock& m_clock;
    mutable std::mutex m_mutex;
    std::vector<std::unique_ptr<Chip>> m_chips;
    uint32_t m_toWake = 0; // one bit for each processor
    unsigned m_lastArbitrationWinner = 0;
    std::optional<uint8_t> m_ended; // the broadcast of the access that goes on
    std::optional<GuestTime> m_toldDeadline;
    std::function<void(GuestTime delay)> m_deadlineMoved;
};

} // namespace namsan
