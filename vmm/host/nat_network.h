// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"
#include "vmm/host/frame_queue.h"
#include "vmm/host/host_shield.h"
#include "vmm/host/slirp_stack.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace namsan {

// A cable that leads to the host's network by address translation.
//
// Threads: libslirp runs on a thread of its own, which sleeps in poll(2). Frames pass to and from it through two
// bounded queues, so transmit() and receive() may be called under the board lock: they hold a queue's lock for a push
// or a pop, and the former may wake the thread through an eventfd. The thread never takes the board lock; that there
// are frames for the guest it tells by onFrames.
class NatNetwork final : public NetworkLink {
public:
    static constexpr size_t queueCapacity = size_t { 4 } << 20; // bytes of frames, in each direction

    // Fails with a sentence where a forwarded port is not to be had.
    static Result<std::unique_ptr<NatNetwork>> create(const NatOptions&);
    ~NatNetwork() override; // ends the thread
    NatNetwork(const NatNetwork&) = delete;
    NatNetwork& operator=(const NatNetwork&) = delete;

    // Starts the thread: onStart is the first thing that runs on it, onFrames runs on it whenever receive() has frames
    // again. Once.
    void start(std::function<void()> onStart, std::function<void()> onFrames);

    // Ends the thread; the guest is alone from then on. Not from that thread.
    void stop();

    size_t largestFrame() const override;
    bool transmit(NetworkFrame) override;
    bool receive(NetworkFrame& frame) override { return m_toGuest.pop(frame); }

    // Frames for the guest for which the queue had no room.
    uint64_t lostFrames() const { return m_lost; }

private:
    NatNetwork(std::unique_ptr<SlirpStack>, FileDescriptor wakeUp, const NatOptions&);

    void run(const std::function<void()>& onFrames);
    void takeFromGuest();
    bool mayPass(const NetworkFrame&);
    void wake();

    std::unique_ptr<SlirpStack> m_slirp; // the thread's, once it runs
    std::optional<HostShield> m_shield;
    FileDescriptor m_wakeUp; // eventfd
    FrameQueue m_fromGuest { queueCapacity };
    FrameQueue m_toGuest { queueCapacity };
    std::atomic<uint64_t> m_lost = 0;
    std::atomic<bool> m_quit = false;
    std::thread m_thread;
};

} // namespace namsan
