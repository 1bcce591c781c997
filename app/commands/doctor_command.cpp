// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/doctor_command.h"

#include "app/library/guest_cache.h"
#include "vmm/engine/translate/memory_form_choice.h"
#include "vmm/engine/translate/translator.h"
#include "vmm/host/affinity.h"
#include "vmm/host/placement.h"
#include "vmm/machine/engine_choice.h"
#include "vmm/session/engine_probe.h"

#include <CLI/CLI.hpp>
#include <QtGlobal>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

namespace namsan {

namespace {

// One line of the report: what it is about, then what there is to say.
void line(std::ostream& output, std::string_view about, std::string_view text)
{
    fmt::print(output, "{:<12} {}\n", about, text);
}

std::string counted(size_t count, std::string_view one, std::string_view many)
{
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

void tellVersions(std::ostream& output)
{
    utsname host {};
    uname(&host);
    line(output, "Namsan", NAMSAN_VERSION);
    line(output, "Qt", qVersion());
    line(output, "Host", fmt::format("{} {}, {}", host.sysname, host.release, host.machine));
}

void tellProcessors(std::ostream& output, const Topology& topology)
{
    std::set<unsigned> cores, sockets, nodes;
    for (const HostCpu& cpu : topology.cpus) {
        cores.insert(cpu.core);
        sockets.insert(cpu.socket);
        nodes.insert(cpu.numaNode);
    }
    line(output, "Processor", topology.processorName);
    line(output, "CPUs",
        fmt::format("{} on {}, {}, {}", counted(topology.cpus.size(), "logical CPU", "logical CPUs"),
            counted(cores.size(), "core", "cores"), counted(sockets.size(), "socket", "sockets"),
            counted(nodes.size(), "NUMA node", "NUMA nodes")));
    line(output, "Allowed", fmt::format("CPUs {} (sched_getaffinity)", describe(topology.allowed())));
    for (const HostCpu& cpu : topology.cpus)
        line(output, "",
            fmt::format("CPU {}: core {}, socket {}, NUMA node {}{}", cpu.number, cpu.core, cpu.socket, cpu.numaNode,
                cpu.allowed ? "" : ", not allowed to this process"));
}

void tellPlacements(std::ostream& output, const Topology& topology)
{
    for (const auto& [name, policy] :
        { std::pair("1(s)", PlacementPolicy::Shared), std::pair("1(d)", PlacementPolicy::Disjoint) }) {
        const auto placement = plan(topology, policy, 1);
        line(output, "Placement",
            placement ? fmt::format("{}: VMM on CPU {}, vCPU 0 on CPU {}", name, *placement->vmm, *placement->vcpus[0])
                      : fmt::format("{} is not possible: {}", name, placement.error().message));
    }
}

void tellEngines(std::ostream& output, const KvmAccess& kvm)
{
    const EngineProbe probe = probeEngines(kvm);
    line(output, "Engine", fmt::format("auto chooses {}: {}", probe.kvmIsBetter() ? "kvm" : "soft", probe.reason()));
    line(output, "Engine",
        fmt::format(
            "soft runs IA-32 in software and needs nothing of the host's kernel: {:.0f} MIPS here", probe.softMips));
    const auto translates = Translator::isPossible();
    line(output, "Engine",
        translates ? fmt::format("soft translates what is hot. {}", chooseMemoryForm(MemoryFormWish::Best).reason)
                   : fmt::format("soft interprets everything (soft:interpreter): {}", translates.error().message));
    line(output, "Engine", fmt::format("kvm: {}", probe.kvmSentence()));
}

// Which engine serves it here.
std::string serviceOf(const CpuModel& model, const Result<KvmDevice>& kvm)
{
    const auto soft = softCanServe(model);
    const auto hardware = kvm ? kvm->canServe(model) : Result<void>(kvm.error());
    if (soft && hardware)
        return "on soft and kvm";
    if (soft)
        return kvm ? "on soft; " + hardware.error().message : "on soft";
    return (hardware ? "on kvm; " : "on no engine; ") + soft.error().message;
}

void tellCpuModels(std::ostream& output, const KvmAccess& access)
{
    const auto kvm = KvmDevice::open(access);
    for (const CpuModel& model : CpuModel::byGeneration())
        line(output, "CPU model", fmt::format("{}: {}; {}", model.name(), model.summary(), serviceOf(model, kvm)));
    if (const auto common = chooseCpuModel(CpuModel::hostCommonName, access))
        line(output, "CPU model",
            fmt::format("{}: {}; {}; {}", common->name(), common->summary(), namesOf(common->features()),
                serviceOf(*common, kvm)));
}

void tellMemory(std::ostream& output)
{
    struct sysinfo memory { };
    if (sysinfo(&memory) != 0)
        return;
    constexpr double gibi = 1024.0 * 1024 * 1024;
    line(output, "Memory",
        fmt::format("{:.1f} GiB, {:.1f} GiB of them free",
            static_cast<double>(memory.totalram) * memory.mem_unit / gibi,
            static_cast<double>(memory.freeram) * memory.mem_unit / gibi));
}

void tellGuests(std::ostream& output, const GuestCache& guests)
{
    line(output, "Guests", guests.folder().string());
    for (const std::string& name : guests.names()) {
        const auto guest = guests.find(name);
        line(output, "", guest ? fmt::format("{}: {}", name, guest->title) : guest.error().message);
    }
    if (const auto names = guests.names(); std::ranges::find(names, "tiny") == names.end())
        line(output, "", guests.find("tiny").error().message);
}

} // namespace

DoctorCommand::DoctorCommand(CLI::App& parser, KvmAccess kvm)
    : m_kvm(std::move(kvm))
    , m_command(parser.add_subcommand("doctor", "Tell what this host offers to virtual machines, and what is missing."))
{
}

bool DoctorCommand::chosen() const
{
    return m_command->parsed();
}

ExitCode DoctorCommand::execute(const Program& program) const
{
    tellVersions(program.output);
    const auto topology = readTopology();
    if (topology) {
        tellProcessors(program.output, *topology);
        tellPlacements(program.output, *topology);
    } else {
        line(program.output, "CPUs", topology.error().message);
    }
    tellEngines(program.output, m_kvm);
    tellCpuModels(program.output, m_kvm);
    tellMemory(program.output);
    tellGuests(program.output, GuestCache(GuestCache::defaultFolder()));
    return ExitCode::Success;
}

} // namespace namsan
