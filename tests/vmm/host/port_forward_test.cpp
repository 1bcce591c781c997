// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/port_forward.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(PortForward, IsReadAndWrittenAlike)
{
    for (const char* text : { "tcp:127.0.0.1:8080:80", "udp:127.1.2.3:1:65535", "tcp:127.0.0.1:65535:1" }) {
        const auto forward = parsePortForward(text);
        ASSERT_TRUE(forward.ok()) << text;
        EXPECT_EQ(format(*forward), text);
    }
    const auto forward = parsePortForward("udp:127.0.0.9:5353:53");
    ASSERT_TRUE(forward.ok());
    EXPECT_EQ(forward->protocol, PortForward::Protocol::Udp);
    EXPECT_EQ(forward->hostAddress, (std::array<uint8_t, 4> { 127, 0, 0, 9 }));
    EXPECT_EQ(forward->hostPort, 5353);
    EXPECT_EQ(forward->guestPort, 53);
}

TEST(PortForward, ListensOnTheLoopbackOnly)
{
    for (const char* address : { "0.0.0.0", "192.168.1.1", "10.0.2.2", "", "localhost", "128.0.0.1", "127.0.0",
             "127.0.0.256", "127.0.0.1.1", "127.0.0.-1" }) {
        const auto forward = parsePortForward(std::string("tcp:") + address + ":8080:80");
        ASSERT_FALSE(forward.ok()) << address;
        EXPECT_NE(forward.error().message.find("127.0.0.1"), std::string::npos) << forward.error().message;
    }
}

TEST(PortForward, RefusesWhatIsNoForward)
{
    for (const char* text : { "", "tcp", "tcp:127.0.0.1:80", "icmp:127.0.0.1:80:80", "tcp:127.0.0.1:80:80:80",
             "tcp:127.0.0.1:0:80", "tcp:127.0.0.1:80:0", "tcp:127.0.0.1:65536:80", "tcp:127.0.0.1:80:http",
             "tcp:127.0.0.1::80", "tcp:127.0.0.1:80: 80", "TCP:127.0.0.1:80:80" })
        EXPECT_FALSE(parsePortForward(text).ok()) << text;
    EXPECT_NE(parsePortForward("tcp:127.0.0.1:80:99999").error().message.find("99999"), std::string::npos);
}

} // namespace namsan
