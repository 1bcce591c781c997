// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/optional_device.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

std::string refusal(std::string_view text)
{
    const auto device = parseOptionalDevice(text);
    return device ? "it is taken" : device.error().message;
}

} // namespace

TEST(OptionalDevice, ReadsWhatItFormats)
{
    for (const char* text : { "isa-debug-exit", "debugcon", "port402", "debugcon,file=a,b=c d", "port402,file=/x" }) {
        const auto device = parseOptionalDevice(text);
        ASSERT_TRUE(device) << device.error().message;
        EXPECT_EQ(format(*device), text);
    }
    EXPECT_EQ(parseOptionalDevice("debugcon,file=a,b")->file, "a,b");
}

TEST(OptionalDevice, ListsTheKnownOnes)
{
    EXPECT_EQ(refusal("modem"), "There is no optional device \"modem\"; choose isa-debug-exit, debugcon or port402.");
    EXPECT_EQ(refusal(""), "There is no optional device \"\"; choose isa-debug-exit, debugcon or port402.");
    EXPECT_EQ(refusal("isa-debug-exit,iobase=0x501"),
        "The device isa-debug-exit takes no options, and \"iobase=0x501\" was given; it is always at port F4h.");
    EXPECT_EQ(refusal("debugcon,colour"),
        "The device debugcon does not take \"colour\"; write debugcon,file=FILE, or leave it out for the log.");
    EXPECT_EQ(refusal("port402,file="),
        "The device port402 does not take \"file=\"; write port402,file=FILE, or leave it out for the log.");
}

} // namespace namsan
