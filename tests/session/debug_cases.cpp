// SPDX-License-Identifier: GPL-3.0-or-later
// Breakpoints, single steps, alignment checks.
#include "tests/session/host_faults.h"
#include "tests/session/session_rig.h"

namespace namsan {

namespace {

constexpr unsigned debug = 1, alignmentCheck = 17;
constexpr uint32_t breakpoint0 = 1, singleStepReason = 1 << 14, accessReason = 1 << 13;
constexpr uint32_t dr6Reasons = 0xe00f;

void trapsFor(SessionRig& rig, Verdict& verdict, uint32_t reasons, uint32_t returnAddress)
{
    verdict.raises(rig, rig.run(), debug);
    verdict.equal("reasons in DR6", rig.state.dr[6] & dr6Reasons, reasons);
    verdict.equal("return address", rig.pushed(0), returnAddress);
}

void instructionBreakpoint(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0x43, 0x43, 0x43 });
    rig.state.dr[0] = SessionRig::codeAddress + 2;
    rig.state.dr[7] = 0x402;
    trapsFor(rig, verdict, breakpoint0, SessionRig::codeAddress + 2);
    verdict.equal("EBX", rig.reg(Ebx), 2u);
    verdict.holds("RF was pushed", !(rig.pushed(2) & eflags::resume));
}

void instructionBreakpointIsResumed(SessionRig& rig, Verdict& verdict)
{
    // Vector 1: or dword [esp+8],10000h; inc ecx; iretd
    rig.flat32({ 0x43, 0x43, 0x43 });
    rig.store(SessionRig::handlersAddress + 16, { 0x81, 0x4c, 0x24, 0x08, 0, 0, 1, 0, 0x41, 0xcf });
    rig.state.dr[0] = SessionRig::codeAddress + 1;
    rig.state.dr[7] = 0x402;
    rig.state.gpr[Ecx] = 0;
    verdict.halts(rig, rig.run());
    verdict.equal("EBX", rig.reg(Ebx), 3u);
    verdict.equal("breakpoints hit", rig.reg(Ecx), 1u);
}

void writeBreakpoint(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[20000h]; mov [20000h],eax; inc ebx
    rig.flat32({ 0xa1, 0x00, 0x00, 0x02, 0x00, 0xa3, 0x00, 0x00, 0x02, 0x00, 0x43 });
    rig.state.dr[0] = SessionRig::dataAddress;
    rig.state.dr[7] = 0x000d0402;
    trapsFor(rig, verdict, breakpoint0, SessionRig::codeAddress + 10);
    verdict.equal("EBX", rig.reg(Ebx), 0u);
}

void accessBreakpoint(SessionRig& rig, Verdict& verdict)
{
    // mov eax,[20000h]; inc ebx, with two bytes at 20002h watched by DR1
    rig.flat32({ 0xa1, 0x00, 0x00, 0x02, 0x00, 0x43 });
    rig.state.dr[1] = SessionRig::dataAddress + 2;
    rig.state.dr[7] = 0x00700408;
    trapsFor(rig, verdict, 1 << 1, SessionRig::codeAddress + 5);
}

void generalDetect(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0x43, 0x0f, 0x21, 0xc0 }); // inc ebx; mov eax,dr0
    rig.state.dr[7] = 0x2400;
    trapsFor(rig, verdict, accessReason, SessionRig::codeAddress + 1);
    verdict.holds("GD is still set", !(rig.state.dr[7] & 0x2000));
}

void stepBehindMovSs(SessionRig& rig, Verdict& verdict)
{
    // mov eax,ss; push 102h; popfd; mov ss,eax; inc ebx; inc ebx
    rig.flat32({ 0x8c, 0xd0, 0x68, 0x02, 0x01, 0x00, 0x00, 0x9d, 0x8e, 0xd0, 0x43, 0x43 });
    trapsFor(rig, verdict, singleStepReason, SessionRig::codeAddress + 11);
    verdict.equal("EBX", rig.reg(Ebx), 1u);
}

void stepThroughRepetition(SessionRig& rig, Verdict& verdict)
{
    // push 102h; popfd; rep stosb
    rig.flat32({ 0x68, 0x02, 0x01, 0x00, 0x00, 0x9d, 0xf3, 0xaa });
    rig.state.gpr[Edi] = SessionRig::dataAddress;
    rig.state.gpr[Ecx] = 5;
    trapsFor(rig, verdict, singleStepReason, SessionRig::codeAddress + 6);
    verdict.equal("ECX", rig.reg(Ecx), 4u);
}

void stepIntoSoftwareInterrupt(SessionRig& rig, Verdict& verdict)
{
    // push 102h; popfd; int 40h
    rig.flat32({ 0x68, 0x02, 0x01, 0x00, 0x00, 0x9d, 0xcd, 0x40 });
    verdict.raises(rig, rig.run(), 0x40);
    verdict.holds("TF was not pushed", rig.pushed(2) & eflags::trap);
    verdict.equal("reasons in DR6", rig.state.dr[6] & dr6Reasons, 0u);
}

void trapBeforeInterrupt(SessionRig& rig, Verdict& verdict)
{
    // push 302h; popfd; out 10h,al, which has an interrupt requested; inc ebx
    rig.flat32({ 0x68, 0x02, 0x03, 0x00, 0x00, 0x9d, 0xe6, 0x10, 0x43 });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().setInterruptRequest(true); };
    trapsFor(rig, verdict, singleStepReason, SessionRig::codeAddress + 8);
    verdict.equal("acknowledgements", rig.bus.acknowledged, 0u);
}

// In user mode with alignment checked.
void checkedUser32(SessionRig& rig, std::vector<uint8_t> code)
{
    rig.flat32(std::move(code));
    rig.state.segments.fill({ SessionRig::userData, 0xc0f3, 0, 0xffffffff });
    rig.state.segments[Cs] = { SessionRig::userCode, 0xc0fb, 0, 0xffffffff };
    rig.state.cr0 |= cr0::alignmentMask;
    rig.state.eflags |= eflags::alignmentCheck;
}

void alignmentIsChecked(SessionRig& rig, Verdict& verdict)
{
    // mov ax,[20002h]; mov eax,[20004h]; mov eax,[20002h]
    checkedUser32(rig, { 0x66, 0xa1, 2, 0, 2, 0, 0xa1, 4, 0, 2, 0, 0xa1, 2, 0, 2, 0 });
    verdict.raises(rig, rig.run(), alignmentCheck);
    verdict.equal("error code", rig.pushed(0), 0u);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress + 11);
    // add [20001h],eax: nothing is written
    checkedUser32(rig, { 0x01, 0x05, 1, 0, 2, 0 });
    rig.state.gpr[Eax] = 0x01010101;
    rig.write<uint64_t>(SessionRig::dataAddress, 0);
    verdict.raises(rig, rig.run(), alignmentCheck);
    verdict.equal("what is there", rig.read<uint64_t>(SessionRig::dataAddress), 0u);
}

void alignmentIsTheUsersAlone(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0xa1, 1, 0, 2, 0 });
    rig.state.cr0 |= cr0::alignmentMask;
    rig.state.eflags |= eflags::alignmentCheck;
    verdict.halts(rig, rig.run());
}

} // namespace

std::vector<ConformanceCase> debugCases()
{
    return {
        { "an instruction breakpoint", instructionBreakpoint },
        { "RF passes an instruction breakpoint", instructionBreakpointIsResumed },
        { "a breakpoint on writes", writeBreakpoint, &host_fault::dataBreakpointsAreNotHit },
        { "a breakpoint on reads", accessBreakpoint, &host_fault::dataBreakpointsAreNotHit },
        { "#DB by general detect", generalDetect },
        { "single step behind MOV SS", stepBehindMovSs, &host_fault::shadowHoldsNoTrapBack },
        { "single step through a repetition", stepThroughRepetition, &host_fault::repetitionIsOneStep },
        { "single step and INT n", stepIntoSoftwareInterrupt },
        { "a debug trap goes before an interrupt", trapBeforeInterrupt, &host_fault::trapAfterPortAccessIsLost },
        { "#AC in user mode", alignmentIsChecked, &host_fault::noAlignmentChecks },
        { "no #AC in the system", alignmentIsTheUsersAlone },
    };
}

} // namespace namsan
