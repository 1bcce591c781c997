// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/thread_registry.h"

#include "vmm/host/thread_usage.h"

#include <fmt/format.h>

#include <sched.h>
#include <unistd.h>

namespace namsan {

ThreadRegistry::ThreadRegistry(unsigned vcpus, const std::vector<std::string>& helpers)
    : m_vcpus(vcpus)
    , m_entries(1 + vcpus + helpers.size())
{
    m_entries[0].figures.role = "VMM";
    for (unsigned i = 0; i < vcpus; ++i)
        m_entries[1 + i].figures.role = fmt::format("vCPU {}", i);
    for (size_t i = 0; i < helpers.size(); ++i)
        m_entries[1 + vcpus + i].figures.role = helpers[i];
    m_requested.vcpus.resize(vcpus);
}

void ThreadRegistry::vmmBegins()
{
    begins(m_entries[0]);
}

void ThreadRegistry::vcpuBegins(unsigned index)
{
    begins(m_entries[1 + index]);
}

void ThreadRegistry::helperBegins(unsigned index)
{
    begins(m_entries[1 + m_vcpus + index]);
}

void ThreadRegistry::begins(Entry& entry)
{
    const std::lock_guard guard(m_mutex);
    entry.figures.thread = gettid();
    // place() has checked the request; if the host has changed its mind since, the thread runs where it may, and the
    // record shows the difference between asked and granted.
    if (auto granted = setAffinity(entry.figures.thread, entry.figures.requested))
        entry.figures.granted = *granted;
    else if (auto anywhere = setAffinity(entry.figures.thread, {}))
        entry.figures.granted = *anywhere;
    refresh(entry);
}

void ThreadRegistry::threadsEnd()
{
    const std::lock_guard guard(m_mutex);
    for (Entry& entry : m_entries) {
        refresh(entry);
        entry.figures.thread = 0;
    }
}

std::optional<LogicalCpu> ThreadRegistry::placeFor(size_t entry, const Placement& placement) const
{
    if (entry == 0 || entry > m_vcpus)
        return placement.vmm;
    return entry - 1 < placement.vcpus.size() ? placement.vcpus[entry - 1] : std::nullopt;
}

Result<void> ThreadRegistry::place(const Placement& placement)
{
    const std::lock_guard guard(m_mutex);
    std::vector<CpuSet> granted(m_entries.size());
    for (size_t i = 0; i < m_entries.size(); ++i) {
        const ThreadFigures& figures = m_entries[i].figures;
        if (!figures.thread)
            continue;
        auto moved = setAffinity(figures.thread, placeFor(i, placement));
        if (!moved) {
            for (size_t back = 0; back < i; ++back) {
                const ThreadFigures& before = m_entries[back].figures;
                if (before.thread)
                    static_cast<void>(setAffinity(before.thread, before.requested));
            }
            return moved.error();
        }
        granted[i] = *moved;
    }
    for (size_t i = 0; i < m_entries.size(); ++i) {
        m_entries[i].figures.requested = placeFor(i, placement);
        m_entries[i].figures.granted = granted[i];
    }
    m_requested = placement;
    m_requested.vcpus.resize(m_vcpus);
    return {};
}

Placement ThreadRegistry::requested() const
{
    const std::lock_guard guard(m_mutex);
    return m_requested;
}

void ThreadRegistry::refresh(Entry& entry)
{
    if (!entry.figures.thread)
        return;
    if (const auto usage = readThreadUsage(entry.figures.thread)) {
        entry.figures.cpuTime = usage->cpuTime;
        entry.figures.lastCpu = usage->lastCpu;
    }
}

void ThreadRegistry::observe()
{
    const std::lock_guard guard(m_mutex);
    for (Entry& entry : m_entries) {
        refresh(entry);
        // A thread that slept since the last look was nowhere.
        if (entry.figures.cpuTime != entry.cpuTimeAtLastLook)
            ++entry.figures.observed[entry.figures.lastCpu];
        entry.cpuTimeAtLastLook = entry.figures.cpuTime;
    }
}

std::vector<ThreadFigures> ThreadRegistry::figures() const
{
    const std::lock_guard guard(m_mutex);
    std::vector<ThreadFigures> all;
    for (Entry& entry : m_entries) {
        refresh(entry);
        all.push_back(entry.figures);
    }
    return all;
}

} // namespace namsan
