// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/machine_config_schema.h"

#include "vmm/engine/cpu_model.h"

#include <gtest/gtest.h>

#include <set>

namespace namsan {

namespace {

std::string refusal(std::string_view key, std::string_view text)
{
    MachineConfig config;
    const auto result = findConfigField(key)->parse(config, text);
    EXPECT_FALSE(result) << key << " took " << text;
    EXPECT_EQ(config, MachineConfig {});
    return result ? "" : result.error().message;
}

MachineConfig with(std::string_view key, std::string_view text)
{
    MachineConfig config;
    const auto result = findConfigField(key)->parse(config, text);
    EXPECT_TRUE(result) << result.error().message;
    return config;
}

} // namespace

TEST(MachineConfigSchema, DescribesEachFieldOnce)
{
    std::set<std::string_view> keys, options, labels;
    for (const ConfigField& field : machineConfigSchema()) {
        EXPECT_TRUE(keys.insert(field.key).second) << field.key;
        EXPECT_TRUE(options.insert(field.option).second) << field.option;
        EXPECT_TRUE(labels.insert(field.label).second) << field.label;
        EXPECT_TRUE(field.option.starts_with("--"));
        EXPECT_TRUE(field.help.ends_with("."));
        EXPECT_EQ(field.valueName.empty(), field.kind == ConfigField::Kind::Switch);
    }
    EXPECT_EQ(findConfigField("colour"), nullptr);
}

TEST(MachineConfigSchema, ReadsBackWhatItFormats)
{
    const MachineConfig config { .name = "n",
        .kernel = "/k",
        .initrd = "i",
        .append = "a b",
        .multiboot = "m",
        .modules = { "one two  three", "four" },
        .bios = "b",
        .bootSector = "s",
        .devices = { { OptionalDevice::Kind::DebugExit, "" }, { OptionalDevice::Kind::DebugConsole, "f,g h" } },
        .memoryBytes = 192 << 20,
        .cpu = "p4",
        .engine = "soft",
        .placement = "vmm=0",
        .screen = { false, 800, 600 },
        .network = { NetworkConfig::Kind::Nat, false,
            { { PortForward::Protocol::Udp, { 127, 0, 0, 7 }, 5000, 50 }, { .hostPort = 80, .guestPort = 8080 } } },
        .unpackKernel = false,
        .reboot = false };
    MachineConfig copy;
    for (const ConfigField& field : machineConfigSchema())
        ASSERT_TRUE(field.parse(copy, field.format(config))) << field.key;
    EXPECT_EQ(copy, config);
}

TEST(MachineConfigSchema, ReadsMemorySizes)
{
    EXPECT_EQ(with("memory", "256M").memoryBytes, uint64_t { 256 } << 20);
    EXPECT_EQ(with("memory", "1g").memoryBytes, uint64_t { 1 } << 30);
    EXPECT_EQ(with("memory", "3G").memoryBytes, uint64_t { 3 } << 30);
    EXPECT_EQ(with("memory", "1028K").memoryBytes, uint64_t { 1028 } << 10);
    EXPECT_EQ(findConfigField("memory")->defaultText(), "256M");
    EXPECT_EQ(findConfigField("memory")->format(with("memory", "1028K")), "1028K");
}

TEST(MachineConfigSchema, SaysWhyAMemorySizeDoesNotDo)
{
    EXPECT_EQ(refusal("memory", "256"),
        "The memory size \"256\" is not understood; write a number and K, M or G, such as 256M or 1G.");
    EXPECT_EQ(refusal("memory", "4G"), "The memory size 4G is out of range; choose from 1M to 3G in steps of 4K.");
    for (const char* text : { "", "M", "-1M", "+1M", " 1M", "1MB", "0M", "0x10M", "1.5G", "1K", "1027K", "3073M",
             "17592186044416M", "18446744073709551615G", "99999999999999999999999M" })
        EXPECT_FALSE(refusal("memory", text).empty()) << text;
}

TEST(MachineConfigSchema, ReadsScreens)
{
    EXPECT_EQ(with("screen", "1024x768").screen, (ScreenConfig { false, 1024, 768 }));
    EXPECT_EQ(with("screen", "text").screen, ScreenConfig {});
    EXPECT_EQ(refusal("screen", "huge"),
        "The screen \"huge\" is not understood; write text, or width x height in pixels, such as 1024x768.");
    EXPECT_EQ(
        refusal("screen", "100x100"), "A screen of 100x100 pixels is not possible; choose from 320x200 to 4096x2160.");
    for (const char* text : { "", "x", "800x", "x600", "800x600x24", "-800x600", "800 x 600", "99999999999x600" })
        EXPECT_FALSE(refusal("screen", text).empty()) << text;
}

TEST(MachineConfigSchema, KnowsTheCpuModels)
{
    EXPECT_EQ(MachineConfig {}.cpu, CpuModel::standard().name());
    for (const CpuModel& model : CpuModel::byGeneration())
        EXPECT_EQ(with("cpu", model.name()).cpu, model.name());
    EXPECT_EQ(with("cpu", "host-common").cpu, "host-common");
    EXPECT_EQ(refusal("cpu", "z80"),
        "There is no CPU model \"z80\"; choose 486, pentium, p6, pentium-m, p4, core2, host-common.");
    EXPECT_EQ(findConfigField("cpu")->range, CpuModel::names());
}

TEST(MachineConfigSchema, KnowsItsEnginesAndLimits)
{
    EXPECT_EQ(with("engine", "soft:interpreter").engine, "soft:interpreter");
    EXPECT_EQ(with("engine", "kvm").engine, "kvm");
    EXPECT_EQ(with("engine", "soft:lockstep").engine, "soft:lockstep");
    EXPECT_EQ(
        with("engine", "soft:translator,memory=flat,bases=unkept").engine, "soft:translator,memory=flat,bases=unkept");
    EXPECT_EQ(refusal("engine", "xen"),
        "There is no engine \"xen\"; choose auto, soft, soft:interpreter, soft:translator or kvm.");
    EXPECT_EQ(with("vcpus", "16").vcpus, 16u);
    EXPECT_TRUE(with("apic", "always").apic);
    EXPECT_EQ(refusal("apic", "never"), "\"never\" does not say which machines have APICs; choose several or always.");
    EXPECT_EQ(refusal("vcpus", "17"), "17 vCPUs are not possible; choose from 1 to 16.");
    EXPECT_EQ(refusal("vcpus", "0"), "0 vCPUs are not possible; choose from 1 to 16.");
    EXPECT_EQ(refusal("placement", ""), "The placement is empty; leave it out or give it a value.");
    EXPECT_EQ(refusal("reboot", "yes"), "\"yes\" is neither true nor false; write one of the two.");
    EXPECT_FALSE(with("unpack", "false").unpackKernel);
}

TEST(MachineConfigSchema, ReadsNetworks)
{
    EXPECT_EQ(MachineConfig {}.network.kind, NetworkConfig::Kind::None);
    EXPECT_EQ(with("network", "nat").network.kind, NetworkConfig::Kind::Nat);
    EXPECT_EQ(with("network", "offline").network.kind, NetworkConfig::Kind::Offline);
    EXPECT_EQ(refusal("network", "wifi"), "There is no network \"wifi\"; choose none, nat or offline.");
    EXPECT_FALSE(with("host_access", "false").network.hostAccess);
    EXPECT_EQ(with("forwards", "tcp:127.0.0.1:8080:80\nudp:127.0.0.1:8080:80").network.forwards.size(), 2u);
    EXPECT_EQ(refusal("forwards", "tcp:127.0.0.1:8080:80\ntcp:127.0.0.1:8080:81"),
        "The host's port of the forward tcp:127.0.0.1:8080:81 is given twice; leave one out.");
    EXPECT_EQ(refusal("forwards", "tcp:0.0.0.0:8080:80"),
        "The forward \"tcp:0.0.0.0:8080:80\" listens on \"0.0.0.0\", and only the host's loopback is allowed; write "
        "127.0.0.1 there.");
}

TEST(MachineConfigSchema, ReadsListsOneValueALine)
{
    EXPECT_EQ(with("modules", "a b\nc\n").modules, (std::vector<std::string> { "a b", "c" }));
    EXPECT_EQ(findConfigField("devices")->defaultText(), "");
    EXPECT_EQ(refusal("devices", "debugcon\nmodem"),
        "There is no optional device \"modem\"; choose isa-debug-exit, debugcon or port402.");
    EXPECT_EQ(refusal("devices", "debugcon\ndebugcon,file=x"), "The device debugcon is given twice; leave one out.");
    EXPECT_EQ(refusal("modules", " text"),
        "The module \" text\" has no file name; write FILE, or \"FILE STRING\" with one space between.");
    for (const ConfigField& field : machineConfigSchema())
        EXPECT_TRUE(!field.repeatable || field.defaultText().empty()) << field.key;
}

} // namespace namsan
