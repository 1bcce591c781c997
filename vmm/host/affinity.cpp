// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/affinity.h"

#include "vmm/host/placement.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <sched.h>
#include <unistd.h>

namespace namsan {

namespace {

struct CpuMaskDeleter {
    void operator()(cpu_set_t* mask) const { CPU_FREE(mask); }
};

// A set of CPUs in the form that the kernel takes.
class CpuMask {
public:
    explicit CpuMask(unsigned cpus)
        : m_cpus(cpus)
        , m_bytes(CPU_ALLOC_SIZE(cpus))
        , m_mask(CPU_ALLOC(cpus))
    {
        CPU_ZERO_S(m_bytes, m_mask.get());
    }
    explicit CpuMask(const CpuSet& cpus)
        : CpuMask(*cpus.rbegin() + 1)
    {
        for (const LogicalCpu cpu : cpus)
            CPU_SET_S(cpu, m_bytes, m_mask.get());
    }

    cpu_set_t* get() { return m_mask.get(); }
    size_t bytes() const { return m_bytes; }
    CpuSet cpus() const
    {
        CpuSet result;
        for (LogicalCpu cpu = 0; cpu < m_cpus; ++cpu) {
            if (CPU_ISSET_S(cpu, m_bytes, m_mask.get()))
                result.insert(cpu);
        }
        return result;
    }

private:
    unsigned m_cpus;
    size_t m_bytes;
    std::unique_ptr<cpu_set_t, CpuMaskDeleter> m_mask;
};

Result<CpuSet> readAffinity(ThreadId thread)
{
    // The kernel refuses a mask that is shorter than its own and does not tell how long that is.
    constexpr unsigned mostCpus = 1 << 20;
    for (unsigned cpus = 1024; cpus <= mostCpus; cpus *= 2) {
        CpuMask mask(cpus);
        if (sched_getaffinity(thread, mask.bytes(), mask.get()) == 0)
            return mask.cpus();
        if (errno != EINVAL)
            break;
    }
    return Error { fmt::format("The kernel does not tell which CPUs thread {} may use: {}. "
                               "Where a sandbox forbids sched_getaffinity, run Namsan outside of it.",
        thread, std::strerror(errno)) };
}

bool belongsToThisProcess(ThreadId thread)
{
    return thread > 0 && access(fmt::format("/proc/self/task/{}", thread).c_str(), F_OK) == 0;
}

} // namespace

Result<CpuSet> readAllowedCpus()
{
    return readAffinity(getpid());
}

std::string describe(const CpuSet& cpus)
{
    std::string text;
    for (auto first = cpus.begin(); first != cpus.end();) {
        auto last = first;
        auto next = std::next(first);
        while (next != cpus.end() && *next == *last + 1)
            last = next++;
        text += text.empty() ? "" : ",";
        text += first == last ? fmt::format("{}", *first) : fmt::format("{}-{}", *first, *last);
        first = next;
    }
    return text;
}

Result<CpuSet> setAffinity(ThreadId thread, std::optional<LogicalCpu> cpu)
{
    if (!belongsToThisProcess(thread))
        return Error { fmt::format(
            "Thread {} cannot be moved: it is no thread of this process, or it has ended.", thread) };
    const auto allowed = readAllowedCpus();
    if (!allowed)
        return allowed.error();
    if (cpu && !allowed->contains(*cpu))
        return Error { fmt::format(
            "CPU {} is not allowed to this process; choose from the CPUs {}.", *cpu, describe(*allowed)) };

    CpuMask mask(cpu ? CpuSet { *cpu } : *allowed);
    if (sched_setaffinity(thread, mask.bytes(), mask.get()) != 0)
        return Error { fmt::format(
            "The kernel did not move thread {} to {}: {}. Check the CPUs that its cgroup allows.", thread,
            cpu ? fmt::format("CPU {}", *cpu) : "the CPUs " + describe(*allowed), std::strerror(errno)) };
    return readAffinity(thread);
}

} // namespace namsan
