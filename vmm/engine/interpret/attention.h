// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_state.h"

#include <atomic>
#include <cstdint>

namespace namsan {

// What others want of a running vCPU, in one word that its loop looks at before each block. Any thread.
// Guests run for long with interrupts off while one waits (Linux unpacks itself so). The INTR pin's level therefore has
// a place of its own, which counts only while IF is set; what must be looked at in any case is in the polled half,
// where a request shows until the vCPU has seen that it has to wait.
class Attention {
public:
    // The place of the pin's level, and the polled half below it.
    static constexpr unsigned fromInterruptEnable = 8;
    static constexpr uint32_t polled = 0xffff;

    enum Reason : uint32_t {
        Kick = 1 << 0,
        InterruptRequest = 1 << 1 | eflags::interruptEnable << fromInterruptEnable, // the INTR pin's level
        Nmi = 1 << 2,
        GateA20 = 1 << 3, // the gate moved
        CodeWritten = 1 << 4, // by DMA or another vCPU
        Initialize = 1 << 5, // INIT
        StartUp = 1 << 6, // SIPI
        Exclusive = 1 << 7, // another vCPU wants to be alone with the memory
        CodePages = 1 << 8, // another vCPU has decoded code from further pages
    };

    void raise(Reason reason) { m_reasons.fetch_or(reason, std::memory_order_seq_cst); }
    void clear(Reason reason) { m_reasons.fetch_and(~uint32_t { reason }, std::memory_order_acq_rel); }

    // IF is clear: a request is no reason to look until it is set, or another one comes.
    void letInterruptWait() { m_reasons.fetch_and(~(InterruptRequest & polled), std::memory_order_acq_rel); }

    // Whether there is something to do where EFLAGS are these (of them only IF counts).
    bool any(uint32_t flags) const { return m_reasons.load(std::memory_order_relaxed) & whatCounts(flags); }
    static uint32_t whatCounts(uint32_t flags)
    {
        return polled | (flags & eflags::interruptEnable) << fromInterruptEnable;
    }
    // What was written before raise() is visible to who sees the reason here.
    uint32_t reasons() const { return m_reasons.load(std::memory_order_acquire); }

    // Of a halted vCPU, and the reasons that would end its halt: whether an interrupt is one of them, or one of the
    // others is there already. A kick ends nothing: the halt goes on behind it.
    bool canWake(uint32_t wakers) const
    {
        return (wakers & InterruptRequest) || (reasons() & wakers & ~uint32_t { Kick });
    }

    // A SIPI and its vector. The vector of the last one counts.
    void startUp(uint8_t vector)
    {
        m_startUpVector.store(vector, std::memory_order_relaxed);
        raise(StartUp);
    }
    uint8_t startUpVector() const { return m_startUpVector.load(std::memory_order_relaxed); }

    // For translated code, which looks itself: at the polled half, and where it sets IF at whatCounts().
    const std::atomic<uint32_t>& word() const { return m_reasons; }

private:
    std::atomic<uint32_t> m_reasons = 0;
    std::atomic<uint8_t> m_startUpVector = 0;
};

} // namespace namsan
