// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/session/kvm/kvm_device.h"
#include "vmm/time/clock.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace namsan {

inline constexpr uint32_t timeStampCounterMsr = 0x10; // Intel SDM volume 4, table 2-2

// By how much the board's TSC is ahead of the host's. One for all vCPUs of a VM, so that their counters agree to the
// tick, which guests rely on: measured once, and anew when the clock has stood still or jumped. Any thread.
class TscDifference {
public:
    explicit TscDifference(const Clock& clock)
        : m_clock(clock)
    {
    }

    uint64_t now();

private:
    // What a measurement may be off: some microseconds.
    static constexpr uint64_t tolerance = 10'000; // ticks

    const Clock& m_clock;
    std::mutex m_mutex; // of a comparison and a store
    std::optional<uint64_t> m_difference;
};

// Keeps the time stamp counter that the guest reads under KVM in step with the board's clock.
//
// KVM adds an offset to the host's TSC. The offset is set exactly, as an attribute of the vCPU, whenever the board's
// clock has stood still or jumped; a write of the TSC itself would be taken for an attempt to synchronize and rounded
// (Linux, kvm_synchronize_tsc). Hosts that don't have the attribute get the TSC written when a state is loaded, and
// nothing after a pause. Of the vCPU's thread.
class KvmClock {
public:
    // Both outlive this.
    KvmClock(int vcpu, const Clock&, TscDifference&, const KvmCapabilities&);

    // Sentences about what this host cannot do; empty where all is well.
    const std::string& remark() const { return m_remark; }

    void load(uint64_t tscOffset); // CpuState::tscOffset from now on
    uint64_t save() const; // with what the guest has written to its TSC since
    void write(uint64_t value) { load(value - m_clock.tsc()); } // the guest does, at this moment
    void synchronize(); // before the vCPU runs, when the clock may have stood still

private:
    void compareFrequencies();
    std::optional<uint64_t> kernelOffset() const;
    void setKernelOffset(uint64_t);
    uint64_t wantedOffset() const;

    int m_vcpu;
    const Clock& m_clock;
    TscDifference& m_difference;
    bool m_offsets; // the host has the attribute
    bool m_sameRate = true; // otherwise the two drift apart, and setting it right would make the guest's go back
    std::string m_remark;
    uint64_t m_tscOffset = 0;
    uint64_t m_kernelOffset = 0; // as it was set last
};

} // namespace namsan
