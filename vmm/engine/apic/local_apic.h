// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/interrupt_message.h"
#include "vmm/engine/apic/apic_timer.h"
#include "vmm/engine/apic/local_apic_state.h"

#include <cstdint>
#include <optional>
#include <utility>

namespace namsan {

// What a local APIC is wired to. Called from inside its functions; none may call back.
class LocalApicWires {
public:
    virtual ~LocalApicWires() = default;

    // To its processor
    virtual void setInterruptRequest(bool level) = 0;
    virtual void raiseNmi() = 0;
    virtual void initialize() = 0; // INIT
    virtual void startUp(uint8_t vector) = 0; // SIPI: only a processor that waits for one takes it

    // To the other local APICs
    enum class Shorthand : uint8_t { None, Self, AllIncludingSelf, AllExcludingSelf };
    virtual void send(const InterruptMessage&, Shorthand) = 0;
    // To the I/O APICs: the end of a level-triggered interrupt.
    virtual void broadcastEndOfInterrupt(uint8_t vector) = 0;
};

// One local APIC: an xAPIC, and an x2APIC where the model has it. Intel SDM volume 3, chapter 11.
//
// A chip without locks or threads: whoever owns it sees to that, passes the time on, and asks for the timer's deadline
// after each call.
class LocalApic {
public:
    struct Features {
        bool x2Apic = false;
        bool tscDeadline = false;
    };

    LocalApic(uint32_t id, Features, uint64_t tscFrequency, LocalApicWires&);

    bool isEnabled() const { return m_state.base & apic_base::globalEnable; }
    bool isX2() const { return m_state.base & apic_base::x2ApicEnable; }
    uint64_t base() const { return m_state.base; }
    uint32_t id() const { return m_state.id; }

    // The registers in memory. size is 1, 2, 4 or 8 bytes at an offset into the page; what is not a register's 32 bits
    // reads as 0 and is not written, as the manual leaves it open.
    uint64_t readMemory(uint32_t offset, unsigned size, const ApicTimer::Now&);
    void writeMemory(uint32_t offset, unsigned size, uint64_t value, const ApicTimer::Now&);

    // IA32_APIC_BASE, IA32_TSC_DEADLINE, and 800h to 83Fh in x2APIC mode. Nothing, or false, where that is #GP.
    std::optional<uint64_t> readMsr(uint32_t number, const ApicTimer::Now&);
    bool writeMsr(uint32_t number, uint64_t value, const ApicTimer::Now&);

    // The processor's INTA cycle. Nothing: the 8259s have to tell the vector.
    std::optional<uint8_t> acknowledge();

    void setLocalInput(unsigned pin, bool level); // LINT0 or LINT1

    // -- messages of others
    bool isAddressed(const InterruptMessage&) const;
    bool takesFixed() const { return isEnabled() && softwareEnabled(); }
    uint32_t processorPriority() const;
    bool isFocusOf(uint8_t vector) const;
    bool accept(const InterruptMessage&); // whether it was taken

    // -- timer
    std::optional<GuestTime> deadline() const;
    void runTimer(const ApicTimer::Now&); // the deadline may have come
    GuestTime lateness() const { return m_timer.lateness(); }

    LocalApicState save(const ApicTimer::Now&) const;
    void load(const LocalApicState&, const ApicTimer::Now&);

private:
    // INIT: everything but the ID and IA32_APIC_BASE goes back. SDM volume 3, 11.4.7.3.
    void initialize();
    bool softwareEnabled() const;
    uint32_t& localVector(LocalVector which) { return m_state.localVectors[static_cast<size_t>(which)]; }
    uint32_t localVector(LocalVector which) const { return m_state.localVectors[static_cast<size_t>(which)]; }

    uint32_t readRegister(unsigned number, const ApicTimer::Now&);
    void writeRegister(unsigned number, uint32_t value, const ApicTimer::Now&);
    void writeLocalVector(unsigned index, uint32_t value, const ApicTimer::Now&);
    void writeSpuriousVector(uint32_t value, const ApicTimer::Now&);
    bool writeBase(uint64_t value, const ApicTimer::Now&);
    bool writeX2Register(unsigned number, uint64_t value, const ApicTimer::Now&);
    void sendCommand();
    void endOfInterrupt();
    void request(uint8_t vector, bool levelTriggered);
    void raiseLocal(LocalVector);
    void setLevelledInput(unsigned pin);
    void reportError(uint32_t bits);
    bool externalRequested() const;
    void driveInterruptRequest();
    void updateTimer(const ApicTimer::Now&);
    uint32_t logicalDestination() const;

    const Features m_features;
    LocalApicWires& m_wires;
    LocalApicState m_state; // the timer's part is in m_timer
    ApicTimer m_timer;
    bool m_reportingError = false;
};

} // namespace namsan
