// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/machine_config_schema.h"

#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/session/soft/soft_engine_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace namsan {

namespace {

constexpr uint64_t kibi = uint64_t { 1 } << 10;
constexpr uint64_t mebi = uint64_t { 1 } << 20;
constexpr uint64_t gibi = uint64_t { 1 } << 30;
constexpr unsigned mostVcpus = 16;

template <class Number> std::optional<Number> toNumber(std::string_view text)
{
    Number number {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc {} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::string formatSize(uint64_t bytes)
{
    if (bytes % gibi == 0)
        return fmt::format("{}G", bytes / gibi);
    if (bytes % mebi == 0)
        return fmt::format("{}M", bytes / mebi);
    return fmt::format("{}K", bytes / kibi);
}

Result<void> parseMemory(MachineConfig& config, std::string_view text)
{
    const Error notASize { fmt::format("The memory size \"{}\" is not understood; "
                                       "write a number and K, M or G, such as 256M or 1G.",
        text) };
    if (text.empty())
        return notASize;
    constexpr std::string_view letters = "KkMmGg";
    constexpr std::array units { kibi, kibi, mebi, mebi, gibi, gibi };
    const size_t letter = letters.find(text.back());
    if (letter == std::string_view::npos)
        return notASize;
    const auto number = toNumber<uint64_t>(text.substr(0, text.size() - 1));
    if (!number)
        return notASize;
    // Compared before multiplying: the product of a large number would wrap around.
    const uint64_t unit = units[letter];
    if (*number > GuestMemory::largest / unit || *number * unit < GuestMemory::smallest
        || *number * unit % GuestMemory::pageSize != 0)
        return Error { fmt::format("The memory size {} is out of range; choose from {} to {} in steps of 4K.", text,
            formatSize(GuestMemory::smallest), formatSize(GuestMemory::largest)) };
    config.memoryBytes = *number * unit;
    return {};
}

Result<void> parseVcpus(MachineConfig& config, std::string_view text)
{
    const auto number = toNumber<unsigned>(text);
    if (!number || *number < 1 || *number > mostVcpus)
        return Error { fmt::format("{} vCPUs are not possible; choose from 1 to {}.", text, mostVcpus) };
    config.vcpus = *number;
    return {};
}

Result<void> parseApic(MachineConfig& config, std::string_view text)
{
    if (text != "several" && text != "always")
        return Error { fmt::format("\"{}\" does not say which machines have APICs; choose several or always.", text) };
    config.apic = text == "always";
    return {};
}

std::string formatApic(const MachineConfig& config)
{
    return config.apic ? "always" : "several";
}

Result<void> parseCpu(MachineConfig& config, std::string_view text)
{
    if (!CpuModel::isName(text))
        return Error { fmt::format("There is no CPU model \"{}\"; choose {}.", text, CpuModel::names()) };
    config.cpu = text;
    return {};
}

Result<void> parseEngine(MachineConfig& config, std::string_view text)
{
    if (text != "auto" && text != "kvm" && !parseSoftEngineName(text))
        return Error { fmt::format(
            "There is no engine \"{}\"; choose auto, soft, soft:interpreter, soft:translator or kvm.", text) };
    config.engine = text;
    return {};
}

Result<void> parseScreen(MachineConfig& config, std::string_view text)
{
    if (text == "text") {
        config.screen = {};
        return {};
    }
    const size_t cross = std::min(text.find('x'), text.size());
    const auto width = toNumber<int>(text.substr(0, cross));
    const auto height = toNumber<int>(text.substr(std::min(cross + 1, text.size())));
    if (!width || !height)
        return Error { fmt::format("The screen \"{}\" is not understood; "
                                   "write text, or width x height in pixels, such as 1024x768.",
            text) };
    if (*width < 320 || *width > 4096 || *height < 200 || *height > 2160)
        return Error { fmt::format("A screen of {} pixels is not possible; choose from 320x200 to 4096x2160.", text) };
    config.screen = { .text = false, .width = *width, .height = *height };
    return {};
}

using Network = NetworkConfig::Kind;
constexpr std::array networks {
    std::pair(Network::None, std::string_view("none")),
    std::pair(Network::Nat, std::string_view("nat")),
    std::pair(Network::Offline, std::string_view("offline")),
};

Result<void> parseNetwork(MachineConfig& config, std::string_view text)
{
    const auto found = std::ranges::find(networks, text, &decltype(networks)::value_type::second);
    if (found == networks.end())
        return Error { fmt::format("There is no network \"{}\"; choose none, nat or offline.", text) };
    config.network.kind = found->first;
    return {};
}

std::string formatNetwork(const MachineConfig& config)
{
    const auto found = std::ranges::find(networks, config.network.kind, &decltype(networks)::value_type::first);
    return std::string(found->second);
}

Result<void> parseHostAccess(MachineConfig& config, std::string_view text)
{
    if (text != "true" && text != "false")
        return Error { fmt::format("\"{}\" is neither true nor false; write one of the two.", text) };
    config.network.hostAccess = text == "true";
    return {};
}

std::string formatScreen(const MachineConfig& config)
{
    return config.screen.text ? "text" : fmt::format("{}x{}", config.screen.width, config.screen.height);
}

template <std::string MachineConfig::*member> Result<void> parseText(MachineConfig& config, std::string_view text)
{
    config.*member = text;
    return {};
}

// Text that must not be empty. What it means, the reader of the value says: a placement depends on the host.
template <std::string MachineConfig::*member> Result<void> parseWord(MachineConfig& config, std::string_view text)
{
    if (text.empty())
        return Error { fmt::format("The {} is empty; leave it out or give it a value.",
            member == &MachineConfig::placement ? "placement" : "name") };
    return parseText<member>(config, text);
}

template <std::string MachineConfig::*member> std::string formatText(const MachineConfig& config)
{
    return config.*member;
}

template <bool MachineConfig::*member> Result<void> parseSwitch(MachineConfig& config, std::string_view text)
{
    if (text != "true" && text != "false")
        return Error { fmt::format("\"{}\" is neither true nor false; write one of the two.", text) };
    config.*member = text == "true";
    return {};
}

template <bool MachineConfig::*member> std::string formatSwitch(const MachineConfig& config)
{
    return config.*member ? "true" : "false";
}

// Calls back with each line that is not empty; ends early with its error.
template <class Callback> Result<void> forEachLine(std::string_view text, Callback callback)
{
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        if (end > 0)
            if (Result<void> taken = callback(text.substr(0, end)); !taken)
                return taken;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

void addLine(std::string& text, std::string_view line)
{
    if (!text.empty())
        text += '\n';
    text += line;
}

Result<void> parseModules(MachineConfig& config, std::string_view text)
{
    std::vector<std::string> modules;
    auto parsed = forEachLine(text, [&](std::string_view line) -> Result<void> {
        if (line.front() == ' ')
            return Error { fmt::format(
                "The module \"{}\" has no file name; write FILE, or \"FILE STRING\" with one space between.", line) };
        modules.emplace_back(line);
        return {};
    });
    if (parsed)
        config.modules = std::move(modules);
    return parsed;
}

std::string formatModules(const MachineConfig& config)
{
    std::string text;
    for (const std::string& module : config.modules)
        addLine(text, module);
    return text;
}

Result<void> parseDevices(MachineConfig& config, std::string_view text)
{
    std::vector<OptionalDevice> devices;
    auto parsed = forEachLine(text, [&](std::string_view line) -> Result<void> {
        auto device = parseOptionalDevice(line);
        if (!device)
            return device.error();
        if (std::ranges::find(devices, device->kind, &OptionalDevice::kind) != devices.end())
            return Error { fmt::format("The device {} is given twice; leave one out.", nameOf(device->kind)) };
        devices.push_back(std::move(*device));
        return {};
    });
    if (parsed)
        config.devices = std::move(devices);
    return parsed;
}

std::string formatDevices(const MachineConfig& config)
{
    std::string text;
    for (const OptionalDevice& device : config.devices)
        addLine(text, format(device));
    return text;
}

Result<void> parseForwards(MachineConfig& config, std::string_view text)
{
    std::vector<PortForward> forwards;
    auto parsed = forEachLine(text, [&](std::string_view line) -> Result<void> {
        const auto forward = parsePortForward(line);
        if (!forward)
            return forward.error();
        const auto same = [&](const PortForward& other) {
            return other.protocol == forward->protocol && other.hostAddress == forward->hostAddress
                && other.hostPort == forward->hostPort;
        };
        if (std::ranges::any_of(forwards, same))
            return Error { fmt::format("The host's port of the forward {} is given twice; leave one out.", line) };
        forwards.push_back(*forward);
        return {};
    });
    if (parsed)
        config.network.forwards = std::move(forwards);
    return parsed;
}

std::string formatForwards(const MachineConfig& config)
{
    std::string text;
    for (const PortForward& forward : config.network.forwards)
        addLine(text, format(forward));
    return text;
}

using Kind = ConfigField::Kind;

constexpr std::array schema {
    ConfigField { Kind::Text, "Name", "name", "--name", "NAME", "", "", "What the machine is called.",
        parseWord<&MachineConfig::name>, formatText<&MachineConfig::name> },
    ConfigField { Kind::File, "Kernel", "kernel", "--kernel", "FILE", "", "a Linux kernel (bzImage)",
        "The Linux kernel to boot.", parseText<&MachineConfig::kernel>, formatText<&MachineConfig::kernel> },
    ConfigField { Kind::File, "Initial RAM disk", "initrd", "--initrd", "FILE", "", "an archive as Linux takes it",
        "The initial RAM disk of that kernel.", parseText<&MachineConfig::initrd>, formatText<&MachineConfig::initrd> },
    ConfigField { Kind::Text, "Kernel command line", "append", "--append", "TEXT", "", "",
        "The kernel's command line; for a guest by name, what is added to its own.", parseText<&MachineConfig::append>,
        formatText<&MachineConfig::append> },
    ConfigField { Kind::File, "Multiboot kernel", "multiboot", "--multiboot", "FILE", "", "a kernel for Multiboot 1",
        "A Multiboot 1 kernel to start instead of a Linux kernel.", parseText<&MachineConfig::multiboot>,
        formatText<&MachineConfig::multiboot> },
    ConfigField { Kind::File, "Modules", "modules", "--module", "FILE", "", "a file, a space, the module's string",
        "A module of that kernel, with its string behind a space: \"FILE STRING\"; may be repeated.", parseModules,
        formatModules, true },
    ConfigField { Kind::File, "ROM", "bios", "--bios", "FILE", "", "64 KiB to 16 MiB in whole 64 KiB",
        "A raw ROM to start instead, mapped to end at 4 GiB.", parseText<&MachineConfig::bios>,
        formatText<&MachineConfig::bios> },
    ConfigField { Kind::File, "Boot sector", "boot_sector", "--boot-sector", "FILE", "",
        "512 bytes with 55 AA at the end",
        "A boot sector to start instead, at 0000:7C00 in real mode, without BIOS services.",
        parseText<&MachineConfig::bootSector>, formatText<&MachineConfig::bootSector> },
    ConfigField { Kind::Text, "Optional devices", "devices", "--device", "DEVICE", "",
        "isa-debug-exit, debugcon[,file=FILE], port402[,file=FILE]",
        "A device for test guests, listed below: isa-debug-exit, debugcon or port402; may be repeated.", parseDevices,
        formatDevices, true },
    ConfigField { Kind::Size, "Memory", "memory", "--memory", "SIZE", "bytes", "1M to 3G",
        "The guest's memory, such as 256M or 1G.", parseMemory,
        [](const MachineConfig& config) { return formatSize(config.memoryBytes); } },
    ConfigField { Kind::Number, "vCPUs", "vcpus", "--vcpus", "N", "", "1 to 16", "How many virtual CPUs the guest has.",
        parseVcpus, [](const MachineConfig& config) { return fmt::format("{}", config.vcpus); } },
    ConfigField { Kind::Choice, "APICs", "apic", "--apic", "WHEN", "", "several, always",
        "Which machines have local APICs and an I/O APIC: those with several vCPUs, or always.", parseApic,
        formatApic },
    ConfigField { Kind::Choice, "CPU model", "cpu", "--cpu", "MODEL", "",
        "486, pentium, p6, pentium-m, p4, core2, host-common",
        "The processor that the guest finds; host-common is all that this host and the engines have in common.",
        parseCpu, formatText<&MachineConfig::cpu> },
    ConfigField { Kind::Choice, "Engine", "engine", "--engine", "ENGINE", "",
        "auto, soft, soft:interpreter, soft:translator, kvm",
        "What runs the guest's instructions; auto measures and takes the fastest.", parseEngine,
        formatText<&MachineConfig::engine> },
    ConfigField { Kind::Text, "Placement", "placement", "--placement", "PLACES", "",
        "free, 1s, 1d, or a map such as vmm=0,vcpu0=1",
        "The VMM's and the vCPUs' host CPUs: free, 1s (together), 1d (apart), or a map: vmm=0,vcpu0=1.",
        parseWord<&MachineConfig::placement>, formatText<&MachineConfig::placement> },
    ConfigField { Kind::Text, "Screen", "screen", "--screen", "SCREEN", "pixels", "text, or 320x200 to 4096x2160",
        "VGA text, or a linear frame buffer of that size.", parseScreen, formatScreen },
    ConfigField { Kind::Choice, "Network", "network", "--network", "NETWORK", "", "none, nat, offline",
        "The guest's network: no card, the host's network by NAT, or a card that reaches nothing.", parseNetwork,
        formatNetwork },
    ConfigField { Kind::Switch, "Host access", "host_access", "--no-host-access", "", "", "true or false",
        "Keep the guest on a NAT from reaching this host itself.", parseHostAccess,
        [](const MachineConfig& config) { return std::string(config.network.hostAccess ? "true" : "false"); } },
    ConfigField { Kind::Text, "Forwarded ports", "forwards", "--forward", "FORWARD", "",
        "tcp or udp:127.0.0.1:PORT:GUESTPORT",
        "Pass connections to a port of the host's loopback on to the guest: tcp:127.0.0.1:PORT:GUESTPORT; may be "
        "repeated.",
        parseForwards, formatForwards, true },
    ConfigField { Kind::Switch, "Unpack the kernel", "unpack", "--no-unpack", "", "", "true or false",
        "Let the guest unpack its kernel itself, the slow way.", parseSwitch<&MachineConfig::unpackKernel>,
        formatSwitch<&MachineConfig::unpackKernel> },
    ConfigField { Kind::Switch, "Reboot", "reboot", "--no-reboot", "", "", "true or false",
        "End the run when the guest resets itself, instead of starting it again.", parseSwitch<&MachineConfig::reboot>,
        formatSwitch<&MachineConfig::reboot> },
};

} // namespace

std::span<const ConfigField> machineConfigSchema()
{
    return schema;
}

const ConfigField* findConfigField(std::string_view key)
{
    const auto found = std::ranges::find(schema, key, &ConfigField::key);
    return found == schema.end() ? nullptr : &*found;
}

} // namespace namsan
