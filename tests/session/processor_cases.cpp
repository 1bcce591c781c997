// SPDX-License-Identifier: GPL-3.0-or-later
// The processor itself: its model, its registers, its whole state, and moving that state between engines.
#include "tests/session/host_faults.h"
#include "tests/session/session_rig.h"

#include "vmm/session/soft/soft_session.h"

#include <bit>
#include <random>
#include <thread>

namespace namsan {

namespace {

using End = SessionRig::End;

constexpr unsigned generalProtection = 13;

void modelIsTheOneOfTheVm(SessionRig& rig, Verdict& verdict)
{
    // cpuid; mov [20000h],eax; mov [20004h],ebx; mov [20008h],ecx; mov [2000ch],edx
    const std::vector<uint8_t> code { 0x0f, 0xa2, 0xa3, 0x00, 0x00, 0x02, 0x00, 0x89, 0x1d, 0x04, 0x00, 0x02, 0x00,
        0x89, 0x0d, 0x08, 0x00, 0x02, 0x00, 0x89, 0x15, 0x0c, 0x00, 0x02, 0x00 };
    for (const uint32_t leaf : { 0u, 1u, 2u, 0x80000000u, 0x80000001u, 0x80000002u, 0x80000007u, 0x80000008u }) {
        rig.flat32(code);
        rig.state.gpr[Eax] = leaf;
        rig.state.gpr[Ecx] = 0;
        verdict.halts(rig, rig.run());
        const CpuidResult wanted = CpuModel::standard().cpuid(leaf, 0);
        // KVM takes no model of 32 linear address bits.
        const uint32_t mask = leaf == 0x80000008 ? 0xff : 0xffffffff;
        verdict.equal(fmt::format("EAX of leaf {:x}", leaf), rig.read<uint32_t>(0x20000) & mask, wanted.eax & mask);
        verdict.equal(fmt::format("EBX of leaf {:x}", leaf), rig.read<uint32_t>(0x20004), wanted.ebx);
        verdict.equal(fmt::format("ECX of leaf {:x}", leaf), rig.read<uint32_t>(0x20008), wanted.ecx);
        verdict.equal(fmt::format("EDX of leaf {:x}", leaf), rig.read<uint32_t>(0x2000c), wanted.edx);
    }
}

void registersThatDoNotExist(SessionRig& rig, Verdict& verdict)
{
    // mov ecx,n; rdmsr
    for (const uint32_t number : { 0x1bu, 0xfeu, 0xc0000081u, 0x12345u }) {
        constexpr uint32_t apicBase = 0x1b;
        if (number == apicBase && rig.session->interruptMessages())
            continue; // a machine with local APICs has it
        rig.flat32({ 0x0f, 0x32 });
        rig.state.gpr[Ecx] = number;
        verdict.raises(rig, rig.run(), generalProtection);
        rig.flat32({ 0x0f, 0x30 });
        rig.state.gpr[Ecx] = number;
        verdict.raises(rig, rig.run(), generalProtection);
        verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress);
    }
}

void registersOfTheModel(SessionRig& rig, Verdict& verdict)
{
    // mov ecx,176h; mov eax,12345h; xor edx,edx; wrmsr; xor eax,eax; rdmsr; mov ebx,eax; mov ecx,1a0h; rdmsr
    rig.flat32({ 0xb9, 0x76, 0x01, 0x00, 0x00, 0xb8, 0x45, 0x23, 0x01, 0x00, 0x31, 0xd2, 0x0f, 0x30, 0x31, 0xc0, 0x0f,
        0x32, 0x89, 0xc3, 0xb9, 0xa0, 0x01, 0x00, 0x00, 0x0f, 0x32 });
    verdict.halts(rig, rig.run());
    verdict.equal("SYSENTER_EIP read back", rig.reg(Ebx), 0x12345u);
    verdict.equal("SYSENTER_EIP in the state", rig.state.sysenterEip, 0x12345u);
    verdict.equal("MISC_ENABLE", rig.reg(Eax), 0x1801u);
}

void reservedMemoryType(SessionRig& rig, Verdict& verdict)
{
    // mov ecx,277h; mov eax,2; wrmsr
    rig.flat32({ 0xb9, 0x77, 0x02, 0x00, 0x00, 0xb8, 0x02, 0x00, 0x00, 0x00, 0x0f, 0x30 });
    verdict.raises(rig, rig.run(), generalProtection);
}

void timeStampCounterGoesOn(SessionRig& rig, Verdict& verdict)
{
    // rdtsc; mov ebx,eax; mov ecx,edx; rdtsc
    rig.flat32({ 0x0f, 0x31, 0x89, 0xc3, 0x89, 0xd1, 0x0f, 0x31 });
    rig.state.tscOffset = uint64_t { 5 } << 40;
    verdict.halts(rig, rig.run());
    const uint64_t first = uint64_t { rig.reg(Ecx) } << 32 | rig.reg(Ebx);
    const uint64_t second = uint64_t { rig.reg(Edx) } << 32 | rig.reg(Eax);
    verdict.holds("it goes back", second >= first);
    verdict.holds("it does not begin at its offset", first >= uint64_t { 5 } << 40 && first < uint64_t { 6 } << 40);
    verdict.equal("the offset afterwards", rig.state.tscOffset, uint64_t { 5 } << 40);
}

void timeStampCounterIsWritten(SessionRig& rig, Verdict& verdict)
{
    // mov ecx,10h; mov edx,1000h; xor eax,eax; wrmsr; rdtsc
    rig.flat32({ 0xb9, 0x10, 0x00, 0x00, 0x00, 0xba, 0x00, 0x10, 0x00, 0x00, 0x31, 0xc0, 0x0f, 0x30, 0x0f, 0x31 });
    verdict.halts(rig, rig.run());
    verdict.equal("upper half", rig.reg(Edx), 0x1000u);
    verdict.equal("the offset's upper half", rig.state.tscOffset >> 32, 0x1000u);
}

void coprocessorComputes(SessionRig& rig, Verdict& verdict)
{
    // fninit; fld1; fldpi; faddp; fstp qword [20000h]
    rig.flat32({ 0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0xeb, 0xde, 0xc1, 0xdd, 0x1d, 0x00, 0x00, 0x02, 0x00 });
    verdict.halts(rig, rig.run());
    verdict.equal("pi + 1", rig.read<uint64_t>(0x20000), 0x401090fdaa22168cu);
}

void vectorsCompute(SessionRig& rig, Verdict& verdict)
{
    // movups xmm1,[20000h]; paddd xmm1,xmm1; movups [20010h],xmm1; sqrtsd xmm0,[20020h]; movsd [20028h],xmm0
    rig.flat32({ 0x0f, 0x10, 0x0d, 0x00, 0x00, 0x02, 0x00, 0x66, 0x0f, 0xfe, 0xc9, 0x0f, 0x11, 0x0d, 0x10, 0x00, 0x02,
        0x00, 0xf2, 0x0f, 0x51, 0x05, 0x20, 0x00, 0x02, 0x00, 0xf2, 0x0f, 0x11, 0x05, 0x28, 0x00, 0x02, 0x00 });
    rig.write<uint64_t>(0x20000, 0x0000000700000003);
    rig.write<double>(0x20020, 144.0);
    verdict.halts(rig, rig.run());
    verdict.equal("the sum", rig.read<uint64_t>(0x20010), 0x0000000e00000006u);
    verdict.equal("the root", std::bit_cast<uint64_t>(rig.read<double>(0x20028)), std::bit_cast<uint64_t>(12.0));
    verdict.equal("XMM1 in the state", rig.state.fxsave.bytes[160 + 16], 6);
}

void lockedInstructions(SessionRig& rig, Verdict& verdict)
{
    // mov eax,5; mov ebx,9; lock cmpxchg [20000h],ebx; mov ecx,1; lock xadd [20000h],ecx; lock cmpxchg8b [20010h];
    // xchg [20000h],ebx; bswap ebx
    rig.flat32({ 0xb8, 0x05, 0x00, 0x00, 0x00, 0xbb, 0x09, 0x00, 0x00, 0x00, 0xf0, 0x0f, 0xb1, 0x1d, 0x00, 0x00, 0x02,
        0x00, 0xb9, 0x01, 0x00, 0x00, 0x00, 0xf0, 0x0f, 0xc1, 0x0d, 0x00, 0x00, 0x02, 0x00, 0xf0, 0x0f, 0xc7, 0x0d,
        0x10, 0x00, 0x02, 0x00, 0x87, 0x1d, 0x00, 0x00, 0x02, 0x00, 0x0f, 0xcb });
    rig.state.gpr[Edx] = 7;
    rig.write<uint32_t>(0x20000, 5);
    rig.write<uint64_t>(0x20010, 0x0000000700000005);
    verdict.halts(rig, rig.run());
    verdict.equal("CMPXCHG8B", rig.read<uint64_t>(0x20010), 0x0000000900000009u);
    verdict.equal("XADD and XCHG", rig.reg(Ebx), 0x0a000000u);
    verdict.equal("what XADD gave", rig.reg(Ecx), 9u);
}

void systemCallAndReturn(SessionRig& rig, Verdict& verdict)
{
    // sysenter from CPL 0 to 11000h: mov ebx,7; hlt
    rig.flat32({ 0x0f, 0x34 });
    rig.store(0x11000, { 0xbb, 0x07, 0x00, 0x00, 0x00, 0xf4 });
    rig.state.sysenterCs = 8;
    rig.state.sysenterEsp = 0x70000;
    rig.state.sysenterEip = 0x11000;
    verdict.halts(rig, rig.run());
    verdict.equal("EBX", rig.reg(Ebx), 7u);
    verdict.equal("ESP", rig.reg(Esp), 0x70000u);
}

void fromRealToProtectedMode(SessionRig& rig, Verdict& verdict)
{
    // cli; lgdt cs:[30h]; mov eax,cr0; or al,1; mov cr0,eax; jmp dword 8:10020h; at 10020h: mov ax,10h; mov ds,ax;
    // mov dword [100000h],1234h; hlt
    rig.real16({ 0xfa, 0x2e, 0x0f, 0x01, 0x16, 0x30, 0x00, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0x66, 0xea,
        0x20, 0x00, 0x01, 0x00, 0x08, 0x00 });
    rig.store(SessionRig::codeAddress + 0x20,
        { 0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8, 0xc7, 0x05, 0x00, 0x00, 0x10, 0x00, 0x34, 0x12, 0x00, 0x00 });
    rig.store(SessionRig::codeAddress + 0x30, { 0xf4 });
    // The table's own address lies behind the program's end: limit, base.
    rig.store(SessionRig::codeAddress + 0x40, { 0xff, 0x00, 0x00, 0x10, 0x00, 0x00 });
    rig.store(SessionRig::codeAddress + 5, { 0x40 });
    verdict.halts(rig, rig.run());
    verdict.equal("what was written", rig.read<uint32_t>(0x100000), 0x1234u);
    verdict.equal("CR0.PE", rig.state.cr0 & 1, 1u);
    verdict.equal("CS", rig.state.segments[Cs].selector, 8);
    verdict.equal("CS's rights", rig.state.segments[Cs].accessRights, 0xc09bu);
    verdict.equal("DS's limit", rig.state.segments[Ds].limit, 0xffffffffu);
}

// A state with something everywhere. Without running, it must come back as it went in.
void wholeStateComesBack(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({});
    CpuState state = rig.state;
    std::minstd_rand random(4);
    for (uint32_t& gpr : state.gpr)
        gpr = static_cast<uint32_t>(random());
    state.eflags
        = eflags::alwaysOne | eflags::carry | eflags::direction | eflags::interruptEnable | eflags::ioPrivilege;
    state.cr2 = 0xdeadbeef;
    state.cr3 = 0x30000;
    state.dr[0] = 0x1111;
    state.dr[3] = 0x3333;
    state.dr[6] = 0xffff0ff0;
    state.dr[7] = 0x400;
    state.sysenterCs = 8;
    state.sysenterEsp = 0x1234;
    state.sysenterEip = 0x5678;
    state.tscOffset = 0x123456789abc;
    state.segments[Fs] = { 0, 1 << 16, 0, 0 };
    for (size_t i = 32; i < 288; ++i)
        if (i < 160 ? i % 16 < 10 : true)
            state.fxsave.bytes[i] = static_cast<uint8_t>(random());
    state.fxsave.bytes[0] = 0x7f;
    state.fxsave.bytes[1] = 0x03;
    state.fxsave.bytes[4] = 0xff;
    state.interruptShadow = true;
    state.nmiBlocked = true;
    state.nmiPending = true;
    for (const bool halted : { false, true }) {
        state.mpState = halted ? MpState::Halted : MpState::Running;
        state.interruptShadow = !halted;
        rig.vcpu().load(state);
        CpuState back = rig.vcpu().save();
        back.tscOffset = state.tscOffset; // has cases of its own
        verdict.holds("general registers differ", back.gpr == state.gpr && back.eip == state.eip);
        verdict.equal("EFLAGS", back.eflags, state.eflags);
        verdict.holds("segments differ", back.segments == state.segments);
        verdict.holds("system segments differ", back.ldtr == state.ldtr && back.tr == state.tr);
        verdict.holds("table registers differ", back.gdtr == state.gdtr && back.idtr == state.idtr);
        verdict.holds("control registers differ",
            back.cr0 == state.cr0 && back.cr2 == state.cr2 && back.cr3 == state.cr3 && back.cr4 == state.cr4);
        verdict.holds("debug registers differ", back.dr == state.dr);
        verdict.holds("x87 and SSE registers differ", back.fxsave == state.fxsave);
        verdict.holds("events differ",
            back.interruptShadow == state.interruptShadow && back.nmiBlocked == state.nmiBlocked
                && back.nmiPending == state.nmiPending && back.pendingEvent == state.pendingEvent
                && back.mpState == state.mpState);
        verdict.holds("the state differs", back == state);
    }
}

void pendingEventIsDelivered(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0x43 });
    rig.state.pendingEvent = PendingEvent { .vector = generalProtection, .hasErrorCode = true, .errorCode = 0x1230 };
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("error code", rig.pushed(0), 0x1230u);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress);
    rig.flat32({ 0x43 });
    rig.state.eflags |= eflags::interruptEnable;
    rig.state.pendingEvent = PendingEvent { .vector = 0x33 };
    verdict.raises(rig, rig.run(), 0x33);
    verdict.equal("return address of an interrupt", rig.pushed(0), SessionRig::codeAddress);
}

// What the moving program computes, round by round.
struct Computation {
    uint32_t eax = 1, ebx = 0;
    void round()
    {
        eax = eax * 1664525 + 1013904223;
        ebx = std::rotl(ebx ^ eax, 5);
    }
};

constexpr uint32_t roundsDone = 0x5000; // counted by the guest
constexpr uint32_t enough = 0x6000; // set here when it may end

// mov eax,1; xor ebx,ebx; cld
// again: imul eax,eax,1664525; add eax,1013904223; mov [20000h],eax; mov esi,20000h; mov edi,20004h; mov ecx,40;
// rep movsb; xor ebx,[20024h]; rol ebx,5; push ebx; pop edx; cmp edx,ebx; jne over; inc dword [5000h];
// cmp dword [6000h],0; je again; over:
const std::vector<uint8_t> movingProgram { 0xb8, 0x01, 0x00, 0x00, 0x00, 0x31, 0xdb, 0xfc, //
    0x69, 0xc0, 0x0d, 0x66, 0x19, 0x00, 0x05, 0x5f, 0xf3, 0x6e, 0x3c, 0xa3, 0x00, 0x00, 0x02, 0x00, //
    0xbe, 0x00, 0x00, 0x02, 0x00, 0xbf, 0x04, 0x00, 0x02, 0x00, 0xb9, 0x28, 0x00, 0x00, 0x00, 0xf3, 0xa4, //
    0x33, 0x1d, 0x24, 0x00, 0x02, 0x00, 0xc1, 0xc3, 0x05, 0x53, 0x5a, 0x39, 0xda, 0x75, 0x0f, //
    0xff, 0x05, 0x00, 0x50, 0x00, 0x00, 0x83, 0x3d, 0x00, 0x60, 0x00, 0x00, 0x00, 0x74, 0xc1 };

// Carries a running guest between this engine and the interpreter, 50 times, each time wherever it is.
void movesBetweenEngines(SessionRig& rig, Verdict& verdict)
{
    rig.flat32(movingProgram);
    SoftSession soft(*rig.memory, rig.clock, CpuModel::standard(), rig.bus);
    constexpr unsigned moves = 50;
    std::minstd_rand random(50);
    CpuState state = rig.state;
    for (unsigned move = 0;; ++move) {
        if (move == moves)
            rig.write<uint32_t>(enough, 1);
        Vcpu& vcpu = move % 2 ? soft.vcpu(0) : rig.vcpu();
        vcpu.load(state);
        const auto delay = std::chrono::microseconds(random() % 400);
        std::thread kicker([&vcpu, delay, last = move == moves] {
            if (last)
                return;
            const auto until = std::chrono::steady_clock::now() + delay;
            while (std::chrono::steady_clock::now() < until) { }
            vcpu.kick();
        });
        const VcpuExit exit = vcpu.run();
        kicker.join();
        state = vcpu.save();
        if (exit.reason != VcpuExit::Reason::Kicked)
            break;
    }
    rig.state = state;
    verdict.holds("it did not end by HLT", state.mpState == MpState::Halted && !rig.raised());
    Computation wanted;
    const auto done = rig.read<uint32_t>(roundsDone);
    for (uint32_t i = 0; i < done; ++i)
        wanted.round();
    verdict.holds("no round was done", done > 0);
    verdict.equal("the digest", state.gpr[Ebx], wanted.ebx);
    verdict.equal("the last number", state.gpr[Eax], wanted.eax);
}

} // namespace

std::vector<ConformanceCase> processorCases()
{
    return {
        { "CPUID is the model's", modelIsTheOneOfTheVm, &host_fault::cpuidIsTheHosts },
        { "#GP by registers that do not exist", registersThatDoNotExist },
        { "model-specific registers of the model", registersOfTheModel },
        { "#GP by a reserved memory type in the PAT", reservedMemoryType, &host_fault::anyPatIsTaken },
        { "RDTSC goes on from its offset", timeStampCounterGoesOn, &host_fault::timeStampCounterIsTheHosts },
        { "the TSC is written", timeStampCounterIsWritten, &host_fault::timeStampCounterIsTheHosts },
        { "x87", coprocessorComputes },
        { "SSE2", vectorsCompute },
        { "locked instructions", lockedInstructions },
        { "SYSENTER", systemCallAndReturn },
        { "from real to protected mode", fromRealToProtectedMode },
        { "a whole state comes back", wholeStateComesBack },
        { "a pending event is delivered", pendingEventIsDelivered },
        { "50 moves to the interpreter and back", movesBetweenEngines },
    };
}

} // namespace namsan
