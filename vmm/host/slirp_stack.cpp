// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/host/slirp_stack.h"

#include <fmt/format.h>
#include <slirp/libslirp.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>

namespace namsan {

namespace {

// The turn of a process' stacks at libslirp's variables. It is libslirp that has the globals.
std::mutex& turn()
{
    static std::mutex mutex;
    return mutex;
}

in_addr addressOf(const std::array<uint8_t, 4>& bytes)
{
    in_addr address;
    std::memcpy(&address, bytes.data(), bytes.size());
    return address;
}

constexpr std::array eventPairs {
    std::pair<int, short>(SLIRP_POLL_IN, POLLIN),
    std::pair<int, short>(SLIRP_POLL_OUT, POLLOUT),
    std::pair<int, short>(SLIRP_POLL_PRI, POLLPRI),
    std::pair<int, short>(SLIRP_POLL_ERR, POLLERR),
    std::pair<int, short>(SLIRP_POLL_HUP, POLLHUP),
};

} // namespace

// What libslirp calls. It uses timers for IPv6 only, which is off.
struct SlirpStack::Callbacks {
    static ssize_t sendPacket(const void* bytes, size_t size, void* stack)
    {
        const auto* first = static_cast<const uint8_t*>(bytes);
        static_cast<SlirpStack*>(stack)->m_output.emplace_back(first, first + size);
        return static_cast<ssize_t>(size);
    }
    static int64_t nanoseconds(void*)
    {
        return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
    }
    static int addPoll(int descriptor, int events, void* polls)
    {
        auto& list = *static_cast<std::vector<pollfd>*>(polls);
        pollfd entry { descriptor, 0, 0 };
        for (const auto& [theirs, ours] : eventPairs)
            entry.events = static_cast<short>(entry.events | (events & theirs ? ours : 0));
        list.push_back(entry);
        return static_cast<int>(list.size() - 1);
    }
    static int eventsOf(int index, void* polls)
    {
        const auto& list = *static_cast<const std::vector<pollfd>*>(polls);
        int events = 0;
        for (const auto& [theirs, ours] : eventPairs)
            events |= list[static_cast<size_t>(index)].revents & ours ? theirs : 0;
        return events;
    }
    static void guestError(const char*, void*) { }
    static void* newTimer(SlirpTimerCb, void*, void*) { return nullptr; }
    static void freeTimer(void*, void*) { }
    static void setTimer(void*, int64_t, void*) { }
    static void pollChanged(int, void*) { }
    static void notify(void*) { }
};

struct SlirpStack::Stack {
    // libslirp keeps the address of the callbacks.
    SlirpCb callbacks {};
    Slirp* slirp = nullptr;

    ~Stack()
    {
        const std::lock_guard guard(turn());
        if (slirp)
            slirp_cleanup(slirp);
    }
};

SlirpStack::SlirpStack()
    : m_stack(std::make_unique<Stack>())
{
}

SlirpStack::~SlirpStack() = default;

Result<std::unique_ptr<SlirpStack>> SlirpStack::create(const NatOptions& options)
{
    std::unique_ptr<SlirpStack> stack(new SlirpStack);
    if (auto opened = stack->open(options); !opened)
        return opened.error();
    return stack;
}

Result<void> SlirpStack::open(const NatOptions& options)
{
    SlirpCb& callbacks = m_stack->callbacks;
    callbacks.send_packet = Callbacks::sendPacket;
    callbacks.guest_error = Callbacks::guestError;
    callbacks.clock_get_ns = Callbacks::nanoseconds;
    callbacks.timer_new = Callbacks::newTimer;
    callbacks.timer_free = Callbacks::freeTimer;
    callbacks.timer_mod = Callbacks::setTimer;
    callbacks.register_poll_fd = Callbacks::pollChanged;
    callbacks.unregister_poll_fd = Callbacks::pollChanged;
    callbacks.notify = Callbacks::notify;

    SlirpConfig config {};
    config.version = 1;
    config.restricted = options.offline;
    config.in_enabled = true;
    config.vnetwork = addressOf(nat::network);
    config.vnetmask = addressOf(nat::networkMask);
    config.vhost = addressOf(nat::host);
    config.vnameserver = addressOf(nat::nameServer);
    config.vdhcp_start = addressOf(nat::guest);
    config.if_mtu = nat::mtu;
    config.if_mru = nat::mtu;
    config.disable_host_loopback = !options.hostAccess;

    const std::lock_guard guard(turn());
    m_stack->slirp = slirp_new(&config, &callbacks, this);
    if (!m_stack->slirp)
        return Error { "The host gave no network for the guest (libslirp does not start). Choose --network none." };
    for (const PortForward& forward : options.forwards) {
        errno = 0;
        if (slirp_add_hostfwd(m_stack->slirp, forward.protocol == PortForward::Protocol::Udp,
                addressOf(forward.hostAddress), forward.hostPort, addressOf(nat::guest), forward.guestPort)
            != 0)
            return Error { fmt::format("The host's port for the forward {} is not to be had ({}). Choose another one.",
                format(forward), std::strerror(errno)) };
    }
    return {};
}

int SlirpStack::addPolls(std::vector<pollfd>& polls)
{
    const std::lock_guard guard(turn());
    uint32_t timeout = std::numeric_limits<uint32_t>::max();
    slirp_pollfds_fill(m_stack->slirp, &timeout, Callbacks::addPoll, &polls);
    return timeout > static_cast<uint32_t>(std::numeric_limits<int>::max()) ? -1 : static_cast<int>(timeout);
}

void SlirpStack::work(const std::vector<pollfd>& polls)
{
    const std::lock_guard guard(turn());
    slirp_pollfds_poll(m_stack->slirp, 0, Callbacks::eventsOf, const_cast<std::vector<pollfd>*>(&polls));
}

void SlirpStack::input(std::span<const uint8_t> frame)
{
    const std::lock_guard guard(turn());
    slirp_input(m_stack->slirp, frame.data(), static_cast<int>(frame.size()));
}

std::vector<NetworkFrame> SlirpStack::takeOutput()
{
    return std::exchange(m_output, {});
}

} // namespace namsan
