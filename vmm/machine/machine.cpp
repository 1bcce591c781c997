// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/machine.h"

#include "vmm/firmware/linux_boot.h"
#include "vmm/machine/pc_machine.h"

namespace namsan {

Result<std::unique_ptr<Machine>> Machine::create(const MachineConfig& config, MachineListener* listener)
{
    auto loadKernel = [config](PcBoard& pc, GuestMemory& memory) {
        return loadLinux(memory,
            { .kernel = config.kernel,
                .initrd = config.initrd,
                .append = config.append,
                .unpack = config.unpackKernel,
                .frameBuffer = pc.linearScreen(),
                .acpiRsdp = pc.acpiRootPointer() });
    };
    auto machine = PcMachine::create(config, listener, loadKernel);
    if (!machine)
        return machine.error();
    return std::unique_ptr<Machine>(std::move(*machine));
}

} // namespace namsan
