// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/placement.h"

#include "vmm/host/affinity.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace namsan {

namespace {

constexpr std::string_view whatMayBeWritten = "write free, {0}s, {0}d, or a map such as vmm=0,vcpu0=1";

std::string remedy(unsigned vcpus)
{
    return fmt::format(fmt::runtime(whatMayBeWritten), vcpus);
}

// Allowed CPUs in the order in which plan() takes them.
std::vector<LogicalCpu> inOrderOfChoice(const Topology& topology)
{
    struct Candidate {
        unsigned sibling; // how many allowed CPUs of the same core come before it
        const HostCpu* cpu;
    };
    std::map<unsigned, unsigned> taken; // allowed CPUs seen so far, by core
    std::vector<Candidate> candidates;
    for (const HostCpu& cpu : topology.cpus) {
        if (cpu.allowed)
            candidates.push_back({ taken[cpu.core]++, &cpu });
    }
    std::ranges::sort(candidates, {}, [](const Candidate& candidate) {
        const HostCpu& cpu = *candidate.cpu;
        return std::tuple(candidate.sibling, cpu.numaNode, cpu.socket, cpu.core, cpu.number);
    });
    std::vector<LogicalCpu> order;
    for (const Candidate& candidate : candidates)
        order.push_back(candidate.cpu->number);
    return order;
}

std::string whatThereIs(const Topology& topology)
{
    const size_t allowed = topology.allowed().size();
    if (allowed == topology.cpus.size())
        return fmt::format("this host has {}", allowed);
    return fmt::format("this process may use {} of this host's {}", allowed, topology.cpus.size());
}

std::optional<unsigned> toNumber(std::string_view text)
{
    constexpr size_t mostDigits = 6; // more are no CPU of this decade, and would overflow
    if (text.empty() || text.size() > mostDigits
        || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    unsigned number = 0;
    for (const char digit : text)
        number = number * 10 + static_cast<unsigned>(digit - '0');
    return number;
}

// "2s", "2(s)", "2d", "2(d)": the number of vCPUs and the policy.
std::optional<std::pair<unsigned, PlacementPolicy>> toPolicy(std::string_view text)
{
    if (text.ends_with(')')) {
        const size_t open = text.find('(');
        if (open == std::string_view::npos || text.size() != open + 3)
            return std::nullopt;
        const auto policy = toPolicy(std::string(text.substr(0, open)) + text[open + 1]);
        return policy;
    }
    if (!text.ends_with('s') && !text.ends_with('d'))
        return std::nullopt;
    const auto number = toNumber(text.substr(0, text.size() - 1));
    if (!number)
        return std::nullopt;
    return std::pair(*number, text.ends_with('s') ? PlacementPolicy::Shared : PlacementPolicy::Disjoint);
}

Result<LogicalCpu> parseCpu(std::string_view part, std::string_view text, const Topology& topology)
{
    const auto number = toNumber(text);
    if (!number)
        return Error { fmt::format("In the placement's part \"{}\", \"{}\" is not the number of a CPU; "
                                   "this process may use the CPUs {}.",
            part, text, describe(topology.allowed())) };
    const HostCpu* cpu = topology.find(*number);
    if (!cpu)
        return Error { fmt::format("CPU {} of the placement's part \"{}\" does not exist on this host; "
                                   "choose from the CPUs {}.",
            *number, part, describe(topology.allowed())) };
    if (!cpu->allowed)
        return Error { fmt::format("CPU {} of the placement's part \"{}\" is not allowed to this process "
                                   "(taskset or a cgroup narrows it); choose from the CPUs {}.",
            *number, part, describe(topology.allowed())) };
    return *number;
}

// The slot of the placement that "vmm" or "vcpu0" names.
Result<std::optional<LogicalCpu>*> slotOf(std::string_view name, Placement& placement)
{
    if (name == "vmm")
        return &placement.vmm;
    const auto vcpus = static_cast<unsigned>(placement.vcpus.size());
    const auto index = name.starts_with("vcpu") ? toNumber(name.substr(4)) : std::nullopt;
    if (!index)
        return Error { fmt::format(
            "The placement names \"{}\", which is no thread of a VM; {}.", name, remedy(vcpus)) };
    if (*index >= vcpus)
        return Error { fmt::format("The placement names vCPU {}, and this VM has only {}; vCPUs count from 0.", *index,
            vcpus == 1 ? "vCPU 0" : fmt::format("vCPUs 0 to {}", vcpus - 1)) };
    return &placement.vcpus[*index];
}

Result<Placement> parseMap(std::string_view text, const Topology& topology, unsigned vcpus)
{
    Placement placement { std::nullopt, std::vector<std::optional<LogicalCpu>>(vcpus) };
    for (size_t begin = 0; begin <= text.size();) {
        const size_t end = std::min(text.find(',', begin), text.size());
        const std::string_view part = text.substr(begin, end - begin);
        begin = end + 1;

        const size_t equals = part.find('=');
        if (equals == std::string_view::npos)
            return Error { fmt::format("The placement's part \"{}\" is not understood; {}.", part, remedy(vcpus)) };
        const auto slot = slotOf(part.substr(0, equals), placement);
        if (!slot)
            return slot.error();
        if (**slot)
            return Error { fmt::format(
                "The placement names {} twice; leave one of the two out.", part.substr(0, equals)) };
        const auto cpu = parseCpu(part, part.substr(equals + 1), topology);
        if (!cpu)
            return cpu.error();
        **slot = *cpu;
    }
    return placement;
}

bool allDistinct(std::vector<LogicalCpu> cpus)
{
    std::ranges::sort(cpus);
    return std::ranges::adjacent_find(cpus) == cpus.end();
}

} // namespace

Result<Placement> plan(const Topology& topology, PlacementPolicy policy, unsigned vcpus)
{
    Placement placement { std::nullopt, std::vector<std::optional<LogicalCpu>>(vcpus) };
    if (policy == PlacementPolicy::Free)
        return placement;

    const bool shared = policy == PlacementPolicy::Shared;
    const size_t needed = shared ? vcpus : vcpus + 1;
    const std::vector<LogicalCpu> order = inOrderOfChoice(topology);
    if (order.size() < needed || order.empty())
        return Error { fmt::format("{}({}) needs {} logical CPU{}; {}.", vcpus, shared ? 's' : 'd', needed,
            needed == 1 ? "" : "s", whatThereIs(topology)) };

    placement.vmm = order[0];
    for (size_t vcpu = 0; vcpu < vcpus; ++vcpu)
        placement.vcpus[vcpu] = order[shared ? vcpu : vcpu + 1];
    return placement;
}

Result<Placement> parsePlacement(std::string_view text, const Topology& topology, unsigned vcpus)
{
    if (text == "free")
        return plan(topology, PlacementPolicy::Free, vcpus);
    if (text.find('=') != std::string_view::npos)
        return parseMap(text, topology, vcpus);

    const auto policy = toPolicy(text);
    if (!policy)
        return Error { fmt::format("The placement \"{}\" is not understood; {}.", text, remedy(vcpus)) };
    if (policy->first != vcpus)
        return Error { fmt::format("The placement \"{}\" is for {} vCPU{}, and this VM has {}; {}.", text,
            policy->first, policy->first == 1 ? "" : "s", vcpus, remedy(vcpus)) };
    return plan(topology, policy->second, vcpus);
}

std::string describe(const Placement& placement)
{
    std::vector<LogicalCpu> vcpus;
    for (const auto& cpu : placement.vcpus) {
        if (cpu)
            vcpus.push_back(*cpu);
    }
    if (!placement.vmm && vcpus.empty())
        return "free";

    if (placement.vmm && !vcpus.empty() && vcpus.size() == placement.vcpus.size() && allDistinct(vcpus)) {
        const auto sharing = std::ranges::find(vcpus, *placement.vmm);
        if (sharing == vcpus.begin())
            return fmt::format("{}(s)", vcpus.size());
        if (sharing == vcpus.end())
            return fmt::format("{}(d)", vcpus.size());
    }

    std::string map = placement.vmm ? fmt::format("vmm={}", *placement.vmm) : "";
    for (size_t vcpu = 0; vcpu < placement.vcpus.size(); ++vcpu) {
        if (placement.vcpus[vcpu])
            map += fmt::format("{}vcpu{}={}", map.empty() ? "" : ",", vcpu, *placement.vcpus[vcpu]);
    }
    return map;
}

} // namespace namsan
