// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/nat_network.h"

#include "tests/support/network_frames.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <functional>
#include <mutex>
#include <random>
#include <sys/socket.h>

namespace namsan {

namespace {

using namespace std::chrono_literals;
using frames::Bytes;
using frames::Ipv4;
using frames::Segment;

constexpr auto longEnough = 20s; // for what takes milliseconds

// A socket of the host on its loopback, at a port that the kernel chose.
class HostSocket {
public:
    explicit HostSocket(int type)
        : m_socket(socket(AF_INET, type | SOCK_CLOEXEC, 0))
    {
        timeval limit { longEnough.count(), 0 };
        setsockopt(m_socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        sockaddr_in address = at(0);
        EXPECT_EQ(bind(m_socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        if (type == SOCK_STREAM) {
            EXPECT_EQ(listen(m_socket.number(), 4), 0);
        }
        socklen_t size = sizeof address;
        getsockname(m_socket.number(), reinterpret_cast<sockaddr*>(&address), &size);
        m_port = ntohs(address.sin_port);
    }
    uint16_t port() const { return m_port; }
    int number() const { return m_socket.number(); }

    static sockaddr_in at(uint16_t port)
    {
        sockaddr_in address {};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }

private:
    FileDescriptor m_socket;
    uint16_t m_port = 0;
};

// A port of the loopback that nobody has at this moment.
uint16_t freePort(int type)
{
    return HostSocket(type).port();
}

Bytes bytesOf(std::string_view text)
{
    return Bytes(text.begin(), text.end());
}

} // namespace

// The guest's end of the cable.
class NatNetworkTest : public ::testing::Test {
protected:
    static constexpr Ipv4 guest = nat::guest;
    static constexpr Ipv4 host = nat::host;

    std::unique_ptr<NatNetwork> network;
    std::mutex mutex;
    std::condition_variable news;
    bool framesWait = false;

    void TearDown() override { network.reset(); }

    void open(const NatOptions& options = {})
    {
        auto created = NatNetwork::create(options);
        ASSERT_TRUE(created.ok()) << created.error().message;
        network = std::move(*created);
        network->start([] {},
            [this] {
                const std::lock_guard guard(mutex);
                framesWait = true;
                news.notify_all();
            });
    }
    void send(NetworkFrame frame) { EXPECT_TRUE(network->transmit(std::move(frame))); }

    // The next frame for the guest that is what is looked for; others are passed over, ARP requests are answered.
    template <class Wanted> Wanted await(const std::function<std::optional<Wanted>(const NetworkFrame&)>& look)
    {
        const auto deadline = std::chrono::steady_clock::now() + longEnough;
        while (std::chrono::steady_clock::now() < deadline) {
            NetworkFrame frame;
            if (network->receive(frame)) {
                if (auto wanted = look(frame))
                    return *wanted;
                answerArp(frame);
                continue;
            }
            std::unique_lock lock(mutex);
            news.wait_until(lock, deadline, [this] { return framesWait; });
            framesWait = false;
        }
        ADD_FAILURE() << "nothing came";
        return {};
    }
    void answerArp(const NetworkFrame& frame)
    {
        if (frames::word(frame, 12) != 0x0806 || frames::word(frame, 20) != 1)
            return;
        Bytes bytes { 0, 1, 8, 0, 6, 4, 0, 2 };
        frames::add(bytes, frames::guestMac);
        frames::add(bytes, guest);
        frames::add(bytes, std::span(frame).subspan(22, 10));
        send(frames::ethernet(frames::routerMac, 0x0806, bytes));
    }
    Bytes awaitUdp(uint16_t toPort)
    {
        return await<Bytes>([=](const NetworkFrame& frame) -> std::optional<Bytes> {
            const auto payload = frames::payloadOf(frame, frames::udp);
            if (!payload || frames::word(*payload, 2) != toPort)
                return {};
            return Bytes(payload->begin() + 8, payload->end());
        });
    }
    Segment awaitTcp(uint16_t toPort, uint8_t flags)
    {
        return await<Segment>([=](const NetworkFrame& frame) -> std::optional<Segment> {
            const auto segment = frames::segmentOf(frame);
            if (!segment || segment->toPort != toPort || (segment->flags & flags) != flags)
                return {};
            return segment;
        });
    }
    // True if a UDP datagram to the host's loopback at that port arrives at the socket. What libslirp answers tells
    // when it has been dealt with: the question behind it is answered, too.
    bool reaches(const Ipv4& address, const HostSocket& socket)
    {
        send(frames::udpFrame(guest, 4000, address, socket.port(), bytesOf("knock")));
        send(frames::dhcpMessage(1));
        awaitUdp(68);
        std::array<char, 100> buffer;
        return recv(socket.number(), buffer.data(), buffer.size(), MSG_DONTWAIT) == 5;
    }
};

TEST_F(NatNetworkTest, GivesAnAddressByDhcp)
{
    open();
    send(frames::dhcpMessage(1));
    const Bytes offer = awaitUdp(68);
    ASSERT_GT(offer.size(), 240u);
    EXPECT_EQ(Bytes(offer.begin() + 16, offer.begin() + 20), Bytes(guest.begin(), guest.end()));
    EXPECT_EQ(frames::dhcpOption(offer, 53), Bytes { 2 });
    send(frames::dhcpMessage(3, guest));
    const Bytes acknowledgement = awaitUdp(68);
    EXPECT_EQ(frames::dhcpOption(acknowledgement, 53), Bytes { 5 });
    EXPECT_EQ(frames::dhcpOption(acknowledgement, 1), (Bytes { 255, 255, 255, 0 }));
    EXPECT_EQ(frames::dhcpOption(acknowledgement, 3), Bytes(host.begin(), host.end()));
    EXPECT_EQ(frames::dhcpOption(acknowledgement, 6), Bytes(nat::nameServer.begin(), nat::nameServer.end()));
}

TEST_F(NatNetworkTest, AnswersArpForItsOwnAddresses)
{
    open();
    for (const Ipv4& address : { nat::host, nat::nameServer }) {
        send(frames::arpRequest(guest, address));
        const bool answered = await<bool>([&](const NetworkFrame& frame) -> std::optional<bool> {
            if (frames::word(frame, 12) != 0x0806 || frames::word(frame, 20) != 2)
                return {};
            return std::equal(address.begin(), address.end(), frame.begin() + 28);
        });
        EXPECT_TRUE(answered);
    }
}

TEST_F(NatNetworkTest, CarriesUdpToTheHostsLoopbackAndBack)
{
    open();
    const HostSocket server(SOCK_DGRAM);
    send(frames::arpRequest(guest, host)); // so that it knows the guest
    send(frames::udpFrame(guest, 4321, host, server.port(), bytesOf("question")));
    std::array<char, 100> buffer;
    sockaddr_in from {};
    socklen_t size = sizeof from;
    const ssize_t count
        = recvfrom(server.number(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    ASSERT_EQ(std::string(buffer.data(), static_cast<size_t>(std::max<ssize_t>(count, 0))), "question");
    ASSERT_EQ(sendto(server.number(), "answer", 6, 0, reinterpret_cast<sockaddr*>(&from), size), 6);
    EXPECT_EQ(awaitUdp(4321), bytesOf("answer"));
}

TEST_F(NatNetworkTest, CarriesTcpToTheHostsLoopbackAndBack)
{
    open();
    const HostSocket server(SOCK_STREAM);
    constexpr uint16_t port = 5555;
    Segment segment { .fromPort = port, .toPort = server.port(), .sequence = 1000, .flags = frames::flag::syn };
    send(frames::tcpFrame(guest, host, segment));
    const Segment accepted = awaitTcp(port, frames::flag::syn | frames::flag::ack);
    EXPECT_EQ(accepted.acknowledgement, 1001u);

    // 40,000 bytes in one frame, as a card that passes large TCP on would send them.
    Bytes data(40000);
    std::mt19937 random(5);
    for (uint8_t& byte : data)
        byte = static_cast<uint8_t>(random());
    segment = { .fromPort = port,
        .toPort = server.port(),
        .sequence = 1001,
        .acknowledgement = accepted.sequence + 1,
        .flags = frames::flag::ack | frames::flag::push,
        .data = data };
    send(frames::tcpFrame(guest, host, segment));
    const FileDescriptor connection(accept(server.number(), nullptr, nullptr));
    ASSERT_GE(connection.number(), 0);
    Bytes received(data.size());
    ASSERT_EQ(recv(connection.number(), received.data(), received.size(), MSG_WAITALL),
        static_cast<ssize_t>(received.size()));
    EXPECT_EQ(received, data);

    // The other way round, in segments that fit the wire.
    ASSERT_EQ(write(connection.number(), data.data(), 5000), 5000);
    Bytes back;
    segment.sequence += 40000;
    segment.data.clear();
    segment.flags = frames::flag::ack;
    while (back.size() < 5000) {
        const Segment part = await<Segment>([&](const NetworkFrame& frame) -> std::optional<Segment> {
            const auto found = frames::segmentOf(frame);
            if (!found || found->toPort != port || found->data.empty())
                return {};
            EXPECT_LE(frame.size(), 14 + nat::mtu);
            return found;
        });
        if (part.data.empty())
            break;
        if (part.sequence != segment.acknowledgement)
            continue;
        frames::add(back, part.data);
        segment.acknowledgement += static_cast<uint32_t>(part.data.size());
        send(frames::tcpFrame(guest, host, segment));
    }
    EXPECT_EQ(back, Bytes(data.begin(), data.begin() + 5000));
}

TEST_F(NatNetworkTest, ForwardsConnectionsIntoTheGuest)
{
    const uint16_t port = freePort(SOCK_STREAM);
    open({ .forwards = { { .hostPort = port, .guestPort = 80 } } });
    const FileDescriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in address = HostSocket::at(port);
    const int connected = connect(client.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ASSERT_TRUE(connected == 0 || errno == EINPROGRESS);
    EXPECT_EQ(awaitTcp(80, frames::flag::syn).data.size(), 0u);
}

TEST_F(NatNetworkTest, SaysWhichPortIsNotToBeHad)
{
    const HostSocket holder(SOCK_STREAM);
    const auto refused = NatNetwork::create({ .forwards = { { .hostPort = holder.port(), .guestPort = 80 } } });
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("tcp:127.0.0.1:" + std::to_string(holder.port()) + ":80"), std::string::npos)
        << refused.error().message;
}

TEST_F(NatNetworkTest, ReachesTheHostUnlessToldOtherwise)
{
    const HostSocket server(SOCK_DGRAM);
    open();
    // libslirp sends on its own thread at once: before the answer to what came behind.
    EXPECT_TRUE(reaches(host, server));
    open({ .hostAccess = false });
    for (const Ipv4& way : { host, Ipv4 { 127, 0, 0, 1 }, nat::nameServer, Ipv4 { 255, 255, 255, 255 } })
        EXPECT_FALSE(reaches(way, server)) << int { way[0] } << '.' << int { way[3] };
    for (const Ipv4& own : HostShield::addressesOfThisHost())
        EXPECT_FALSE(reaches(own, server)) << int { own[0] } << '.' << int { own[3] };
}

TEST_F(NatNetworkTest, ReachesNothingOffline)
{
    const HostSocket server(SOCK_DGRAM);
    open({ .offline = true });
    EXPECT_FALSE(reaches(host, server));
    EXPECT_FALSE(reaches({ 127, 0, 0, 1 }, server));
}

TEST_F(NatNetworkTest, BearsAnythingThatLooksLikeAFrame)
{
    open();
    std::mt19937 random(11);
    const NetworkFrame good = frames::udpFrame(guest, 1, host, 9, bytesOf("some data"));
    for (int i = 0; i < 3000; ++i) {
        NetworkFrame frame = random() % 2 ? good : frames::tcpFrame(guest, host, { .fromPort = 1, .toPort = 1 });
        for (int change = 0; change < 3; ++change)
            frame[random() % frame.size()] = static_cast<uint8_t>(random());
        frame[12] = 8; // or it would be gone at once
        frame.resize(random() % 4 ? frame.size() : random() % 100);
        network->transmit(std::move(frame));
    }
    send(frames::dhcpMessage(1));
    EXPECT_GT(awaitUdp(68).size(), 240u);
}

TEST_F(NatNetworkTest, LosesFramesRatherThanGrow)
{
    auto created = NatNetwork::create({});
    ASSERT_TRUE(created.ok());
    network = std::move(*created); // its thread does not run
    const NetworkFrame frame(60000);
    size_t taken = 0;
    while (network->transmit(frame) && taken < 1000)
        ++taken;
    EXPECT_EQ(taken, NatNetwork::queueCapacity / frame.size());
}

TEST_F(NatNetworkTest, RunsForSeveralMachinesAtOnce)
{
    open();
    auto other = std::move(network);
    for (int round = 0; round < 20; ++round) {
        open();
        send(frames::dhcpMessage(1));
        EXPECT_GT(awaitUdp(68).size(), 240u);
        other->transmit(frames::dhcpMessage(1));
        std::swap(other, network);
    }
    other.reset();
}

} // namespace namsan
