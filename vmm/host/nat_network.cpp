// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/nat_network.h"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace namsan {

namespace {
constexpr size_t ethernetHeader = 14;
constexpr size_t largestIpPacket = 65535;
} // namespace

Result<std::unique_ptr<NatNetwork>> NatNetwork::create(const NatOptions& options)
{
    auto slirp = SlirpStack::create(options);
    if (!slirp)
        return slirp.error();
    FileDescriptor wakeUp(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (wakeUp.number() < 0)
        return Error { fmt::format(
            "The host gave no event descriptor for the guest's network ({}). Close other programs.",
            std::strerror(errno)) };
    return std::unique_ptr<NatNetwork>(new NatNetwork(std::move(*slirp), std::move(wakeUp), options));
}

NatNetwork::NatNetwork(std::unique_ptr<SlirpStack> slirp, FileDescriptor wakeUp, const NatOptions& options)
    : m_slirp(std::move(slirp))
    , m_wakeUp(std::move(wakeUp))
{
    if (!options.hostAccess)
        m_shield.emplace(nat::nameServer, HostShield::addressesOfThisHost);
}

NatNetwork::~NatNetwork()
{
    stop();
}

void NatNetwork::stop()
{
    m_quit = true;
    wake();
    if (m_thread.joinable())
        m_thread.join();
}

void NatNetwork::start(std::function<void()> onStart, std::function<void()> onFrames)
{
    // The thread inherits the signal mask. libslirp writes to sockets that may be closed, and no signal handler has
    // anything to do here.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    m_thread = std::thread([this, onStart = std::move(onStart), onFrames = std::move(onFrames)] {
        pthread_setname_np(pthread_self(), "namsan NAT");
        onStart();
        run(onFrames);
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// A frame from the guest may be as large as an IP packet: nothing here has a wire's limits.
size_t NatNetwork::largestFrame() const
{
    return ethernetHeader + largestIpPacket;
}

bool NatNetwork::transmit(NetworkFrame frame)
{
    const FrameQueue::Pushed pushed = m_fromGuest.push(std::move(frame));
    if (pushed.lost > 0)
        return false;
    if (pushed.wasEmpty)
        wake();
    return true;
}

void NatNetwork::wake()
{
    const uint64_t one = 1;
    // It fails only where the counter is at its end, and then the thread is awake.
    static_cast<void>(!write(m_wakeUp.number(), &one, sizeof one));
}

void NatNetwork::run(const std::function<void()>& onFrames)
{
    std::vector<pollfd> polls;
    while (!m_quit) {
        polls.assign(1, { m_wakeUp.number(), POLLIN, 0 });
        const int timeout = m_slirp->addPolls(polls);
        if (poll(polls.data(), polls.size(), timeout) < 0) {
            for (pollfd& entry : polls)
                entry.revents = 0;
        }
        if (polls.front().revents & POLLIN) {
            uint64_t count = 0;
            static_cast<void>(!read(m_wakeUp.number(), &count, sizeof count));
        }
        m_slirp->work(polls);
        takeFromGuest();

        std::vector<NetworkFrame> frames = m_slirp->takeOutput();
        if (frames.empty())
            continue;
        const FrameQueue::Pushed pushed = m_toGuest.push(std::move(frames));
        m_lost += pushed.lost;
        if (pushed.wasEmpty)
            onFrames();
    }
}

void NatNetwork::takeFromGuest()
{
    for (const NetworkFrame& frame : m_fromGuest.popAll()) {
        if (mayPass(frame))
            m_slirp->input(frame);
    }
}

// libslirp knows more protocols than a guest needs here.
bool NatNetwork::mayPass(const NetworkFrame& frame)
{
    constexpr uint8_t ipv4 = 0x00;
    constexpr uint8_t addressResolution = 0x06;
    if (frame.size() < ethernetHeader || frame[12] != 0x08 || (frame[13] != ipv4 && frame[13] != addressResolution))
        return false;
    return !m_shield || m_shield->lets(frame, HostShield::Clock::now());
}

} // namespace namsan
