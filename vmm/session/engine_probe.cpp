// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/engine_probe.h"

#include "vmm/session/kvm/kvm_session.h"
#include "vmm/session/soft/soft_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>

namespace namsan {

namespace {

// Of the calling thread, a KVM guest's included: other programs that take the CPU meanwhile make no engine slower.
std::chrono::nanoseconds cpuTime()
{
    timespec time {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

constexpr uint32_t loopAddress = 0x1000;
// again: in eax,dx      the next number of rounds; tells that the last ones are done
//        mov ecx,eax
// round: add bx,ax
//        dec ecx
//        jnz round
//        jmp again
constexpr std::array<uint8_t, 13> loop { 0x66, 0xed, 0x66, 0x89, 0xc1, 0x01, 0xc3, 0x66, 0x49, 0x75, 0xfa, 0xeb, 0xf3 };
constexpr uint64_t instructionsPerRound = 3;

CpuState atLoop()
{
    CpuState state = CpuState::afterReset();
    for (SegmentState& segment : state.segments) {
        segment.selector = 0;
        segment.base = 0;
    }
    state.eip = loopAddress;
    return state;
}

// Gives the loop its numbers, and stops it when the time is over.
class LoopBus final : public GuestBus {
public:
    explicit LoopBus(std::chrono::milliseconds limit)
        : m_limit(limit)
    {
    }
    void setVcpu(Vcpu& vcpu) { m_vcpu = &vcpu; }

    uint32_t portIn(Port, Width) override
    {
        const auto now = cpuTime();
        if (m_rounds == 0) {
            m_begin = now;
            return nextRounds(firstRounds);
        }
        m_finished += m_rounds;
        m_end = now;
        const auto spent = std::max<std::chrono::nanoseconds>(now - m_begin, std::chrono::nanoseconds(1));
        if (spent >= m_limit)
            m_vcpu->kick();
        // About a tenth of the time each, so that little of it goes to the way here and back.
        const double perTenth = static_cast<double>(m_finished) * (std::chrono::duration<double>(m_limit) / spent) / 10;
        return nextRounds(std::clamp<uint64_t>(static_cast<uint64_t>(perTenth), firstRounds, 16 * m_rounds));
    }
    void portOut(Port, Width, uint32_t) override { }
    uint64_t mmioRead(PhysicalAddress, unsigned) override { return 0; }
    void mmioWrite(PhysicalAddress, unsigned, uint64_t) override { }
    uint8_t acknowledgeInterrupt() override { return 0; }

    double mips() const
    {
        const double microseconds = std::chrono::duration<double, std::micro>(m_end - m_begin).count();
        return microseconds > 0 ? static_cast<double>(m_finished * instructionsPerRound) / microseconds : 0;
    }

private:
    static constexpr uint64_t firstRounds = 200;
    static constexpr uint64_t mostRounds = 1 << 28;

    uint32_t nextRounds(uint64_t rounds)
    {
        m_rounds = std::min(rounds, mostRounds);
        return static_cast<uint32_t>(m_rounds);
    }

    std::chrono::milliseconds m_limit;
    Vcpu* m_vcpu = nullptr;
    uint64_t m_rounds = 0;
    uint64_t m_finished = 0;
    std::chrono::nanoseconds m_begin {}, m_end {};
};

// Kicks a vCPU that does not come to its port in time: a host's KVM may be so broken.
class TimeLimit {
public:
    TimeLimit(Vcpu& vcpu, std::chrono::milliseconds limit)
        : m_thread([this, &vcpu, limit] {
            std::unique_lock lock(m_mutex);
            if (!m_changed.wait_for(lock, limit, [this] { return m_over; }))
                vcpu.kick();
        })
    {
    }
    ~TimeLimit()
    {
        {
            const std::lock_guard guard(m_mutex);
            m_over = true;
            m_changed.notify_all();
        }
        m_thread.join();
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_over = false;
    std::thread m_thread;
};

Result<double> measure(VmSession& session, GuestMemory& memory, LoopBus& bus, std::chrono::milliseconds limit)
{
    Vcpu& vcpu = session.vcpu(0);
    bus.setVcpu(vcpu);
    memory.write(loopAddress, loop);
    vcpu.load(atLoop());
    VcpuExit exit;
    {
        const TimeLimit timeLimit(vcpu, 2 * limit);
        exit = vcpu.run();
    }
    if (exit.reason == VcpuExit::Reason::Failed)
        return Error { exit.why };
    if (exit.reason != VcpuExit::Reason::Kicked)
        return Error { "The host's KVM does not run a loop of five instructions as a processor does." };
    if (bus.mips() == 0)
        return Error { fmt::format("The host's KVM did not run 600 instructions in {} ms.", 2 * limit.count()) };
    return bus.mips();
}

std::string figure(double mips)
{
    return mips < 10 ? fmt::format("{:.1f} MIPS", mips) : fmt::format("{:.0f} MIPS", mips);
}

} // namespace

std::string EngineProbe::kvmSentence() const
{
    if (!kvmMips)
        return kvmTrouble;
    return kvmIsBetter() ? fmt::format("KVM here runs {}: the host's processor does it.", figure(*kvmMips))
                         : fmt::format("KVM here runs {}: it emulates.", figure(*kvmMips));
}

std::string EngineProbe::reason() const
{
    if (!kvmMips)
        return fmt::format("{} The software CPU is used, which runs {}.", kvmTrouble, figure(softMips));
    if (kvmIsBetter())
        return fmt::format(
            "KVM here runs {}, and the software CPU {}, so KVM is used.", figure(*kvmMips), figure(softMips));
    return fmt::format("KVM here runs {}: it emulates, so the software CPU is used, which runs {}.", figure(*kvmMips),
        figure(softMips));
}

EngineProbe probeEngines(const KvmAccess& access, std::chrono::milliseconds perEngine)
{
    EngineProbe probe;
    const HostClock clock;
    const CpuModel& model = CpuModel::standard();
    auto memory = GuestMemory::create(GuestMemory::smallest);
    if (!memory) {
        probe.kvmTrouble = memory.error().message;
        return probe;
    }
    {
        LoopBus bus(perEngine);
        SoftSession session(**memory, clock, model, bus);
        const auto mips = measure(session, **memory, bus, perEngine);
        probe.softMips = mips ? *mips : 0;
    }
    LoopBus bus(perEngine);
    auto session = KvmSession::create(**memory, clock, model, bus, 1, access);
    if (!session) {
        probe.kvmTrouble = session.error().message;
        return probe;
    }
    const auto mips = measure(**session, **memory, bus, perEngine);
    if (mips)
        probe.kvmMips = *mips;
    else
        probe.kvmTrouble = mips.error().message;
    return probe;
}

} // namespace namsan
