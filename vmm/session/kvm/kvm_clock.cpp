// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_clock.h"

#include "vmm/session/kvm/kvm_api.h"
#include "vmm/session/kvm/kvm_call.h"

#include <x86intrin.h>

namespace namsan {

namespace {

kvm_device_attr offsetAttribute(uint64_t& value)
{
    kvm_device_attr attribute {};
    attribute.group = KVM_VCPU_TSC_CTRL;
    attribute.attr = KVM_VCPU_TSC_OFFSET;
    attribute.addr = reinterpret_cast<uintptr_t>(&value);
    return attribute;
}

} // namespace

// The narrowest of some readings: a thread may lose its CPU in the middle of one.
uint64_t TscDifference::now()
{
    constexpr int tries = 3;
    uint64_t measured = 0, narrowest = ~uint64_t { 0 };
    for (int i = 0; i < tries; ++i) {
        const uint64_t before = __rdtsc();
        const uint64_t board = m_clock.tsc();
        const uint64_t width = __rdtsc() - before;
        if (width < narrowest) {
            narrowest = width;
            measured = board - before - width / 2;
        }
    }
    const std::lock_guard guard(m_mutex);
    const uint64_t error = tolerance + narrowest;
    if (!m_difference || measured - *m_difference + error > 2 * error)
        m_difference = measured;
    return *m_difference;
}

KvmClock::KvmClock(int vcpu, const Clock& clock, TscDifference& difference, const KvmCapabilities& capabilities)
    : m_vcpu(vcpu)
    , m_clock(clock)
    , m_difference(difference)
    , m_offsets(capabilities.vcpuAttributes)
{
    compareFrequencies();
    if (m_offsets) {
        // Some hosts take an offset and forget it.
        const uint64_t offset = kernelOffset().value_or(0) + 1;
        setKernelOffset(offset);
        m_offsets = kernelOffset() == offset;
    }
    if (!m_offsets)
        m_remark += " The guest's time stamp counter does not stand still in a pause: this host's KVM cannot set it.";
}

void KvmClock::compareFrequencies()
{
    const int kernelKhz = ioctl(m_vcpu, KVM_GET_TSC_KHZ, 0);
    const auto boardKhz = static_cast<int64_t>(m_clock.tscFrequency() / 1000);
    // Up to 250 parts per million is the difference between what a processor tells and what was measured, which KVM
    // itself lets pass (its parameter tsc_tolerance_ppm).
    if (kernelKhz <= 0 || std::abs(kernelKhz - boardKhz) * 4000 <= boardKhz)
        return;
    m_sameRate = false;
    m_remark += fmt::format(" The guest's time stamp counter runs at this host's {} kHz, and the machine's clock "
                            "at {} kHz.",
        kernelKhz, boardKhz);
}

std::optional<uint64_t> KvmClock::kernelOffset() const
{
    uint64_t value = 0;
    kvm_device_attr attribute = offsetAttribute(value);
    if (ioctl(m_vcpu, KVM_GET_DEVICE_ATTR, &attribute) != 0)
        return {};
    return value;
}

void KvmClock::setKernelOffset(uint64_t value)
{
    kvm_device_attr attribute = offsetAttribute(value);
    if (ioctl(m_vcpu, KVM_SET_DEVICE_ATTR, &attribute) == 0)
        m_kernelOffset = value;
}

uint64_t KvmClock::wantedOffset() const
{
    return m_tscOffset + m_difference.now();
}

void KvmClock::load(uint64_t tscOffset)
{
    m_tscOffset = tscOffset;
    if (m_offsets) {
        setKernelOffset(wantedOffset());
        return;
    }
    KvmList<kvm_msrs, kvm_msr_entry> list(1);
    list.head()->nmsrs = 1;
    *list.entries() = { timeStampCounterMsr, 0, m_clock.tsc() + tscOffset };
    ioctl(m_vcpu, KVM_SET_MSRS, list.head());
}

uint64_t KvmClock::save() const
{
    if (m_offsets)
        return m_tscOffset + kernelOffset().value_or(m_kernelOffset) - m_kernelOffset;
    KvmList<kvm_msrs, kvm_msr_entry> list(1);
    list.head()->nmsrs = 1;
    *list.entries() = { timeStampCounterMsr, 0, 0 };
    if (ioctl(m_vcpu, KVM_GET_MSRS, list.head()) != 1)
        return m_tscOffset;
    return list.entries()->data - m_clock.tsc();
}

void KvmClock::synchronize()
{
    if (!m_offsets || !m_sameRate)
        return;
    if (wantedOffset() == m_kernelOffset)
        return;
    m_tscOffset = save();
    setKernelOffset(wantedOffset());
}

} // namespace namsan
