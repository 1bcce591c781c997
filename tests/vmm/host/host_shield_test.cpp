// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/host_shield.h"

#include "tests/support/network_frames.h"

#include <gtest/gtest.h>

namespace namsan {

class HostShieldTest : public ::testing::Test {
protected:
    static constexpr HostShield::Ipv4 guest { 10, 0, 2, 15 };
    static constexpr HostShield::Ipv4 nameServer { 10, 0, 2, 3 };

    std::set<HostShield::Ipv4> addresses { { 192, 168, 1, 5 } };
    int asked = 0;
    HostShield shield { nameServer, [this] {
                           ++asked;
                           return addresses;
                       } };
    HostShield::Clock::time_point now = HostShield::Clock::now();

    bool lets(const HostShield::Ipv4& to, uint16_t port = 80)
    {
        return shield.lets(frames::udpFrame(guest, 1000, to, port, {}), now);
    }
};

TEST_F(HostShieldTest, LetsTheWorldPass)
{
    EXPECT_TRUE(lets({ 93, 184, 216, 34 }));
    EXPECT_TRUE(lets({ 192, 168, 1, 6 })); // a neighbour
    EXPECT_TRUE(lets({ 10, 0, 2, 2 })); // libslirp's own business
    EXPECT_TRUE(shield.lets(frames::arpRequest(guest, nameServer), now));
}

TEST_F(HostShieldTest, StopsEveryWayToTheHost)
{
    EXPECT_FALSE(lets({ 192, 168, 1, 5 }));
    EXPECT_FALSE(lets({ 127, 0, 0, 1 }));
    EXPECT_FALSE(lets({ 127, 9, 9, 9 }));
    EXPECT_FALSE(lets({ 0, 0, 0, 0 }));
    EXPECT_FALSE(lets({ 224, 0, 0, 251 }));
    EXPECT_TRUE(lets({ 255, 255, 255, 255 })); // DHCP; libslirp connects it to nothing
}

TEST_F(HostShieldTest, LetsDomainQueriesPassToTheNameServer)
{
    EXPECT_TRUE(lets(nameServer, 53));
    EXPECT_FALSE(lets(nameServer, 22));
    auto fragment = frames::udpFrame(guest, 1000, nameServer, 53, {});
    fragment[21] = 1; // its offset: the port is somewhere else
    EXPECT_FALSE(shield.lets(fragment, now));
    auto longHeader = frames::udpFrame(guest, 1000, nameServer, 53, {});
    longHeader[14] = 0x4f; // the port would be behind the end
    EXPECT_FALSE(shield.lets(longHeader, now));
    auto otherProtocol = frames::udpFrame(guest, 1000, nameServer, 53, {});
    otherProtocol[23] = 1;
    EXPECT_FALSE(shield.lets(otherProtocol, now));
}

TEST_F(HostShieldTest, StopsTruncatedPackets)
{
    auto frame = frames::udpFrame(guest, 1000, { 127, 0, 0, 1 }, 80, {});
    for (size_t size = 14; size < 34; ++size) {
        frame.resize(size);
        EXPECT_FALSE(shield.lets(frame, now)) << size;
    }
}

TEST_F(HostShieldTest, LearnsOfNewAddresses)
{
    addresses.insert({ 172, 17, 0, 1 });
    EXPECT_TRUE(lets({ 172, 17, 0, 1 }));
    EXPECT_EQ(asked, 1);
    now += std::chrono::seconds(5);
    EXPECT_FALSE(lets({ 172, 17, 0, 1 }));
    EXPECT_EQ(asked, 2);
}

TEST_F(HostShieldTest, FindsThisHostsLoopback)
{
    EXPECT_TRUE(HostShield::addressesOfThisHost().contains({ 127, 0, 0, 1 }));
}

} // namespace namsan
