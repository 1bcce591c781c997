// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/race_setup.h"

#include "app/lab/possibility.h"
#include "app/lab/workload.h"

#include <fmt/format.h>

namespace namsan {

namespace {

Result<void> checkEngine(const RaceSettings& settings)
{
    if (auto known = checkEngineName(settings.engine); !known)
        return known;
    if (settings.engine == yardstick)
        return Error {
            "QEMU is no engine of Namsan's, so it can't be held at the start; choose soft or kvm, or measure "
            "it by an experiment."
        };
    const HostAbilities abilities = HostAbilities::ofThisHost();
    if (auto works = abilities.engine(settings.engine); !works)
        return works;
    for (const Column& lane : settings.lanes) {
        if (auto served = abilities.vcpus(settings.engine, lane.vcpus); !served)
            return served;
    }
    return {};
}

} // namespace

Result<RaceSetup> prepareRace(const RaceSettings& settings, const Topology& host, const GuestCache& guests,
    const MachineFactory& factory, std::filesystem::path lockFolder)
{
    if (auto sound = checkRace(settings); !sound)
        return sound.error();
    const auto workload = findWorkload(settings.workload);
    if (!workload)
        return workload.error();
    const auto size = workload->size(settings.size);
    if (!size)
        return size.error();
    if (auto possible = checkEngine(settings); !possible)
        return possible.error();
    auto plan = planLanes(host, settings.lanes);
    if (!plan)
        return plan.error();

    RaceSetup setup { settings, host, std::move(*plan), {}, size->limit, factory, std::move(lockFolder) };
    for (size_t lane = 0; lane < settings.lanes.size(); ++lane) {
        auto config = configFor(*workload, *size, settings.lanes[lane].vcpus, guests);
        if (!config)
            return config.error();
        config->name = fmt::format("{} {}", config->name, laneLetter(lane));
        config->engine = settings.engine;
        config->placement = placementMap(setup.plan.placements[lane]);
        setup.machines.push_back(std::move(*config));
    }
    return setup;
}

} // namespace namsan
