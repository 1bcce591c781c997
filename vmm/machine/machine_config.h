// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/host/port_forward.h"
#include "vmm/machine/optional_device.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace namsan {

// The screen that the guest finds: VGA text, or a linear frame buffer of a fixed size with 32 bits per pixel, described
// to Linux by screen_info. Linux uses one or the other.
struct ScreenConfig {
    bool text = true;
    int width = 0; // pixels, of the linear frame buffer: 320 to 4096
    int height = 0; // 200 to 2160

    bool operator==(const ScreenConfig&) const = default;
};

// What the guest's network card is connected to.
struct NetworkConfig {
    enum class Kind {
        None, // there is no card
        Nat, // the host's network, by address translation: the guest is 10.0.2.15, the host's loopback 10.0.2.2
        Offline, // the same card and addresses, but nothing outside can be reached
    };

    Kind kind = Kind::None;
    bool hostAccess = true; // of NAT: whether the guest reaches the host itself
    std::vector<PortForward> forwards = {}; // into the guest

    bool operator==(const NetworkConfig&) const = default;
};

// Everything that defines a VM. machine_config_schema.h describes each field for files, command line and editor.
struct MachineConfig {
    std::string name = "machine";
    // What the machine starts: exactly one of kernel, multiboot, bios and bootSector is a path.
    std::string kernel = {}; // path of a Linux kernel (bzImage)
    std::string initrd = {}; // path, or empty for none
    std::string append = {}; // kernel command line
    std::string multiboot = {}; // path of a Multiboot kernel
    std::vector<std::string> modules = {}; // of that kernel: path, a space, the module's string
    std::string bios = {}; // path of a ROM's image
    std::string bootSector = {}; // path of a boot sector
    std::vector<OptionalDevice> devices = {}; // each kind at most once
    uint64_t memoryBytes = uint64_t { 256 } << 20;
    unsigned vcpus = 1;
    bool apic = false; // APICs for a single vCPU, too: several always have them
    std::string cpu = "pentium-m"; // a CPU model (cpu_model.h)
    std::string engine = "auto"; // auto, soft, soft:interpreter, soft:translator, kvm
    std::string placement = "free"; // as parsePlacement() takes it
    ScreenConfig screen = {};
    NetworkConfig network = {};
    bool unpackKernel = true; // unpack the kernel's payload on the host and enter its ELF image
    bool reboot = true; // a reset by the guest starts it again; otherwise it ends the run

    bool operator==(const MachineConfig&) const = default;
};

} // namespace namsan
