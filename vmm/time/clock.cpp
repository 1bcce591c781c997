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
    const std::lock_guard guard(m_mutex);
    return elapsedNow();
}

uint64_t HostClock::elapsedNow() const
{
    if (!m_running)
        return m_elapsed;
    const uint64_t ticks = hostTicks();
    m_lastTold = std::max(m_lastTold, m_elapsed + (ticks > m_startTicks ? ticks - m_startTicks : 0));
    return m_lastTold;
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
    m_running = true;
    m_startTicks = hostTicks();
}

void HostClock::stop()
{
    const std::lock_guard guard(m_mutex);
    if (!m_running)
        return;
    m_elapsed = elapsedNow();
    m_running = false;
}

} // namespace namsan
