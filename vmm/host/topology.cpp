// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/topology.h"

#include "vmm/host/affinity.h"

#include <fmt/format.h>
#include <hwloc.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace namsan {

namespace {

struct TopologyDeleter {
    void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using HwlocTopology = std::unique_ptr<hwloc_topology, TopologyDeleter>;

unsigned logicalIndexOfAncestor(hwloc_topology_t topology, hwloc_obj_t object, hwloc_obj_type_t type)
{
    const hwloc_obj_t ancestor = hwloc_get_ancestor_obj_by_type(topology, type, object);
    return ancestor ? ancestor->logical_index : 0;
}

unsigned numaNodeOf(hwloc_topology_t topology, hwloc_obj_t processor)
{
    // NUMA nodes hang beside the tree of processors since hwloc 2.0; a CPU's node is the one that covers it.
    hwloc_obj_t node = nullptr;
    while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node))) {
        if (hwloc_bitmap_isset(node->cpuset, processor->os_index))
            return node->os_index;
    }
    return 0;
}

std::string processorName(hwloc_topology_t topology)
{
    const hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
    const char* name = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : nullptr;
    if (!name)
        name = hwloc_obj_get_info_by_name(hwloc_get_root_obj(topology), "CPUModel");
    return name ? name : "unknown processor";
}

HostCpu describeProcessor(hwloc_topology_t topology, hwloc_obj_t processor, const CpuSet& allowed)
{
    const hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, processor);
    return {
        .number = processor->os_index,
        .core = core ? core->logical_index : processor->logical_index,
        .socket = logicalIndexOfAncestor(topology, processor, HWLOC_OBJ_PACKAGE),
        .numaNode = numaNodeOf(topology, processor),
        .allowed = allowed.contains(processor->os_index),
    };
}

} // namespace

const HostCpu* Topology::find(LogicalCpu number) const
{
    const auto found = std::ranges::find(cpus, number, &HostCpu::number);
    return found == cpus.end() ? nullptr : &*found;
}

CpuSet Topology::allowed() const
{
    CpuSet result;
    for (const HostCpu& cpu : cpus) {
        if (cpu.allowed)
            result.insert(cpu.number);
    }
    return result;
}

Result<Topology> readTopology()
{
    const auto allowed = readAllowedCpus();
    if (!allowed)
        return allowed.error();

    hwloc_topology_t raw = nullptr;
    if (hwloc_topology_init(&raw) != 0)
        return Error { "hwloc could not start to read this host's processors: the host is short of memory. "
                       "Close other programs and try again." };
    const HwlocTopology topology(raw);
    // Without this flag hwloc leaves out CPUs that a cgroup forbids; they are shown, greyed, with the reason.
    hwloc_topology_set_flags(topology.get(), HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (hwloc_topology_load(topology.get()) != 0)
        return Error { fmt::format("hwloc could not read this host's processors: {}. "
                                   "It needs /sys and /proc; check that they are mounted.",
            std::strerror(errno)) };

    Topology result { processorName(topology.get()), {} };
    hwloc_obj_t processor = nullptr;
    while ((processor = hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_PU, processor)))
        result.cpus.push_back(describeProcessor(topology.get(), processor, *allowed));
    std::ranges::sort(result.cpus, {}, &HostCpu::number);
    return result;
}

} // namespace namsan
