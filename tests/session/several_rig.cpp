// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/several_rig.h"

#include "vmm/session/kvm/kvm_session.h"

#include <gtest/gtest.h>

#include <array>
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

std::vector<SeveralRig::Engine> SeveralRig::engines()
{
    std::vector<Engine> served { Engine::Interpreter, Engine::Translator, Engine::TranslatorWithTables };
    if (KvmDevice::open())
        served.push_back(Engine::Kvm);
    return served;
}

std::string SeveralRig::nameOf(Engine engine)
{
    return std::array { "Interpreter", "Translator", "TranslatorWithTables", "Kvm" }[static_cast<size_t>(engine)];
}

SeveralRig::SeveralRig(unsigned count, Engine engine, const CpuModel& wanted)
    : model(wanted)
    , memory(std::move(*GuestMemory::create(memorySize)))
    , session(make(count, engine))
{
    EXPECT_TRUE(session) << failure;
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

void SeveralRig::moveTo(Engine engine)
{
    const unsigned vcpus = count();
    session.reset(); // only one at a time is at the memory
    session = make(vcpus, engine);
    ASSERT_TRUE(session) << failure;
}

namespace {
constexpr uint32_t descriptors = 0x92000;
constexpr uint32_t vectors = 0x93000;
constexpr uint32_t handlers = 0x94000; // 64 bytes for each
} // namespace

void SeveralRig::makeTables()
{
    write<uint64_t>(descriptors + 8, 0x00cf9b000000ffff);
    write<uint64_t>(descriptors + 16, 0x00cf93000000ffff);
    for (CpuState& state : states) {
        state.gdtr = { descriptors, 23 };
        state.idtr = { vectors, 0x7ff };
    }
}

void SeveralRig::handle(uint8_t vector, const Code& handler)
{
    const uint64_t address = handlers + 64u * vector;
    write<uint64_t>(vectors + 8u * vector, address >> 16 << 48 | 0x8e0000080000 | (address & 0xffff));
    store(static_cast<uint32_t>(address), handler);
}

bool SeveralRig::run(uint32_t awaited, const std::function<bool()>& enough)
{
    if (!session)
        return false;
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
        if (!enough)
            progress.wait_for(lock, std::chrono::minutes(1), [&] { return allHalted() || failed; });
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (enough && !enough() && !failed && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    const bool good = (enough ? enough() : allHalted()) && !failed;
    stop = true;
    for (unsigned index = 0; index < vcpus; ++index) {
        session->vcpu(index).kick();
        runners[index]->vcpuHasWork();
    }
    for (std::thread& thread : threads)
        thread.join();
    // Now that none can send the others anything that their saved states would lack.
    for (unsigned index = 0; index < vcpus; ++index) {
        session->vcpu(index).setSleeper(nullptr);
        states[index] = session->vcpu(index).save();
        failure += runners[index]->why;
    }
    return good;
}

} // namespace namsan
