// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/machine_config_check.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

namespace namsan {

namespace {

struct Start {
    std::string MachineConfig::*file;
    std::string_view what;
    std::string_view option;
};

constexpr std::array starts {
    Start { &MachineConfig::kernel, "a Linux kernel", "--kernel" },
    Start { &MachineConfig::multiboot, "a Multiboot kernel", "--multiboot" },
    Start { &MachineConfig::bios, "a ROM", "--bios" },
    Start { &MachineConfig::bootSector, "a boot sector", "--boot-sector" },
};

} // namespace

Result<void> checkMachineConfig(const MachineConfig& config)
{
    std::vector<const Start*> chosen;
    for (const Start& start : starts) {
        if (!(config.*start.file).empty())
            chosen.push_back(&start);
    }
    if (chosen.empty())
        return Error { "There is nothing to run; name a guest, such as tiny, or a kernel with --kernel FILE." };
    const Start& first = *chosen.front();
    if (chosen.size() > 1)
        return Error { fmt::format("A machine starts one thing, and this one was given {} ({}) and {} ({}); leave out "
                                   "all but one.",
            first.what, config.*first.file, chosen[1]->what, config.*chosen[1]->file) };

    const bool linux = first.file == &MachineConfig::kernel;
    const bool multiboot = first.file == &MachineConfig::multiboot;
    if (!config.modules.empty() && !multiboot)
        return Error { fmt::format("The module {} goes with a Multiboot kernel, and the machine starts {}; give it one "
                                   "with --multiboot FILE{}.",
            config.modules.front(), first.what, linux ? ", or the file as --initrd" : "") };
    if (!config.initrd.empty() && !linux)
        return Error { fmt::format("The initrd {} goes with a Linux kernel, and the machine starts {}; {}.",
            config.initrd, first.what, multiboot ? "give it as --module" : "leave it out") };
    if (!config.append.empty() && !linux && !multiboot)
        return Error { fmt::format("The command line \"{}\" goes with a kernel, and the machine starts {}; leave out "
                                   "--append.",
            config.append, first.what) };
    if (!config.network.forwards.empty() && config.network.kind == NetworkConfig::Kind::None)
        return Error { fmt::format("The forward {} leads to a machine without a network card; add --network nat.",
            format(config.network.forwards.front())) };
    return {};
}

} // namespace namsan
