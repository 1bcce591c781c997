// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/machine_config_check.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

std::string refusal(const MachineConfig& config)
{
    const auto possible = checkMachineConfig(config);
    return possible ? "" : possible.error().message;
}

} // namespace

TEST(MachineConfigCheck, TakesOneThingToStart)
{
    EXPECT_EQ(refusal({ .kernel = "k", .initrd = "i", .append = "a" }), "");
    EXPECT_EQ(refusal({ .append = "a", .multiboot = "k", .modules = { "m" } }), "");
    EXPECT_EQ(refusal({ .bios = "b" }), "");
    EXPECT_EQ(refusal({ .bootSector = "s" }), "");
    EXPECT_EQ(refusal({}), "There is nothing to run; name a guest, such as tiny, or a kernel with --kernel FILE.");
    EXPECT_EQ(refusal({ .kernel = "k", .multiboot = "m" }),
        "A machine starts one thing, and this one was given a Linux kernel (k) and a Multiboot kernel (m); leave out "
        "all but one.");
    EXPECT_EQ(refusal({ .bios = "b", .bootSector = "s" }),
        "A machine starts one thing, and this one was given a ROM (b) and a boot sector (s); leave out all but one.");
}

TEST(MachineConfigCheck, RefusesWhatWouldHaveNoEffect)
{
    EXPECT_EQ(refusal({ .kernel = "k", .modules = { "m x" } }),
        "The module m x goes with a Multiboot kernel, and the machine starts a Linux kernel; give it one with "
        "--multiboot FILE, or the file as --initrd.");
    EXPECT_EQ(refusal({ .modules = { "m" }, .bios = "b" }),
        "The module m goes with a Multiboot kernel, and the machine starts a ROM; give it one with --multiboot FILE.");
    EXPECT_EQ(refusal({ .initrd = "i", .multiboot = "k" }),
        "The initrd i goes with a Linux kernel, and the machine starts a Multiboot kernel; give it as --module.");
    EXPECT_EQ(refusal({ .initrd = "i", .bios = "b" }),
        "The initrd i goes with a Linux kernel, and the machine starts a ROM; leave it out.");
    EXPECT_EQ(refusal({ .append = "a", .bootSector = "s" }),
        "The command line \"a\" goes with a kernel, and the machine starts a boot sector; leave out --append.");
    const std::vector<PortForward> forwards { { .hostPort = 8080, .guestPort = 80 } };
    EXPECT_EQ(refusal({ .kernel = "k", .network = { .forwards = forwards } }),
        "The forward tcp:127.0.0.1:8080:80 leads to a machine without a network card; add --network nat.");
    EXPECT_EQ(
        refusal({ .kernel = "k", .network = { .kind = NetworkConfig::Kind::Offline, .forwards = forwards } }), "");
}

} // namespace namsan
