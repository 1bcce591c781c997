// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace namsan {

namespace {

using namespace std::chrono_literals;

constexpr std::array countSizes {
    WorkloadSize { "mini", "namsan.workload.size=200", 30min },
    WorkloadSize { "smoke", "namsan.workload.size=5000", 30min },
    WorkloadSize { "standard", "namsan.workload.size=35000", 2h },
    WorkloadSize { "full", "namsan.workload.size=350000", 12h },
};

constexpr std::array buildSizes {
    WorkloadSize { "mini", "namsan.workload.size=mini", 1h },
    WorkloadSize { "smoke", "namsan.workload.size=smoke", 4h },
    WorkloadSize { "standard", "namsan.workload.size=standard", 24h },
    WorkloadSize { "full", "namsan.workload.size=full", 96h },
};

constexpr std::array workloads {
    Workload { "kbuild", "Kernel build",
        "Compiles parts of the Linux kernel in RAM with one job for each vCPU: computing, memory, fork and page "
        "faults.",
        "kbuild", "namsan.workload.jobs=", buildSizes },
    Workload { "count", "Counting",
        "Adds up numbers in a shell: computing in one process, so further vCPUs don't help it.", "tiny", "",
        countSizes },
};

template <class Things> std::string listOf(const Things& things)
{
    std::string list;
    for (const auto& thing : things)
        list += (list.empty() ? "" : ", ") + std::string(thing.name);
    return list;
}

void append(std::string& commandLine, std::string_view more)
{
    if (!commandLine.empty() && !more.empty())
        commandLine += ' ';
    commandLine += more;
}

} // namespace

Result<WorkloadSize> Workload::size(std::string_view wanted) const
{
    const auto found = std::ranges::find(sizes, wanted, &WorkloadSize::name);
    if (found == sizes.end())
        return Error { fmt::format(
            "The workload {} has no size \"{}\"; choose one of {}.", name, wanted, listOf(sizes)) };
    return *found;
}

std::span<const Workload> allWorkloads()
{
    return workloads;
}

Result<Workload> findWorkload(std::string_view name)
{
    const auto found = std::ranges::find(workloads, name, &Workload::name);
    if (found == workloads.end())
        return Error { fmt::format("There is no workload \"{}\"; choose one of {}.", name, listOf(workloads)) };
    return *found;
}

Result<MachineConfig> configFor(
    const Workload& workload, const WorkloadSize& size, unsigned vcpus, const GuestCache& guests)
{
    auto guest = guests.find(workload.guest);
    if (!guest)
        return guest.error();
    const auto arguments = guest->workloads.find(std::string(workload.name));
    if (arguments == guest->workloads.end())
        return Error { fmt::format("The guest {} in {} does not know the workload {}; make it anew.", workload.guest,
            guests.folder().string(), workload.name) };
    MachineConfig config = std::move(guest->config);
    append(config.append, arguments->second);
    append(config.append, size.append);
    if (!workload.jobsArgument.empty())
        append(config.append, fmt::format("{}{}", workload.jobsArgument, vcpus));
    config.vcpus = vcpus;
    return config;
}

} // namespace namsan
