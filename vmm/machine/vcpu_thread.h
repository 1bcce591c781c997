// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/irq_line.h"
#include "vmm/board/motherboard.h"
#include "vmm/session/vm_session.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace namsan {

// The thread that runs one vCPU, and the end of the interrupt controller's INTR wire (input 0).
//
// It is parked at first: it runs guest code only between release() and park(). While the vCPU is halted the thread
// sleeps until it has work: an interrupt that it takes, an NMI, INIT. Calls are safe from any thread where not said
// otherwise.
class VcpuThread final : public InterruptSink, public BoardSleeper, private VcpuSleeper {
public:
    // Told on the vCPU's thread, which is parked from then on: HLT with interrupts off, a triple fault, a failed
    // engine. One of several is not parked by HLT: others may wake it.
    using OnStandstill = std::function<void(const VcpuExit&)>;

    VcpuThread(Motherboard&, Vcpu&, unsigned index, bool isOneOfSeveral, OnStandstill);
    ~VcpuThread() override; // quit() and join
    VcpuThread(const VcpuThread&) = delete;
    VcpuThread& operator=(const VcpuThread&) = delete;

    // Starts the thread, parked; onStart runs first on it.
    void start(std::function<void()> onStart);

    void release(); // run guest code
    void park(); // stop running guest code soon; never waits
    void waitUntilParked(); // after park(); not under the board lock, which the vCPU may be waiting for
    void quit();
    void join();

    // Another engine's vCPU in place of the one so far; only while parked. nullptr: none for a while, in which every
    // other call but release() is allowed. The INTR wire's level is told to the new one.
    void replaceVcpu(Vcpu*);

    void setInterruptInput(unsigned input, bool level) override; // from inside the board; never waits for the vCPU
    void wakeUp() override;
    void raiseNmi(); // a pulse of the NMI wire; wakes a vCPU that is halted

    // Asleep where only others can wake it, and nobody has. From a vCPU's thread, which is not parked then.
    bool isDeaf() const { return m_deaf.load() && !m_vcpu->hasWork(); }

private:
    void run();
    Vcpu* waitForRelease(); // nullptr: quit
    void vcpuHasWork() override;
    void sleepWhileHalted(Vcpu&);
    void standStill(const VcpuExit&);

    Motherboard& m_board;
    unsigned m_index;
    bool m_oneOfSeveral;
    OnStandstill m_onStandstill;

    std::mutex m_mutex;
    std::condition_variable m_changed;
    Vcpu* m_vcpu; // changed only while parked
    std::atomic<bool> m_released = false; // what is wanted
    bool m_parked = true; // what is: changed by the thread itself
    bool m_quit = false;
    bool m_interruptRequest = false;
    std::mutex m_sleepMutex; // taken last
    std::condition_variable m_workCame;
    std::atomic<bool> m_asleep = false; // halted
    std::atomic<bool> m_deaf = false;

    std::thread m_thread;
};

} // namespace namsan
