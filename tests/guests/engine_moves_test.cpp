// SPDX-License-Identifier: GPL-3.0-or-later
// A real guest that is carried from engine to engine while it works, and must not notice.
#include "tests/session/host_faults.h"
#include "tests/support/program_run.h"
#include "vmm/machine/machine.h"
#include "vmm/session/kvm/kvm_device.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>
#include <thread>

namespace namsan {

namespace {

using namespace std::chrono_literals;

// Keeps what the guest says, for those who wait for it.
class Transcript final : public MachineListener {
public:
    void stateChanged(MachineState state) override
    {
        const std::lock_guard guard(m_mutex);
        m_ended = state == MachineState::Ended;
        m_changed.notify_all();
    }
    void serialOutput(std::span<const uint8_t> bytes) override
    {
        const std::lock_guard guard(m_mutex);
        m_text.append(bytes.begin(), bytes.end());
        m_changed.notify_all();
    }
    void rebooted() override { }

    // Whether the text comes within that time, before the machine ends; only what follows the first so many bytes
    // counts.
    bool comes(std::string_view text, std::chrono::milliseconds time, size_t after = 0)
    {
        std::unique_lock lock(m_mutex);
        m_changed.wait_for(lock, time, [&] { return m_ended || m_text.find(text, after) != std::string::npos; });
        return m_text.find(text, after) != std::string::npos;
    }
    std::string text()
    {
        const std::lock_guard guard(m_mutex);
        return m_text;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::string m_text;
    bool m_ended = false;
};

// Why this host's KVM cannot run a Linux; empty where it can.
std::string whyNotOnKvm()
{
    if (const auto device = KvmDevice::open(); !device)
        return device.error().message;
    for (const HostFault* fault : { &host_fault::paging32DoesNotWork, &host_fault::userModeCannotCallGates })
        if (fault->present())
            return fault->name;
    return {};
}

} // namespace

TEST(EngineMoves, TheTinyGuestCountsRightThroughFiftyMoves)
{
    const auto folder = guestFolder("tiny");
    ASSERT_TRUE(exists(folder / "vmlinuz"))
        << "There is no tiny guest in " << folder << ". Make it: resources/guests/make-guest tiny (./test does so).";
    MachineConfig config;
    config.engine = "soft:interpreter";
    config.kernel = folder / "vmlinuz";
    config.initrd = folder / "initrd.gz";
    config.append = "console=ttyS0 cryptomgr.notests";
    Transcript transcript;
    auto machine = Machine::create(config, &transcript);
    ASSERT_TRUE(machine) << machine.error().message;
    (*machine)->start();
    ASSERT_TRUE(transcript.comes("/ # ", 60s)) << transcript.text();
    // Again and again, so that each move meets work, however fast the host.
    const std::string_view command = "while /etc/workload count; do :; done\n";
    (*machine)->sendSerial({ reinterpret_cast<const uint8_t*>(command.data()), command.size() });
    ASSERT_TRUE(transcript.comes("! BEGIN: count", 60s)) << transcript.text();

    std::vector<std::string> route { "soft:translator", "soft:interpreter" };
    if (const std::string why = whyNotOnKvm(); why.empty())
        route = { "kvm", "soft:interpreter", "soft:translator" };
    else
        std::printf("Not moved to kvm: %s\n", why.c_str());
    constexpr unsigned moves = 50;
    std::minstd_rand random(20260101);
    for (unsigned move = 0; move < moves; ++move) {
        // At a random moment of the guest's work, which goes on meanwhile.
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 50));
        const auto moved = (*machine)->moveToEngine(route[move % route.size()]);
        ASSERT_TRUE(moved) << moved.error().message;
        EXPECT_EQ((*machine)->engineName(), route[move % route.size()]);
    }
    EXPECT_EQ((*machine)->engineMoves().size(), moves);
    EXPECT_TRUE(transcript.comes(" s ok", 300s, transcript.text().size())) << transcript.text();
    EXPECT_EQ(transcript.text().find(" s failed"), std::string::npos) << transcript.text();
    (*machine)->stop();
}

} // namespace namsan
