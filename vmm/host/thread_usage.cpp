// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/thread_usage.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace namsan {

namespace {

// The number of a thread's CPU clock, as the kernel makes it: include/linux/posix-timers.h, CPUCLOCK_PERTHREAD and
// CPUCLOCK_SCHED. (pthread_getcpuclockid() gives the same and wants a pthread_t, which a watcher does not have.)
clockid_t cpuClockOf(ThreadId thread)
{
    constexpr clockid_t perThread = 4;
    constexpr clockid_t scheduler = 2;
    return static_cast<clockid_t>((~static_cast<unsigned>(thread)) << 3) | perThread | scheduler;
}

std::optional<std::chrono::nanoseconds> cpuTimeOf(ThreadId thread)
{
    timespec time {};
    if (clock_gettime(cpuClockOf(thread), &time) != 0)
        return std::nullopt;
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Field 39, "processor". The second field is the thread's name in parentheses and may hold anything, so counting
// begins behind the last parenthesis: proc(5).
std::optional<LogicalCpu> lastCpuIn(std::string_view stat)
{
    constexpr int processorField = 39;
    size_t position = stat.rfind(')');
    if (position == std::string_view::npos)
        return std::nullopt;
    for (int field = 2; field < processorField; ++field) {
        position = stat.find(' ', position + 1);
        if (position == std::string_view::npos)
            return std::nullopt;
    }
    LogicalCpu cpu = 0;
    const char* begin = stat.data() + position + 1;
    if (std::from_chars(begin, stat.data() + stat.size(), cpu).ec != std::errc {})
        return std::nullopt;
    return cpu;
}

std::optional<LogicalCpu> lastCpuOf(ThreadId thread)
{
    const int file = open(fmt::format("/proc/self/task/{}/stat", thread).c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return std::nullopt;
    std::array<char, 1024> text;
    const ssize_t size = read(file, text.data(), text.size());
    close(file);
    if (size <= 0)
        return std::nullopt;
    return lastCpuIn({ text.data(), static_cast<size_t>(size) });
}

} // namespace

std::optional<ThreadUsage> readThreadUsage(ThreadId thread)
{
    if (thread <= 0)
        return std::nullopt;
    const auto lastCpu = lastCpuOf(thread); // first: it also refuses threads of other processes
    const auto cpuTime = cpuTimeOf(thread);
    if (!lastCpu || !cpuTime)
        return std::nullopt;
    return ThreadUsage { *cpuTime, *lastCpu };
}

} // namespace namsan
