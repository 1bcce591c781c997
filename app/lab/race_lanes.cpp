// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race_lanes.h"

#include <fmt/format.h>

#include <map>
#include <set>

namespace namsan {

namespace {

std::set<LogicalCpu> cpusIn(const Placement& placement)
{
    std::set<LogicalCpu> cpus;
    if (placement.vmm)
        cpus.insert(*placement.vmm);
    for (const auto& cpu : placement.vcpus) {
        if (cpu)
            cpus.insert(*cpu);
    }
    return cpus;
}

// Whether there are enough CPUs for a lane each; then placements holds them.
bool planApart(Topology host, const std::vector<Column>& lanes, std::vector<Placement>& placements)
{
    for (const Column& lane : lanes) {
        auto placement = plan(host, lane.policy, lane.vcpus);
        if (!placement)
            return false;
        const std::set<LogicalCpu> taken = cpusIn(*placement);
        for (HostCpu& cpu : host.cpus) {
            if (taken.contains(cpu.number))
                cpu.allowed = false;
        }
        placements.push_back(std::move(*placement));
    }
    return true;
}

bool shareCores(const Topology& host, const std::vector<Placement>& placements)
{
    std::map<unsigned, size_t> laneOfCore;
    for (size_t lane = 0; lane < placements.size(); ++lane) {
        for (const LogicalCpu number : cpusIn(placements[lane])) {
            const HostCpu* cpu = host.find(number);
            if (cpu && laneOfCore.try_emplace(cpu->core, lane).first->second != lane)
                return true;
        }
    }
    return false;
}

std::string overlapWarning(const Topology& host, const std::vector<Column>& lanes)
{
    unsigned needed = 0;
    for (const Column& lane : lanes)
        needed += cpusOf(lane);
    return fmt::format("{} lanes need {} host CPUs for themselves and there are {}: at the same time they hinder each "
                       "other, and the figures compare how they share. By turns, each lane has them alone.",
        lanes.size(), needed, host.allowed().size());
}

} // namespace

unsigned cpusOf(const Column& lane)
{
    return lane.vcpus + (lane.policy == PlacementPolicy::Disjoint ? 1 : 0);
}

Result<LanePlan> planLanes(const Topology& host, const std::vector<Column>& lanes)
{
    LanePlan result;
    if (planApart(host, lanes, result.placements)) {
        result.sharingCores = shareCores(host, result.placements);
        if (result.sharingCores)
            result.warning = "Lanes share cores of the host's processor (each lane has its own hardware threads): at "
                             "the same time they slow each other down. By turns, each lane has the cores alone.";
        return result;
    }
    result.placements.clear();
    for (size_t lane = 0; lane < lanes.size(); ++lane) {
        auto placement = plan(host, lanes[lane].policy, lanes[lane].vcpus);
        if (!placement)
            return Error { fmt::format("Lane {} is not possible here: {}.", laneLetter(lane),
                placement.error().message.substr(0, placement.error().message.find_last_not_of('.') + 1)) };
        result.placements.push_back(std::move(*placement));
    }
    result.overlapping = true;
    result.warning = overlapWarning(host, lanes);
    return result;
}

std::string placementMap(const Placement& placement)
{
    std::string map;
    const auto add = [&](const std::string& role, const std::optional<LogicalCpu>& cpu) {
        if (cpu)
            map += fmt::format("{}{}={}", map.empty() ? "" : ",", role, *cpu);
    };
    add("vmm", placement.vmm);
    for (size_t vcpu = 0; vcpu < placement.vcpus.size(); ++vcpu)
        add(fmt::format("vcpu{}", vcpu), placement.vcpus[vcpu]);
    return map.empty() ? "free" : map;
}

char laneLetter(size_t lane)
{
    return static_cast<char>('A' + lane);
}

std::string laneName(size_t lane, const Column& column)
{
    return fmt::format("{} {}", laneLetter(lane), column.name());
}

} // namespace namsan
