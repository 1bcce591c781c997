// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/commands/program.h"
#include "vmm/session/kvm/kvm_device.h"

namespace CLI {
class App;
}

namespace namsan {

// "namsan doctor": what this host offers to virtual machines, and what is missing.
class DoctorCommand {
public:
    // Adds itself; lives as long as the parser is used.
    explicit DoctorCommand(CLI::App& parser, KvmAccess kvm = KvmAccess::at());

    bool chosen() const;
    ExitCode execute(const Program&) const;

private:
    KvmAccess m_kvm;
    CLI::App* m_command;
};

} // namespace namsan
