// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/several_rig.h"

#include "vmm/session/kvm/kvm_session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace namsan {

// Empty where the host has no KVM that serves.
std::unique_ptr<VmSession> SeveralRig::make(unsigned count, Engine engine)
{
    if (engine == Engine::Kvm) {
        auto kvm = KvmSession::create(*memory, clock, model, bus, count);
        if (kvm)
            return std::move(*kvm);
        failure = kvm.error().message;
        return {};
    }
    auto soft = std::make_unique<SoftSession>(*memory, clock, model, bus, count);
    if (engine != Engine::Interpreter) {
        TranslatorOptions options;
        options.codeBytes = 8 << 20;
        options.hotAfter = 1;
        const auto started
            = soft->startTranslator(engine == Engine::Translator ? MemoryFormWish::Best : MemoryFormWish::Tlb, options);
        EXPECT_TRUE(started) << started.error().message;
    }
    return soft;
}

SeveralRig::SeveralRig(unsigned count, Engine engine)
    : memory(std::move(*GuestMemory::create(memorySize)))
    , session(make(count, engine))
{
    constexpr SegmentState code { 0x08, 0xc09b, 0, 0xffffffff };
    constexpr SegmentState data { 0x10, 0xc093, 0, 0xffffffff };
    for (unsigned index = 0; index < count; ++index) {
        CpuState state = CpuState::afterReset(model, index);
        state.mpState = MpState::Running;
        state.segments.fill(data);
        state.segments[Cs] = code;
        state.cr0 = cr0::protectionEnable | cr0::extensionType;
        state.eip = codeAddress + 0x1000 * index;
        state.gpr[Esp] = stackTop + 0x1000 * index;
        state.apic.spuriousVector = 0x1ff;
        states.push_back(state);
    }
}

void SeveralRig::program(unsigned index, const Code& code)
{
    memory->write(codeAddress + 0x1000 * index, code.done());
}

namespace {

// The sleep of a halted vCPU, and what ends the run.
class Runner final : public VcpuSleeper {
public:
    explicit Runner(Vcpu& vcpu)
        : m_vcpu(vcpu)
    {
        vcpu.setSleeper(this);
    }

    void vcpuHasWork() override
    {
        {
            const std::lock_guard guard(m_mutex);
        }
        m_changed.notify_all();
    }

    // changed: told whenever `failed` or `halted` has become another.
    void run(const std::atomic<bool>& stop, std::atomic<bool>& failed, std::atomic<bool>& halted,
        const std::function<void()>& changed)
    {
        while (!stop) {
            const VcpuExit exit = m_vcpu.run();
            if (exit.reason == VcpuExit::Reason::Kicked)
                continue;
            if (exit.reason != VcpuExit::Reason::Halted) {
                why = exit.reason == VcpuExit::Reason::TripleFault ? "It ended in a triple fault." : exit.why;
                failed = true;
                changed();
                return;
            }
            const CpuState state = m_vcpu.save();
            halted = state.mpState == MpState::Halted && !(state.eflags & eflags::interruptEnable);
            changed();
            std::unique_lock lock(m_mutex);
            m_changed.wait(lock, [&] { return stop || m_vcpu.hasWork(); });
            halted = halted && stop;
        }
    }

    std::string why; // of its failure; once its thread has ended

private:
    Vcpu& m_vcpu;
    std::mutex m_mutex;
    std::condition_variable m_changed;
};

} // namespace

bool SeveralRig::run(uint32_t awaited)
{
    const unsigned vcpus = count();
    std::atomic<bool> stop = false;
    std::atomic<bool> failed = false;
    std::vector<std::atomic<bool>> halted(vcpus);
    std::vector<std::unique_ptr<Runner>> runners;
    for (unsigned index = 0; index < vcpus; ++index) {
        session->vcpu(index).load(states[index]);
        runners.push_back(std::make_unique<Runner>(session->vcpu(index)));
    }
    std::mutex progressMutex;
    std::condition_variable progress;
    const auto tell = [&] {
        {
            const std::lock_guard guard(progressMutex);
        }
        progress.notify_all();
    };
    std::vector<std::thread> threads;
    for (unsigned index = 0; index < vcpus; ++index)
        threads.emplace_back([&, index] { runners[index]->run(stop, failed, halted[index], tell); });

    const auto allHalted = [&] {
        for (unsigned index = 0; index < vcpus; ++index)
            if ((awaited >> index & 1) && !halted[index])
                return false;
        return true;
    };
    {
        std::unique_lock lock(progressMutex);
        progress.wait_for(lock, std::chrono::minutes(1), [&] { return allHalted() || failed; });
    }
    const bool good = allHalted() && !failed;
    stop = true;
    for (unsigned index = 0; index < vcpus; ++index) {
        session->vcpu(index).kick();
        runners[index]->vcpuHasWork();
    }
    for (unsigned index = 0; index < vcpus; ++index) {
        threads[index].join();
        session->vcpu(index).setSleeper(nullptr);
        states[index] = session->vcpu(index).save();
        failure += runners[index]->why;
    }
    return good;
}

} // namespace namsan
