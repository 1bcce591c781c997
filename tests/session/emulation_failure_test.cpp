// SPDX-License-Identifier: GPL-3.0-or-later
// Instructions that a host's KVM cannot emulate, or hands over as such (KVM_CAP_EXIT_ON_EMULATION_FAILURE): the
// interpreter completes them.
#include "tests/session/bare_kvm.h"
#include "tests/session/engines.h"
#include "vmm/session/kvm/kvm_vcpu.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace namsan {

namespace {

using End = SessionRig::End;
using Bytes = std::vector<uint8_t>;

struct Program {
    const char* name;
    Bytes instruction; // one that some KVMs do not know
    Bytes store; // puts what it gave to 20010h
    uint64_t result;
};

// Each reads a device. No KVM has the processor do that, and few emulate more than what moves data.
const std::vector<Program> programs {
    // paddb xmm0,[a0000h]; movq [20010h],xmm0
    { "PADDB", { 0x66, 0x0f, 0xfc, 0x05, 0x00, 0x00, 0x0a, 0x00 }, { 0x66, 0x0f, 0xd6, 0x05, 0x10, 0x00, 0x02, 0x00 },
        0x1122334455667788 },
    // fild word [a0000h]; fistp qword [20010h]
    { "FILD", { 0xdf, 0x05, 0x00, 0x00, 0x0a, 0x00 }, { 0xdf, 0x3d, 0x10, 0x00, 0x02, 0x00 }, 0x7788 },
    // lar eax,[a0000h], which finds no segment; mov [20010h],eax
    { "LAR", { 0x0f, 0x02, 0x05, 0x00, 0x00, 0x0a, 0x00 }, { 0xa3, 0x10, 0x00, 0x02, 0x00 }, 0x77 },
};

// Whether the host's KVM, without anything of the engine, says that it cannot emulate this.
bool isLeftToUs(const Bytes& instruction)
{
    BareKvm vm(instruction);
    kvm_sregs state = vm.sregs();
    state.cr4 |= cr4::fxsave | cr4::simdExceptions;
    vm.setSregs(state);
    uint32_t exit = vm.run();
    while (exit == KVM_EXIT_MMIO)
        exit = vm.run();
    return exit == KVM_EXIT_INTERNAL_ERROR && vm.shared().internal.suberror == KVM_INTERNAL_ERROR_EMULATION;
}

uint64_t completedOn(SessionRig& rig)
{
    return dynamic_cast<KvmVcpu&>(rig.vcpu()).completedByInterpreter();
}

// Runs it to its HLT. In kernel mode: some KVMs raise #UD themselves for what user mode executes.
void runOn(SessionRig& rig, const Program& program)
{
    Bytes code = program.instruction;
    code.insert(code.end(), program.store.begin(), program.store.end());
    rig.flat32(code);
    rig.write<uint64_t>(SessionRig::dataAddress + 0x10, 0);
    rig.bus.mmioReads.clear();
    rig.state.gpr[Eax] = 0x77;
    rig.state.fxsave = CpuState::afterReset().fxsave;
    rig.state.fxsave.bytes[0] = 0x7f; // FCW as FNINIT leaves it: no exceptions
    rig.state.fxsave.bytes[1] = 0x03;
    rig.state.fxsave.bytes[4] = 0; // all registers empty: after a reset they hold zeros
    ASSERT_EQ(rig.run(), End::Halted) << rig.failure;
    EXPECT_FALSE(rig.raised());
    EXPECT_EQ(rig.read<uint64_t>(SessionRig::dataAddress + 0x10), program.result);
    EXPECT_FALSE(rig.bus.mmioReads.empty());
}

} // namespace

TEST(EmulationFailure, IsCompletedByTheInterpreter)
{
    const std::string trouble = kvmTrouble();
    for (const Engine& engine : sessionEngines()) {
        if (!isKvm(engine))
            continue;
        for (const Program& program : programs) {
            SCOPED_TRACE(engine.name + ": " + program.name);
            SessionRig rig(engine);
            ASSERT_EQ(rig.trouble, trouble);
            if (!trouble.empty())
                continue;
            const bool left = isLeftToUs(program.instruction);
            std::printf("%s: %s is %s.\n", engine.name.c_str(), program.name,
                left ? "left to the interpreter" : "emulated by this host's KVM");
            const uint64_t before = completedOn(rig);
            runOn(rig, program);
            EXPECT_EQ(completedOn(rig) > before, left);
        }
    }
}

} // namespace namsan
