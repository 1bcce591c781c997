// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/time/clock.h"

#include "vmm/base/scaled_division.h"

#include <algorithm>
#include <cpuid.h>
#include <ctime>
#include <x86intrin.h>

namespace namsan {

namespace {
constexpr uint64_t nanosecondsPerSecond = 1'000'000'000;

uint64_t rawMonotonic()
{
    timespec time {};
    clock_gettime(CLOCK_MONOTONIC_RAW, &time);
    return static_cast<uint64_t>(time.tv_sec) * nanosecondsPerSecond + static_cast<uint64_t>(time.tv_nsec);
}

// Invariant TSC: CPUID 80000007, EDX bit 8 (AMD APM volume 3, appendix E.4.6; Intel SDM volume 3, 18.17.1).
bool tscIsInvariant()
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

// CPUID 15: core crystal clock and its ratio to the TSC (Intel SDM volume 2, CPUID); 40000010: a hypervisor's word in
// kHz (the "timing leaf" that VMware defined and KVM hosts offer).
uint64_t frequencyByCpuid()
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_max(0, nullptr) >= 0x15) {
        __cpuid(0x15, a, b, c, d);
        if (a && b && c)
            return uint64_t { c } * b / a;
    }
    __cpuid(1, a, b, c, d);
    if (c & 1u << 31) {
        __cpuid(0x40000000, a, b, c, d);
        if (a >= 0x40000010 && a < 0x40001000) {
            __cpuid(0x40000010, a, b, c, d);
            return uint64_t { a } * 1000;
        }
    }
    return 0;
}

// A pair of readings of both clocks taken as close together as three tries give it.
struct Reading {
    uint64_t ticks;
    uint64_t nanoseconds;
};
Reading readBoth()
{
    Reading best {};
    uint64_t bestGap = ~uint64_t { 0 };
    for (int i = 0; i < 3; ++i) {
        const uint64_t before = __rdtsc();
        const uint64_t nanoseconds = rawMonotonic();
        const uint64_t after = __rdtsc();
        if (after - before < bestGap) {
            bestGap = after - before;
            best = { before + (after - before) / 2, nanoseconds };
        }
    }
    return best;
}

uint64_t measureFrequency()
{
    const Reading first = readBoth();
    Reading last = first;
    while (last.nanoseconds - first.nanoseconds < 20'000'000)
        last = readBoth();
    return multiplyDivide(last.ticks - first.ticks, nanosecondsPerSecond, last.nanoseconds - first.nanoseconds);
}
} // namespace

uint64_t hostTscFrequency()
{
    static const uint64_t frequency = [] {
        if (!tscIsInvariant())
            return uint64_t { 0 };
        const uint64_t told = frequencyByCpuid();
        return told ? told : measureFrequency();
    }();
    return frequency;
}

HostClock::HostClock()
    : m_invariantTsc(hostTscFrequency() != 0)
    , m_frequency(m_invariantTsc ? hostTscFrequency() : nanosecondsPerSecond)
{
}

uint64_t HostClock::hostTicks() const
{
    return m_invariantTsc ? __rdtsc() : rawMonotonic();
}

uint64_t HostClock::tsc() const
{
    if (!m_running.load(std::memory_order_acquire))
        return m_lastTold.load();
    // The host's ticks come first: with the origin of a later start they give too little, which does no harm.
    const uint64_t ticks = hostTicks();
    const uint64_t origin = m_origin.load(std::memory_order_acquire);
    const uint64_t elapsed = static_cast<int64_t>(ticks - origin) > 0 ? ticks - origin : 0;
    uint64_t told = m_lastTold.load(std::memory_order_relaxed);
    while (told < elapsed && !m_lastTold.compare_exchange_weak(told, elapsed)) { }
    return std::max(told, elapsed);
}

GuestTime HostClock::now() const
{
    return GuestTime(static_cast<int64_t>(multiplyDivide(tsc(), nanosecondsPerSecond, m_frequency)));
}

void HostClock::start()
{
    const std::lock_guard guard(m_mutex);
    if (m_running)
        return;
    m_origin = hostTicks() - m_lastTold;
    m_running = true;
}

void HostClock::stop()
{
    const std::lock_guard guard(m_mutex);
    if (!m_running)
        return;
    static_cast<void>(tsc());
    m_running = false;
}

} // namespace namsan
