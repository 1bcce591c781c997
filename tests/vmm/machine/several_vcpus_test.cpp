// SPDX-License-Identifier: GPL-3.0-or-later
// A machine with two vCPUs that is carried from engine to engine.
#include "tests/support/comes_true.h"
#include "vmm/machine/pc_machine.h"
#include "vmm/session/engine_probe.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

constexpr uint16_t bootAddress = 0x7c00, secondAddress = 0x8000, firstCounter = 0x5000, secondCounter = 0x5010;

// In real mode, with a data segment of 4 GiB: INIT and a SIPI with vector 8 to APIC 1; then counts in a register and
// shows it at 5000h.
// mov dword [0fee00310h],01000000h; mov dword [0fee00300h],4500h; mov dword [0fee00300h],4608h
// again: inc ecx (32 bits); mov [5000h],ecx; jmp again
const std::vector<uint8_t> bootProgram { //
    0x66, 0x67, 0xc7, 0x05, 0x10, 0x03, 0xe0, 0xfe, 0x00, 0x00, 0x00, 0x01, //
    0x66, 0x67, 0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x45, 0x00, 0x00, //
    0x66, 0x67, 0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x08, 0x46, 0x00, 0x00, //
    0x66, 0x41, 0x66, 0x89, 0x0e, 0x00, 0x50, 0xeb, 0xf7
};
// The same at 5010h, with the registers that the SIPI leaves: again: inc ecx; mov [5010h],ecx; jmp again
const std::vector<uint8_t> secondProgram { 0x66, 0x41, 0x66, 0x89, 0x0e, 0x10, 0x50, 0xeb, 0xf7 };

class SeveralVcpusOfAMachine : public ::testing::Test {
protected:
    GuestMemory* guestMemory = nullptr;
    std::unique_ptr<Machine> machine;

    void SetUp() override
    {
        MachineConfig config;
        config.memoryBytes = 4 << 20;
        config.engine = "soft";
        config.vcpus = 2;
        const auto load = [this](PcBoard&, GuestMemory& memory) -> Result<CpuState> {
            guestMemory = &memory;
            memory.write(bootAddress, bootProgram);
            memory.write(secondAddress, secondProgram);
            CpuState state = CpuState::afterReset();
            for (SegmentState& segment : state.segments) {
                segment.selector = 0;
                segment.base = 0;
            }
            state.segments[Ds].limit = 0xffffffff;
            state.gpr[Ecx] = 0;
            state.eip = bootAddress;
            return state;
        };
        auto made = PcMachine::create(config, nullptr, load);
        ASSERT_TRUE(made) << made.error().message;
        machine = std::move(*made);
        machine->start();
        ASSERT_TRUE(bothCountOn());
    }

    uint32_t wordAt(uint16_t address) const
    {
        uint32_t word = 0;
        guestMemory->read(address, { reinterpret_cast<uint8_t*>(&word), sizeof word });
        return word;
    }
    bool bothCountOn() const
    {
        const uint32_t first = wordAt(firstCounter), second = wordAt(secondCounter);
        return comesTrue([&] { return wordAt(firstCounter) > first && wordAt(secondCounter) > second; });
    }
};

} // namespace

TEST_F(SeveralVcpusOfAMachine, AnEngineMoveCarriesAllOfThem)
{
    EXPECT_EQ(machine->engineName(), "soft:translator");
    // One that lost its registers would count from 0 again.
    ASSERT_TRUE(comesTrue([this] { return wordAt(firstCounter) > 10'000 && wordAt(secondCounter) > 10'000; }));
    const uint32_t first = wordAt(firstCounter), second = wordAt(secondCounter);
    const auto moved = machine->moveToEngine("soft:interpreter");
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_EQ(machine->engineMoves().size(), 1u);
    ASSERT_TRUE(bothCountOn());
    EXPECT_GT(wordAt(firstCounter), first);
    EXPECT_GT(wordAt(secondCounter), second);
}

TEST_F(SeveralVcpusOfAMachine, AutoGoesWhereTheyRunFaster)
{
    const bool kvm = probeEngines().kvmIsBetter();
    const auto moved = machine->moveToEngine("auto");
    ASSERT_TRUE(moved) << moved.error().message;
    EXPECT_EQ(machine->engineName(), kvm ? "kvm" : "soft:translator");
    EXPECT_TRUE(bothCountOn());
}

TEST_F(SeveralVcpusOfAMachine, GoToKvmAndBack)
{
    const auto device = KvmDevice::open();
    for (unsigned move = 0; move < 6; ++move) {
        const uint32_t first = wordAt(firstCounter), second = wordAt(secondCounter);
        const std::string engine = move % 2 ? "soft:interpreter" : "kvm";
        const auto moved = machine->moveToEngine(engine);
        if (!device) {
            // It goes on where it was, and the sentence is KVM's.
            EXPECT_EQ(moved ? "" : moved.error().message, move % 2 ? "" : device.error().message);
            EXPECT_TRUE(bothCountOn());
            continue;
        }
        ASSERT_TRUE(moved) << moved.error().message;
        EXPECT_EQ(machine->engineName(), engine);
        ASSERT_TRUE(bothCountOn()) << engine;
        EXPECT_GT(wordAt(firstCounter), first);
        EXPECT_GT(wordAt(secondCounter), second);
    }
}

TEST_F(SeveralVcpusOfAMachine, AnEngineThatServesOneIsRefusedAndTheGuestGoesOn)
{
    EXPECT_FALSE(machine->moveToEngine("soft:lockstep"));
    EXPECT_EQ(machine->engineName(), "soft:translator");
    EXPECT_TRUE(bothCountOn());
    EXPECT_TRUE(machine->engineMoves().empty());
}

} // namespace namsan
