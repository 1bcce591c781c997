// SPDX-License-Identifier: GPL-3.0-or-later
// Engines that fail in the middle of a run. Real ones do so rarely; this one does when it is told to.
#include "tests/support/comes_true.h"
#include "tests/support/real_mode_start.h"
#include "vmm/machine/pc_machine.h"
#include "vmm/session/soft/soft_session.h"

#include <gtest/gtest.h>

#include <bit>

namespace namsan {

namespace {

// When and how the engine fails; shared by the test and all its sessions.
struct Failure {
    std::atomic<bool> wanted = false;
    std::atomic<bool> takesTheStateAlong = false;
    std::atomic<Vcpu*> running = nullptr;

    void happen()
    {
        wanted = true;
        running.load()->kick();
    }
};

class FailingVcpu final : public Vcpu {
public:
    FailingVcpu(Vcpu& vcpu, Failure& failure)
        : m_vcpu(vcpu)
        , m_failure(failure)
    {
        m_failure.running = &m_vcpu;
    }
    VcpuExit run() override
    {
        VcpuExit exit = m_vcpu.run();
        if (!m_failure.wanted)
            return exit;
        return { VcpuExit::Reason::Failed, "The host's KVM has had enough." };
    }
    void kick() override { m_vcpu.kick(); }
    bool hasWork() const override { return m_vcpu.hasWork(); }
    bool canWakeItself() const override { return m_vcpu.canWakeItself(); }
    void setSleeper(VcpuSleeper* sleeper) override { m_vcpu.setSleeper(sleeper); }
    void setInterruptRequest(bool level) override { m_vcpu.setInterruptRequest(level); }
    void raiseNmi() override { m_vcpu.raiseNmi(); }
    CpuState save() const override { return m_vcpu.save(); }
    std::string whyLost() const override
    {
        return m_failure.takesTheStateAlong ? "The kernel keeps the registers for itself." : "";
    }
    void load(const CpuState& state) override { m_vcpu.load(state); }
    const VcpuCounters& counters() const override { return m_vcpu.counters(); }

private:
    Vcpu& m_vcpu;
    Failure& m_failure;
};

// Passes for KVM, and is the software CPU.
class FailingSession final : public VmSession {
public:
    FailingSession(GuestMemory& memory, const Clock& clock, const CpuModel& model, GuestBus& bus, Failure& failure)
        : m_session(memory, clock, model, bus)
        , m_vcpu(m_session.vcpu(0), failure)
    {
    }
    std::string_view engineName() const override { return "kvm"; }
    unsigned vcpuCount() const override { return 1; }
    Vcpu& vcpu(unsigned) override { return m_vcpu; }
    void setA20(bool open) override { m_session.setA20(open); }

private:
    SoftSession m_session;
    FailingVcpu m_vcpu;
};

constexpr uint16_t loadAddress = 0x7c00, rounds = 0x5000, digest = 0x5004;
// In real mode, until a byte comes through COM1:
// mov ecx,1; xor ebx,ebx; mov dx,3fdh
// again: imul ecx,ecx,1664525; add ecx,1013904223; xor ebx,ecx; rol ebx,5; inc dword [5000h]; in al,dx; test al,1;
// jz again; mov [5004h],ebx; mov dx,604h; mov ax,2000h; out dx,ax; jmp $
const std::vector<uint8_t> countingProgram { 0x66, 0xb9, 0x01, 0x00, 0x00, 0x00, 0x66, 0x31, 0xdb, 0xba, 0xfd, 0x03, //
    0x66, 0x69, 0xc9, 0x0d, 0x66, 0x19, 0x00, 0x66, 0x81, 0xc1, 0x5f, 0xf3, 0x6e, 0x3c, 0x66, 0x31, 0xcb, //
    0x66, 0xc1, 0xc3, 0x05, 0x66, 0xff, 0x06, 0x00, 0x50, 0xec, 0xa8, 0x01, 0x74, 0xe1, //
    0x66, 0x89, 0x1e, 0x04, 0x50, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xeb, 0xfe };

class EngineFailure : public ::testing::Test {
protected:
    Failure failure;
    GuestMemory* guestMemory = nullptr;
    std::unique_ptr<Machine> machine;

    // "auto" takes what passes for KVM.
    void run(std::string engine)
    {
        MachineConfig config;
        config.memoryBytes = 4 << 20;
        config.engine = std::move(engine);
        const auto load = [this](PcBoard&, GuestMemory& memory) -> Result<CpuState> {
            guestMemory = &memory;
            memory.write(loadAddress, countingProgram);
            return realModeStart(loadAddress);
        };
        const auto makeEngine = [this](std::string_view name, GuestMemory& memory, const Clock& clock,
                                    const ProcessorsWanted& processors, GuestBus& bus) -> Result<EngineChoice> {
            if (name != "kvm" && name != "auto")
                return chooseEngine(name, memory, clock, processors, bus);
            return EngineChoice { std::make_unique<FailingSession>(memory, clock, processors.model, bus, failure),
                "It is KVM." };
        };
        auto made = PcMachine::create(config, nullptr, load, makeEngine);
        ASSERT_TRUE(made) << made.error().message;
        machine = std::move(*made);
        machine->start();
        ASSERT_TRUE(comesTrue([this] { return portReads() > 100; }));
    }

    uint64_t portReads() const { return machine->sample().vcpus[0].portReads; }

    uint32_t wordAt(uint16_t address) const
    {
        uint32_t word = 0;
        guestMemory->read(address, { reinterpret_cast<uint8_t*>(&word), sizeof word });
        return word;
    }

    // Lets the guest end, and works out what it must have come to.
    void expectRightDigest()
    {
        machine->sendSerial(std::vector<uint8_t> { 'x' });
        ASSERT_TRUE(machine->waitForEnd(longEnough));
        EXPECT_EQ(machine->ending()->reason, MachineEnding::Reason::PoweredOff) << machine->ending()->why;
        uint32_t ecx = 1, ebx = 0;
        for (uint32_t round = wordAt(rounds); round > 0; --round) {
            ecx = ecx * 1664525 + 1013904223;
            ebx = std::rotl(ebx ^ ecx, 5);
        }
        EXPECT_GT(wordAt(rounds), 0u);
        EXPECT_EQ(wordAt(digest), ebx);
    }

    void expectCrash(std::string_view why)
    {
        ASSERT_TRUE(machine->waitForEnd(longEnough));
        EXPECT_EQ(machine->ending()->reason, MachineEnding::Reason::Crashed);
        EXPECT_NE(machine->ending()->why.find(why), std::string::npos) << machine->ending()->why;
    }
};

constexpr auto goesOn = "KVM gave up in the middle of the run, so the software CPU goes on. The host's KVM has had "
                        "enough.";

} // namespace

TEST_F(EngineFailure, AutoGoesOnWithTheSoftwareCpuFromWhereKvmGaveUp)
{
    run("auto");
    EXPECT_EQ(machine->engineName(), "kvm");
    failure.happen();
    ASSERT_TRUE(comesTrue([this] { return !machine->engineMoves().empty(); }));
    EXPECT_TRUE(machine->engineName().starts_with("soft"));
    EXPECT_EQ(machine->engineReason(), goesOn);
    const auto moves = machine->engineMoves();
    ASSERT_EQ(moves.size(), 1u);
    EXPECT_EQ(moves[0].from, "kvm");
    EXPECT_EQ(moves[0].reason, goesOn);
    const uint64_t before = portReads();
    EXPECT_TRUE(comesTrue([&] { return portReads() > before; }));
    expectRightDigest();
}

TEST_F(EngineFailure, AGuestThatWasCarriedToKvmGoesOnAsWell)
{
    run("soft");
    ASSERT_TRUE(machine->moveToEngine("kvm"));
    failure.happen();
    ASSERT_TRUE(comesTrue([this] { return machine->engineMoves().size() == 2; }));
    EXPECT_TRUE(machine->engineName().starts_with("soft"));
    EXPECT_EQ(machine->engineReason(), goesOn);
    expectRightDigest();
}

TEST_F(EngineFailure, AGuestWhoseRegistersKvmKeepsEndsAndDoesNotGoOnFromOldOnes)
{
    run("auto");
    failure.takesTheStateAlong = true;
    failure.happen();
    expectCrash("its processor's state is lost: The kernel keeps the registers for itself.");
    EXPECT_TRUE(machine->engineMoves().empty());
}

TEST_F(EngineFailure, WhoInsistsOnKvmIsToldWhyItEnded)
{
    run("kvm");
    failure.happen();
    expectCrash("The host's KVM has had enough.");
    EXPECT_TRUE(machine->engineMoves().empty());
}

} // namespace namsan
