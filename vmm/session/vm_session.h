// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/board/interrupt_message.h"
#include "vmm/board/port_bus.h"
#include "vmm/engine/cpu_state.h"
#include "vmm/session/vcpu_counters.h"
#include "vmm/time/engine_timers.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace namsan {

// What a vCPU needs of the rest of the machine. Called on the vCPU's own thread, from inside Vcpu::run(); the
// implementation takes the board lock.
class GuestBus {
public:
    virtual ~GuestBus() = default;

    virtual uint32_t portIn(Port, Width) = 0;
    virtual void portOut(Port, Width, uint32_t value) = 0;
    virtual uint64_t mmioRead(PhysicalAddress, unsigned size) = 0; // size: 1, 2, 4 or 8 bytes
    virtual void mmioWrite(PhysicalAddress, unsigned size, uint64_t value) = 0;

    // The interrupt controller's answer to INTA: the vector to take.
    virtual uint8_t acknowledgeInterrupt() = 0;

    // A local APIC's broadcast to the I/O APICs: the end of a level-triggered interrupt.
    virtual void endOfInterrupt(uint8_t /*vector*/) { }
};

// Whose thread sleeps while a vCPU is halted.
class VcpuSleeper {
public:
    virtual ~VcpuSleeper() = default;

    // Vcpu::hasWork() may have become true. Any thread; must not call the Vcpu, nor wait.
    virtual void vcpuHasWork() = 0;
};

struct VcpuExit {
    enum class Reason {
        Kicked, // kick() was called
        Halted, // HLT; run() again goes on after it once an interrupt is accepted
        TripleFault,
        Failed, // the engine cannot go on; why tells it in a sentence
    };

    Reason reason;
    std::string why;
};

// One virtual processor of an engine.
class Vcpu {
public:
    virtual ~Vcpu() = default;

    // Runs the guest on the calling thread until there is something to tell. Only one thread at a time.
    virtual VcpuExit run() = 0;

    // Makes run() return Kicked soon: the one that runs, or else the next one, which then executes nothing.
    // Any number of kicks before a return are one. Any thread; never waits.
    virtual void kick() = 0;

    // After Halted: whether run() would go on with the guest by now. Any thread.
    virtual bool hasWork() const = 0;

    // After Halted: whether an interrupt could make run() go on, or something else already does, which a kick does not:
    // false with interrupts off, and while it waits to be started up. Cheap. Only while no thread is in run().
    virtual bool canWakeItself() const = 0;

    // Told of work that comes from other vCPUs and from local timers; of kick() and the pins below, their callers know.
    // Not while a thread is in run(); nullptr for nobody.
    virtual void setSleeper(VcpuSleeper*) { }

    // The INTR pin's level. A processor that runs with interrupts enabled takes the interrupt before long.
    // Any thread; never waits.
    virtual void setInterruptRequest(bool level) = 0;

    // A pulse of the NMI pin. Any thread; never waits.
    virtual void raiseNmi() = 0;

    // The whole state. Only while no thread is in run().
    virtual CpuState save() const = 0;
    // Why what save() has given is not the guest's state, in a sentence; empty while it is. Such a guest must not go
    // on.
    virtual std::string whyLost() const { return {}; }
    virtual void load(const CpuState&) = 0;

    // Live; any thread may read.
    virtual const VcpuCounters& counters() const = 0;
};

// One VM as an engine sees it: memory and processors. The memory and the buses outlive the session.
class VmSession {
public:
    virtual ~VmSession() = default;

    virtual std::string_view engineName() const = 0; // "soft:interpreter"

    virtual unsigned vcpuCount() const = 0;
    virtual Vcpu& vcpu(unsigned index) = 0;

    // Where interrupt messages go, and the timers of local APICs; nullptr in a machine without them.
    virtual InterruptMessageSink* interruptMessages() { return nullptr; }
    virtual EngineTimers* timers() { return nullptr; }

    // Gate on address line 20: while closed, bit 20 of every physical address is 0. Any thread.
    virtual void setA20(bool open) = 0;
};

} // namespace namsan
