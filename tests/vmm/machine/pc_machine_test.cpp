// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/comes_true.h"
#include "tests/support/real_mode_start.h"
#include "vmm/machine/pc_machine.h"

#include "vmm/session/kvm/kvm_device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

namespace namsan {

namespace {
using namespace std::chrono_literals;

// Remembers what a machine tells, and waits for it.
class Witness final : public MachineListener {
public:
    void stateChanged(MachineState) override { }
    void serialOutput(std::span<const uint8_t> bytes) override
    {
        const std::lock_guard guard(m_mutex);
        m_serial.append(bytes.begin(), bytes.end());
        m_changed.notify_all();
    }
    void rebooted() override
    {
        const std::lock_guard guard(m_mutex);
        ++m_reboots;
        m_changed.notify_all();
    }

    bool waitForSerial(std::string_view text)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, longEnough, [&] { return m_serial.find(text) != std::string::npos; });
    }
    bool waitForSerial(size_t count)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, longEnough, [&] { return m_serial.size() >= count; });
    }
    std::string serial()
    {
        const std::lock_guard guard(m_mutex);
        return m_serial;
    }
    bool waitForReboots(int count)
    {
        std::unique_lock lock(m_mutex);
        return m_changed.wait_for(lock, longEnough, [&] { return m_reboots >= count; });
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::string m_serial;
    int m_reboots = 0;
};

constexpr uint16_t loadAddress = 0x7c00;

MachineConfig smallMachine()
{
    MachineConfig config;
    config.memoryBytes = 4 << 20;
    return config;
}

// A machine that begins in real mode at 0:7C00 with this code, its stack below.
class PcMachineTest : public ::testing::Test {
protected:
    Witness witness;
    std::unique_ptr<Machine> machine;
    MachineConfig config = smallMachine();

    void make(std::vector<uint8_t> code, GuestMemory** guestMemory = nullptr)
    {
        auto made = PcMachine::create(config, &witness, [=](PcBoard&, GuestMemory& memory) -> Result<CpuState> {
            if (guestMemory)
                *guestMemory = &memory;
            memory.write(loadAddress, code);
            return realModeStart(loadAddress);
        });
        ASSERT_TRUE(made.ok()) << made.error().message;
        machine = std::move(*made);
    }
    void run(std::vector<uint8_t> code)
    {
        make(std::move(code));
        machine->start();
    }
    MachineEnding waitForEnd()
    {
        EXPECT_TRUE(machine->waitForEnd(longEnough));
        return machine->ending().value_or(MachineEnding { MachineEnding::Reason::Stopped, "did not end" });
    }
};
} // namespace

TEST_F(PcMachineTest, EndsAsHaltedWhenNothingCanWakeIt)
{
    run({ 0xfa, 0xf4 }); // cli; hlt
    const MachineEnding ending = waitForEnd();
    EXPECT_EQ(ending.reason, MachineEnding::Reason::Halted);
    EXPECT_NE(ending.why.find("interrupts off"), std::string::npos) << ending.why;
    EXPECT_EQ(machine->state(), MachineState::Ended);
}

TEST_F(PcMachineTest, EndsAsCrashedAfterATripleFault)
{
    // lidt [7c10] with a limit of 0; int3
    run({ 0x0f, 0x01, 0x1e, 0x10, 0x7c, 0xcc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
    const MachineEnding ending = waitForEnd();
    EXPECT_EQ(ending.reason, MachineEnding::Reason::Crashed);
    EXPECT_NE(ending.why.find("triple fault"), std::string::npos) << ending.why;
}

TEST_F(PcMachineTest, EndsWhenTheGuestSwitchesItselfOff)
{
    // mov dx,604h; mov ax,2000h (SLP_EN, SLP_TYP 0 = S5); out dx,ax; jmp $
    run({ 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xeb, 0xfe });
    EXPECT_EQ(waitForEnd().reason, MachineEnding::Reason::PoweredOff);
}

TEST_F(PcMachineTest, HandsOverWhatTheGuestSends)
{
    // mov dx,3f8h; mov al,'H'; out dx,al; mov al,'i'; out dx,al; mov al,0Ah; out dx,al; cli; hlt
    run({ 0xba, 0xf8, 0x03, 0xb0, 'H', 0xee, 0xb0, 'i', 0xee, 0xb0, 0x0a, 0xee, 0xfa, 0xf4 });
    EXPECT_TRUE(witness.waitForSerial("Hi\n"));
}

// Sends the vendor of the PCI bus' device 3, and halts: mov dx,0CF8h; mov eax,80001800h; out dx,eax; mov dl,0FCh;
// in eax,dx; mov dx,3F8h; out dx,al; mov al,ah; out dx,al; cli; hlt
const std::vector<uint8_t> sendVendor { 0xba, 0xf8, 0x0c, 0x66, 0xb8, 0x00, 0x18, 0x00, 0x80, 0x66, 0xef, 0xb2, 0xfc,
    0x66, 0xed, 0xba, 0xf8, 0x03, 0xee, 0x88, 0xe0, 0xee, 0xfa, 0xf4 };

TEST_F(PcMachineTest, HasANetworkCardWhenConfigured)
{
    config.network.kind = NetworkConfig::Kind::Nat;
    run(sendVendor);
    EXPECT_TRUE(witness.waitForSerial("\xf4\x1a"));
    EXPECT_EQ(waitForEnd().reason, MachineEnding::Reason::Halted);
    const MachineSample sample = machine->sample();
    EXPECT_TRUE(sample.network);
    ASSERT_EQ(sample.threads.size(), 3u);
    EXPECT_EQ(sample.threads.back().role, "NAT");
}

TEST_F(PcMachineTest, HasNoNetworkCardOtherwise)
{
    run(sendVendor);
    EXPECT_TRUE(witness.waitForSerial("\xff\xff"));
    EXPECT_FALSE(machine->sample().network);
    EXPECT_EQ(machine->sample().threads.size(), 2u);
}

TEST_F(PcMachineTest, HandsOverAPromptWithoutALinesEnd)
{
    run({ 0xba, 0xf8, 0x03, 0xb0, '>', 0xee, 0xeb, 0xfe }); // ... jmp $
    EXPECT_TRUE(witness.waitForSerial(">"));
}

TEST_F(PcMachineTest, SendsToTheGuestWhatItReads)
{
    // mov dx,3fdh; again: in al,dx; test al,1; jz again; mov dx,3f8h; in al,dx; inc al; out dx,al; cli; hlt
    make({ 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, 0xba, 0xf8, 0x03, 0xec, 0xfe, 0xc0, 0xee, 0xfa, 0xf4 });
    machine->sendSerial(std::vector<uint8_t> { 'a' });
    machine->start();
    EXPECT_TRUE(witness.waitForSerial("b"));
}

TEST_F(PcMachineTest, StartsAgainAfterAReset)
{
    // mov al,1; out 92h,al; jmp $
    run({ 0xb0, 0x01, 0xe6, 0x92, 0xeb, 0xfe });
    EXPECT_TRUE(witness.waitForReboots(2));
    EXPECT_EQ(machine->state(), MachineState::Running);
}

TEST_F(PcMachineTest, EndsAtAResetWhereTheConfigurationSaysSo)
{
    config.reboot = false;
    run({ 0xb0, 0x01, 0xe6, 0x92, 0xeb, 0xfe });
    EXPECT_EQ(waitForEnd().reason, MachineEnding::Reason::Reset);
}

TEST_F(PcMachineTest, StopsAGuestThatSpins)
{
    run({ 0xfa, 0xeb, 0xfe }); // cli; jmp $
    machine->stop();
    EXPECT_EQ(waitForEnd().reason, MachineEnding::Reason::Stopped);
}

TEST_F(PcMachineTest, WakesAHaltedGuestByItsTimer)
{
    // Vector 8 of the real-mode table points to a handler that sends '!'; the PIC is programmed with base 8, the PIT's
    // counter 0 to mode 2 with 0 (65,536). sti; hlt; jmp back to hlt.
    const std::vector<uint8_t> code {
        0xc7, 0x06, 0x20, 0x00, 0x40, 0x7c, // mov word [20h],7c40h
        0xc7, 0x06, 0x22, 0x00, 0x00, 0x00, // mov word [22h],0
        0xb0, 0x11, 0xe6, 0x20, // mov al,11h; out 20h,al
        0xb0, 0x08, 0xe6, 0x21, // mov al,8; out 21h,al
        0xb0, 0x04, 0xe6, 0x21, // mov al,4; out 21h,al
        0xb0, 0x01, 0xe6, 0x21, // mov al,1; out 21h,al
        0xb0, 0xfe, 0xe6, 0x21, // mov al,0feh; out 21h,al
        0xb0, 0x34, 0xe6, 0x43, // mov al,34h; out 43h,al
        0x30, 0xc0, 0xe6, 0x40, 0xe6, 0x40, // xor al,al; out 40h,al; out 40h,al
        0xfb, // sti
        0xf4, 0xeb, 0xfd, // hlt; jmp to hlt
    };
    std::vector<uint8_t> image = code;
    image.resize(0x40);
    // push ax; push dx; mov dx,3f8h; mov al,'!'; out dx,al; mov al,20h; out 20h,al; pop dx; pop ax; iret
    const std::vector<uint8_t> handler { 0x50, 0x52, 0xba, 0xf8, 0x03, 0xb0, '!', 0xee, 0xb0, 0x20, 0xe6, 0x20, 0x5a,
        0x58, 0xcf };
    image.insert(image.end(), handler.begin(), handler.end());
    run(image);
    EXPECT_TRUE(witness.waitForSerial("!!!"));
    EXPECT_GE(machine->sample().vcpus.at(0).interrupts, 3u);
    EXPECT_GE(machine->sample().vcpus.at(0).halts, 2u);
}

TEST_F(PcMachineTest, StandsStillWhilePaused)
{
    run({ 0xeb, 0xfe });
    machine->pause();
    // A reset of a paused machine is carried out after the pause: once it is, the pause holds.
    machine->reset();
    ASSERT_TRUE(witness.waitForReboots(1));
    ASSERT_EQ(machine->state(), MachineState::Paused);
    const MachineSample before = machine->sample();
    const MachineSample after = machine->sample();
    EXPECT_EQ(before.guestTime, after.guestTime);
    EXPECT_EQ(before.hostTime, after.hostTime);
    EXPECT_EQ(before.vcpus.at(0).instructions, after.vcpus.at(0).instructions);

    machine->start();
    while (machine->sample().vcpus.at(0).instructions == after.vcpus.at(0).instructions)
        ASSERT_FALSE(machine->waitForEnd(1ms)) << "the test's own time limit ends a guest that never goes on";
    EXPECT_GT(machine->sample().guestTime, after.guestTime);
}

// A whole page of text, typed at once: sixteen bytes are all that the keyboard holds.
TEST_F(PcMachineTest, LosesNoneOfManyKeysThatAreTypedAtOnce)
{
    // mov dx,3f8h; again: in al,64h; test al,1; jz again; in al,60h; out dx,al; jmp again
    make({ 0xba, 0xf8, 0x03, 0xe4, 0x64, 0xa8, 0x01, 0x74, 0xfa, 0xe4, 0x60, 0xee, 0xeb, 0xf5 });
    std::string expected;
    for (size_t i = 0; i < 1000; ++i) {
        // Usages 04 to 1D are the letters; scan codes of set 1.
        static constexpr std::array<uint8_t, 26> letters { 0x1e, 0x30, 0x2e, 0x20, 0x12, 0x21, 0x22, 0x23, 0x17, 0x24,
            0x25, 0x26, 0x32, 0x31, 0x18, 0x19, 0x10, 0x13, 0x1f, 0x14, 0x16, 0x2f, 0x11, 0x2d, 0x15, 0x2c };
        const size_t letter = i * 7 % 26;
        machine->sendInput(KeyEvent { static_cast<HidUsage>(4 + letter), true });
        machine->sendInput(KeyEvent { static_cast<HidUsage>(4 + letter), false });
        expected.push_back(static_cast<char>(letters[letter]));
        expected.push_back(static_cast<char>(letters[letter] + 0x80));
    }
    machine->start();
    ASSERT_TRUE(witness.waitForSerial(expected.size()));
    EXPECT_EQ(witness.serial(), expected);
}

// A listener that is stuck, as when nobody reads the pipe behind --serial, holds the guest up instead of filling
// memory.
TEST_F(PcMachineTest, AFloodWaitsForThoseWhoTakeIt)
{
    // mov dx,3f8h; mov al,'x'; again: out dx,al; jmp again: it never looks whether the port is ready.
    struct Stuck final : MachineListener {
        void stateChanged(MachineState) override { }
        void rebooted() override { }
        void serialOutput(std::span<const uint8_t> bytes) override
        {
            std::unique_lock lock(mutex);
            largest = std::max(largest, bytes.size());
            ++pieces;
            changed.notify_all();
            changed.wait(lock, [this] { return !stuck; });
        }
        std::mutex mutex;
        std::condition_variable changed;
        size_t largest = 0;
        int pieces = 0;
        bool stuck = true;
    } listener;
    auto made = PcMachine::create(config, &listener, [](PcBoard&, GuestMemory& memory) -> Result<CpuState> {
        memory.write(loadAddress, std::vector<uint8_t> { 0xba, 0xf8, 0x03, 0xb0, 'x', 0xee, 0xeb, 0xfd });
        CpuState state = CpuState::afterReset();
        state.segments[Cs].selector = 0;
        state.segments[Cs].base = 0;
        state.eip = loadAddress;
        return state;
    });
    ASSERT_TRUE(made.ok()) << made.error().message;
    (*made)->start();
    {
        std::unique_lock lock(listener.mutex);
        ASSERT_TRUE(listener.changed.wait_for(lock, longEnough, [&] { return listener.pieces == 1; }));
    }
    // While the machine's thread is stuck the guest writes some ten times of what is kept.
    const uint64_t before = (*made)->sample().vcpus.at(0).portWrites;
    while ((*made)->sample().vcpus.at(0).portWrites < before + 10 * SerialLine::outputCapacity)
        ASSERT_FALSE((*made)->waitForEnd(1ms));
    {
        std::unique_lock lock(listener.mutex);
        EXPECT_EQ(listener.pieces, 1);
        listener.stuck = false;
        listener.changed.notify_all();
        ASSERT_TRUE(listener.changed.wait_for(lock, longEnough, [&] { return listener.pieces >= 2; }));
    }
    (*made)->stop();
    EXPECT_GE(listener.largest, SerialLine::outputCapacity);
    EXPECT_LE(listener.largest, SerialLine::outputCapacity + SerialLine::outputSlack);
}

// Port 70 carries the NMI's mask beside the clock's index.
TEST_F(PcMachineTest, AnNmiComesThroughUnlessTheGuestMasksIt)
{
    std::vector<uint8_t> code {
        0xc7, 0x06, 0x08, 0x00, 0x40, 0x7c, // mov word [8],7c40h: vector 2
        0xc7, 0x06, 0x0a, 0x00, 0x00, 0x00, // mov word [10],0
        0xb0, 0x80, 0xe6, 0x70, // mov al,80h; out 70h,al
        0xba, 0xf8, 0x03, 0xb0, 'm', 0xee, // mov dx,3f8h; mov al,'m'; out dx,al
        0xba, 0xfd, 0x03, 0xec, 0xa8, 0x01, 0x74, 0xfb, // mov dx,3fdh; again: in al,dx; test al,1; jz again
        0xb0, 0x00, 0xe6, 0x70, // mov al,0; out 70h,al
        0xba, 0xf8, 0x03, 0xb0, 'u', 0xee, // mov dx,3f8h; mov al,'u'; out dx,al
        0xfb, 0xf4, 0xeb, 0xfd, // sti; hlt; jmp to hlt
    };
    code.resize(0x40);
    // mov dx,3f8h; mov al,'N'; out dx,al; iret
    for (const uint8_t byte : std::vector<uint8_t> { 0xba, 0xf8, 0x03, 0xb0, 'N', 0xee, 0xcf })
        code.push_back(byte);
    run(code);
    ASSERT_TRUE(witness.waitForSerial("m"));
    machine->sendNmi();
    machine->sendSerial(std::vector<uint8_t> { '!' }); // comes after the NMI, which is masked
    ASSERT_TRUE(witness.waitForSerial("u"));
    EXPECT_EQ(witness.serial(), "mu");
    machine->sendNmi();
    EXPECT_TRUE(witness.waitForSerial("muN")) << witness.serial();
    machine->sendNmi();
    EXPECT_TRUE(witness.waitForSerial("muNN")) << witness.serial();
}

TEST_F(PcMachineTest, RefusesAPlacementOnACpuThatDoesNotExist)
{
    config.placement = "vmm=99999";
    auto made
        = PcMachine::create(config, nullptr, [](PcBoard&, GuestMemory&) -> Result<CpuState> { return CpuState {}; });
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().message.find("99999"), std::string::npos) << made.error().message;
}

TEST_F(PcMachineTest, RunsWhereItIsAskedTo)
{
    const auto topology = readTopology();
    ASSERT_TRUE(topology.ok());
    const LogicalCpu cpu = *topology->allowed().rbegin();
    run({ 0xeb, 0xfe });
    ASSERT_TRUE(machine->place({ .vmm = cpu, .vcpus = { cpu } }).ok());
    machine->pause();
    machine->reset();
    ASSERT_TRUE(witness.waitForReboots(1));
    const auto allBegan = [this] {
        return std::ranges::none_of(
            machine->sample().threads, [](const ThreadFigures& thread) { return thread.granted.empty(); });
    };
    ASSERT_TRUE(comesTrue(allBegan)); // a vCPU's thread may begin late; then it asks where it belongs
    for (const ThreadFigures& thread : machine->sample().threads)
        EXPECT_EQ(thread.granted, CpuSet { cpu }) << thread.role;
}

// The guest computes in real mode until a byte comes through COM1, wherever it is carried meanwhile.
TEST_F(PcMachineTest, CarriesARunningGuestBetweenEngines)
{
    constexpr uint16_t rounds = 0x5000, digest = 0x5004;
    GuestMemory* guestMemory = nullptr;
    // mov ecx,1; xor ebx,ebx; mov dx,3fdh
    // again: imul ecx,ecx,1664525; add ecx,1013904223; xor ebx,ecx; rol ebx,5; inc dword [5000h]; in al,dx; test al,1;
    // jz again; mov [5004h],ebx; mov dx,604h; mov ax,2000h; out dx,ax; jmp $
    const std::vector<uint8_t> code { 0x66, 0xb9, 0x01, 0x00, 0x00, 0x00, 0x66, 0x31, 0xdb, 0xba, 0xfd, 0x03, //
        0x66, 0x69, 0xc9, 0x0d, 0x66, 0x19, 0x00, 0x66, 0x81, 0xc1, 0x5f, 0xf3, 0x6e, 0x3c, 0x66, 0x31, 0xcb, //
        0x66, 0xc1, 0xc3, 0x05, 0x66, 0xff, 0x06, 0x00, 0x50, 0xec, 0xa8, 0x01, 0x74, 0xe1, //
        0x66, 0x89, 0x1e, 0x04, 0x50, 0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xeb, 0xfe };
    config.engine = "soft";
    make(code, &guestMemory);
    machine->start();
    std::minstd_rand random(7);
    unsigned moves = 0;
    for (; moves < 50; ++moves) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 1000);
        while (std::chrono::steady_clock::now() < until) { }
        const bool toKvm = moves % 2 == 0;
        const auto moved = machine->moveToEngine(toKvm ? "kvm" : "soft");
        if (!moved) {
            // A host without KVM: it goes on where it was, and the sentence is KVM's.
            EXPECT_EQ(moved.error().message, KvmDevice::open().error().message);
            EXPECT_TRUE(machine->engineName().starts_with("soft"));
            EXPECT_EQ(machine->engineReason(), "The software CPU is used because it was asked for.");
            break;
        }
        EXPECT_EQ(machine->engineName().starts_with("soft"), !toKvm);
    }
    EXPECT_EQ(moves, KvmDevice::open() ? 50u : 0u);
    const uint64_t readsBefore = machine->sample().vcpus[0].portReads;
    EXPECT_GT(readsBefore, 0u) << "counts of former engines are lost";
    machine->sendSerial(std::vector<uint8_t> { 'x' });
    EXPECT_EQ(waitForEnd().reason, MachineEnding::Reason::PoweredOff);
    EXPECT_GE(machine->sample().vcpus[0].portReads, readsBefore);

    const auto wordAt = [&](uint16_t address) {
        uint32_t word = 0;
        guestMemory->read(address, { reinterpret_cast<uint8_t*>(&word), sizeof word });
        return word;
    };
    uint32_t ecx = 1, ebx = 0;
    for (uint32_t round = wordAt(rounds); round > 0; --round) {
        ecx = ecx * 1664525 + 1013904223;
        ebx = std::rotl(ebx ^ ecx, 5);
    }
    EXPECT_GT(wordAt(rounds), 0u);
    EXPECT_EQ(wordAt(digest), ebx);
    EXPECT_EQ(machine->moveToEngine("soft").error().message,
        "The machine has ended; there is no guest that could change engines.");
}

TEST_F(PcMachineTest, StaysWhereItIsWhenThereIsNoSuchEngine)
{
    config.engine = "soft";
    make({ 0xeb, 0xfe });
    const auto moved = machine->moveToEngine("xen");
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().message,
        "There is no engine \"xen\". Choose auto, soft, soft:interpreter, soft:translator or kvm (--engine).");
    EXPECT_TRUE(machine->engineName().starts_with("soft"));
    EXPECT_EQ(machine->state(), MachineState::Ready);
}

} // namespace namsan
