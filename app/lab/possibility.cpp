// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/possibility.h"

#include "app/lab/guest_launch.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/machine/machine_config_schema.h"
#include "vmm/session/kvm/kvm_device.h"

#include <fmt/format.h>

namespace namsan {

namespace {

Result<void> engineWorks(const std::string& engine)
{
    if (engine == yardstick) {
        const auto version = qemuVersion();
        return version ? Result<void> {} : version.error();
    }
    if (engine == "kvm") {
        const auto kvm = KvmDevice::open();
        return kvm ? Result<void> {} : kvm.error();
    }
    return {};
}

Result<void> servesVcpus(const std::string& engine, unsigned vcpus)
{
    if (engine == yardstick)
        return {};
    MachineConfig config;
    if (auto possible = findConfigField("vcpus")->parse(config, fmt::format("{}", vcpus)); !possible)
        return possible;
    if (engine != "kvm")
        return {};
    const auto kvm = KvmDevice::open();
    return kvm ? kvm->canServe(CpuModel::standard().withLocalApic(), vcpus) : kvm.error();
}

} // namespace

HostAbilities HostAbilities::ofThisHost()
{
    return { engineWorks, servesVcpus };
}

Result<void> checkEngineName(const std::string& engine)
{
    if (engine == yardstick)
        return {};
    if (engine == "auto")
        return Error { "The engine auto may choose another one at each start, so it can't be measured; name one: soft, "
                       "kvm, or qemu for the yardstick." };
    MachineConfig config;
    if (!findConfigField("engine")->parse(config, engine))
        return Error { fmt::format("There is no engine \"{}\"; choose soft, soft:interpreter, soft:translator, kvm, or "
                                   "qemu for the yardstick.",
            engine) };
    return {};
}

std::map<CellPlace, std::string> impossibleCells(
    const ExperimentSettings& settings, const Topology& host, const HostAbilities& abilities)
{
    std::map<CellPlace, std::string> reasons;
    for (size_t engine = 0; engine < settings.engines.size(); ++engine) {
        const auto works = abilities.engine(settings.engines[engine]);
        for (size_t column = 0; column < settings.columns.size(); ++column) {
            const Column& wanted = settings.columns[column];
            const auto placement = plan(host, wanted.policy, wanted.vcpus);
            const auto served = abilities.vcpus(settings.engines[engine], wanted.vcpus);
            if (!works)
                reasons[{ engine, column }] = works.error().message;
            else if (!placement)
                reasons[{ engine, column }] = placement.error().message;
            else if (!served)
                reasons[{ engine, column }] = served.error().message;
        }
    }
    return reasons;
}

} // namespace namsan
