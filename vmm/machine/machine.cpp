// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/machine.h"

#include "vmm/firmware/boot_sector.h"
#include "vmm/firmware/linux_boot.h"
#include "vmm/firmware/multiboot.h"
#include "vmm/firmware/rom_boot.h"
#include "vmm/machine/engine_choice.h"
#include "vmm/machine/machine_config_check.h"
#include "vmm/machine/pc_machine.h"

namespace namsan {

namespace {

// Puts what the configuration says into a machine that its firmware has set up.
Result<CpuState> loadGuest(const MachineConfig& config, const PcBoard& pc, GuestMemory& memory)
{
    if (!config.multiboot.empty())
        return loadMultiboot(memory,
            { .kernel = config.multiboot,
                .append = config.append,
                .modules = config.modules,
                .frameBuffer = pc.linearScreen() });
    if (!config.bootSector.empty())
        return loadBootSector(memory, config.bootSector);
    if (!config.bios.empty()) {
        const auto model = chooseCpuModel(config.cpu);
        return model ? loadRom(memory, config.bios, *model) : model.error();
    }
    return loadLinux(memory,
        { .kernel = config.kernel,
            .initrd = config.initrd,
            .append = config.append,
            .unpack = config.unpackKernel,
            .frameBuffer = pc.linearScreen(),
            .acpiRsdp = pc.acpiRootPointer() });
}

} // namespace

Result<std::unique_ptr<Machine>> Machine::create(const MachineConfig& config, MachineListener* listener)
{
    if (auto possible = checkMachineConfig(config); !possible)
        return possible.error();
    auto machine = PcMachine::create(
        config, listener, [config](PcBoard& pc, GuestMemory& memory) { return loadGuest(config, pc, memory); });
    if (!machine)
        return machine.error();
    return std::unique_ptr<Machine>(std::move(*machine));
}

} // namespace namsan
