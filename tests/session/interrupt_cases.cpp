// SPDX-License-Identifier: GPL-3.0-or-later
// HLT, interrupts, the interrupt window and its shadow, NMIs.
#include "tests/session/host_faults.h"
#include "tests/session/session_rig.h"

namespace namsan {

namespace {

using End = SessionRig::End;

constexpr uint8_t nmiVector = 2;

// Makes the handler of a vector count into [5000h] and return, instead of halting.
void countIn(SessionRig& rig, unsigned vector)
{
    // inc dword [5000h]; iretd
    rig.store(SessionRig::handlersAddress + 16 * vector, { 0xff, 0x05, 0x00, 0x50, 0x00, 0x00, 0xcf });
}

void haltThenInterrupt(SessionRig& rig, Verdict& verdict)
{
    // sti; hlt; mov ebx,1
    rig.flat32({ 0xfb, 0xf4, 0xbb, 0x01, 0x00, 0x00, 0x00 });
    countIn(rig, 0x40);
    verdict.ends(rig, rig.run(), End::Halted);
    verdict.holds("it is not told as halted", rig.state.mpState == MpState::Halted);
    verdict.holds("IF is clear", rig.state.eflags & eflags::interruptEnable);
    verdict.holds("it says that no interrupt can wake it", rig.vcpu().canWakeItself());
    verdict.holds("it has work", !rig.vcpu().hasWork());
    verdict.equal("EIP", rig.state.eip, SessionRig::codeAddress + 2);
    verdict.ends(rig, rig.goOn(), End::Halted);
    verdict.equal("EIP without an interrupt", rig.state.eip, SessionRig::codeAddress + 2);
    rig.vcpu().setInterruptRequest(true);
    verdict.ends(rig, rig.goOn(), End::Halted);
    verdict.equal("interrupts handled", rig.read<uint32_t>(0x5000), 1u);
    verdict.equal("EBX", rig.reg(Ebx), 1u);
    verdict.equal("acknowledgements", rig.bus.acknowledged, 1u);
}

void haltWithInterruptsOff(SessionRig& rig, Verdict& verdict)
{
    // cli; hlt
    rig.flat32({ 0xfa });
    verdict.halts(rig, rig.run());
    verdict.holds("it says that it can wake", !rig.vcpu().canWakeItself());
    rig.vcpu().setInterruptRequest(true);
    verdict.halts(rig, rig.goOn());
    verdict.equal("EIP", rig.state.eip, SessionRig::codeAddress + 2);
    verdict.equal("acknowledgements", rig.bus.acknowledged, 0u);
    verdict.holds("a request lets it say that it can wake", !rig.vcpu().canWakeItself());
    rig.vcpu().kick();
    verdict.holds("a kick lets it say that it can wake", !rig.vcpu().canWakeItself());
    rig.vcpu().raiseNmi();
    verdict.holds("it says that an NMI cannot wake it", rig.vcpu().canWakeItself());
}

void haltInTheHandlerOfAnNmi(SessionRig& rig, Verdict& verdict)
{
    // out 10h,al; jmp $
    rig.flat32({ 0xe6, 0x10, 0xeb, 0xfe });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().raiseNmi(); };
    verdict.raises(rig, rig.run(), nmiVector);
    verdict.holds("it says that it can wake", !rig.vcpu().canWakeItself());
    rig.vcpu().raiseNmi(); // blocked until IRET: Intel SDM volume 3, 6.7.1
    verdict.raises(rig, rig.goOn(), nmiVector);
    verdict.holds("it says that another NMI can wake it", !rig.vcpu().canWakeItself());
}

void manyHalts(SessionRig& rig, Verdict& verdict)
{
    // sti; again: hlt; inc ebx; jmp again
    rig.flat32({ 0xfb, 0xf4, 0x43, 0xeb, 0xfc });
    countIn(rig, 0x40);
    verdict.ends(rig, rig.run(), End::Halted);
    for (unsigned i = 0; i < 50; ++i) {
        rig.vcpu().setInterruptRequest(true);
        verdict.ends(rig, rig.goOn(), End::Halted);
    }
    verdict.equal("EBX", rig.reg(Ebx), 50u);
    verdict.equal("interrupts handled", rig.read<uint32_t>(0x5000), 50u);
}

void requestWaitsForItsWindow(SessionRig& rig, Verdict& verdict)
{
    // out 10h,al; mov ecx,1000; dec ecx; jnz $-1; sti; inc ebx; inc ebx; cli
    rig.flat32({ 0xe6, 0x10, 0xb9, 0xe8, 0x03, 0x00, 0x00, 0x49, 0x75, 0xfd, 0xfb, 0x43, 0x43, 0xfa });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().setInterruptRequest(true); };
    verdict.raises(rig, rig.run(), 0x40);
    // STI's shadow: the instruction behind it comes first. Intel SDM volume 2, STI.
    verdict.equal("EBX", rig.reg(Ebx), 1u);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 12);
    verdict.equal("ECX", rig.reg(Ecx), 0u);
}

void requestWhileItRuns(SessionRig& rig, Verdict& verdict)
{
    // sti; nop; out 10h,al; jmp $
    rig.flat32({ 0xfb, 0x90, 0xe6, 0x10, 0xeb, 0xfe });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().setInterruptRequest(true); };
    verdict.raises(rig, rig.run(), 0x40);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 4);
    verdict.holds("IF is set in an interrupt gate's handler", !(rig.state.eflags & eflags::interruptEnable));
    verdict.holds("IF is not set in the flags pushed", rig.pushed(2) & eflags::interruptEnable);
}

void requestTakenBack(SessionRig& rig, Verdict& verdict)
{
    // out 10h,al; out 11h,al; sti; nop; nop; cli
    rig.flat32({ 0xe6, 0x10, 0xe6, 0x11, 0xfb, 0x90, 0x90, 0xfa });
    rig.bus.onPortOut = [&rig](Port port, uint32_t) { rig.vcpu().setInterruptRequest(port == 0x10); };
    verdict.halts(rig, rig.run());
    verdict.equal("acknowledgements", rig.bus.acknowledged, 0u);
}

void shadowOfMovSs(SessionRig& rig, Verdict& verdict)
{
    // mov eax,ss; out 10h,al; sti; mov ss,eax; inc ebx; inc ebx; cli
    rig.flat32({ 0x8c, 0xd0, 0xe6, 0x10, 0xfb, 0x8e, 0xd0, 0x43, 0x43, 0xfa });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().setInterruptRequest(true); };
    verdict.raises(rig, rig.run(), 0x40);
    // The shadow of STI ends with MOV SS, whose own covers the next instruction. Real processors may let the interrupt
    // in between: only the first of a row of such instructions must hold it off (Intel SDM volume 3, 6.8.3).
    verdict.holds("the return address is elsewhere",
        rig.pushed(0) == SessionRig::codeAddress + 7 || rig.pushed(0) == SessionRig::codeAddress + 8);
}

void popfOpensTheWindowAtOnce(SessionRig& rig, Verdict& verdict)
{
    // out 10h,al; push 202h; popfd; inc ebx; cli
    rig.flat32({ 0xe6, 0x10, 0x68, 0x02, 0x02, 0x00, 0x00, 0x9d, 0x43, 0xfa });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().setInterruptRequest(true); };
    verdict.raises(rig, rig.run(), 0x40);
    verdict.equal("EBX", rig.reg(Ebx), 0u);
}

void interruptInRealMode(SessionRig& rig, Verdict& verdict)
{
    // sti; nop; out 10h,al; jmp $
    rig.real16({ 0xfb, 0x90, 0xe6, 0x10, 0xeb, 0xfe });
    rig.bus.vector = 8; // IRQ 0 as PC BIOSes have it
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().setInterruptRequest(true); };
    verdict.raises(rig, rig.run(), 8);
    verdict.equal("return address", rig.pushed(0), 4u);
    verdict.equal("code segment pushed", rig.pushed(1), SessionRig::codeAddress >> 4);
}

void softwareInterrupt(SessionRig& rig, Verdict& verdict)
{
    // int 80h
    rig.flat32({ 0xcd, 0x80 });
    verdict.raises(rig, rig.run(), 0x80);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 2);
    verdict.equal("acknowledgements", rig.bus.acknowledged, 0u);
}

void nmiWhileHalted(SessionRig& rig, Verdict& verdict)
{
    // cli; hlt; mov ebx,1
    rig.flat32({ 0xfa, 0xf4, 0xbb, 0x01, 0x00, 0x00, 0x00 });
    countIn(rig, nmiVector);
    verdict.ends(rig, rig.run(), End::Halted);
    rig.vcpu().raiseNmi();
    verdict.ends(rig, rig.goOn(), End::Halted);
    verdict.equal("NMIs handled", rig.read<uint32_t>(0x5000), 1u);
    verdict.equal("EBX", rig.reg(Ebx), 1u);
    verdict.holds("NMIs stay blocked after IRET", !rig.state.nmiBlocked);
}

void nmiWhileItRuns(SessionRig& rig, Verdict& verdict)
{
    // out 10h,al; jmp $
    rig.flat32({ 0xe6, 0x10, 0xeb, 0xfe });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().raiseNmi(); };
    verdict.raises(rig, rig.run(), nmiVector);
    verdict.holds("NMIs are not blocked in the handler", rig.state.nmiBlocked);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 2);
}

void nmisAreBlockedUntilIret(SessionRig& rig, Verdict& verdict)
{
    // out 10h,al; mov ebx,[5000h]
    rig.flat32({ 0xe6, 0x10, 0x90, 0x8b, 0x1d, 0x00, 0x50, 0x00, 0x00 });
    // The handler: inc dword [5000h]; cmp dword [5000h],1; jne over; out 11h,al; mov ecx,[5000h]; over: iretd
    rig.store(SessionRig::handlersAddress + 0x1000,
        { 0xff, 0x05, 0x00, 0x50, 0x00, 0x00, 0x83, 0x3d, 0x00, 0x50, 0x00, 0x00, 0x01, 0x75, 0x08, 0xe6, 0x11, 0x8b,
            0x0d, 0x00, 0x50, 0x00, 0x00, 0xcf });
    // The vector's place is short: jmp there.
    rig.store(SessionRig::handlersAddress + 16 * nmiVector, { 0xe9, 0xdb, 0x0f, 0x00, 0x00 });
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().raiseNmi(); };
    verdict.halts(rig, rig.run());
    verdict.equal("NMIs handled before the first one's IRET", rig.reg(Ecx), 1u);
    verdict.equal("NMIs handled", rig.reg(Ebx), 2u);
}

void nmiBeforeInterrupt(SessionRig& rig, Verdict& verdict)
{
    // sti; nop; out 10h,al; jmp $
    rig.flat32({ 0xfb, 0x90, 0xe6, 0x10, 0xeb, 0xfe });
    rig.bus.onPortOut = [&rig](Port, uint32_t) {
        rig.vcpu().setInterruptRequest(true);
        rig.vcpu().raiseNmi();
    };
    verdict.raises(rig, rig.run(), nmiVector);
}

void interruptsOfferedOneAfterTheOther(SessionRig& rig, Verdict& verdict)
{
    // sti; nop; out 10h,al; again: cmp dword [5000h],1000; jb again; cli
    rig.flat32(
        { 0xfb, 0x90, 0xe6, 0x10, 0x81, 0x3d, 0x00, 0x50, 0x00, 0x00, 0xe8, 0x03, 0x00, 0x00, 0x72, 0xf4, 0xfa });
    countIn(rig, 0x40);
    rig.bus.onPortOut = [&rig](Port, uint32_t) { rig.vcpu().setInterruptRequest(true); };
    rig.bus.onAcknowledge = [&rig] { rig.vcpu().setInterruptRequest(rig.bus.acknowledged < 1000); };
    verdict.halts(rig, rig.run());
    verdict.equal("interrupts handled", rig.read<uint32_t>(0x5000), 1000u);
    verdict.equal("acknowledgements", rig.bus.acknowledged, 1000u);
}

void interruptBetweenRepetitions(SessionRig& rig, Verdict& verdict)
{
    // sti; mov esi,20000h; mov ecx,1000; mov dx,e9h; rep outsb
    rig.flat32(
        { 0xfb, 0xbe, 0x00, 0x00, 0x02, 0x00, 0xb9, 0xe8, 0x03, 0x00, 0x00, 0x66, 0xba, 0xe9, 0x00, 0xf3, 0x6e });
    countIn(rig, 0x40);
    rig.bus.onPortOut = [&rig](Port, uint32_t) {
        if (rig.bus.portWrites.size() % 100 == 1)
            rig.vcpu().setInterruptRequest(true);
    };
    verdict.ends(rig, rig.run(), End::Halted);
    verdict.equal("bytes written", rig.bus.portWrites.size(), 1000u);
    verdict.equal("ECX", rig.reg(Ecx), 0u);
    verdict.holds("no interrupt was taken", rig.read<uint32_t>(0x5000) > 0);
}

} // namespace

std::vector<ConformanceCase> interruptCases()
{
    return {
        { "HLT, then an interrupt", haltThenInterrupt },
        { "HLT with interrupts off", haltWithInterruptsOff },
        { "HLT in the handler of an NMI", haltInTheHandlerOfAnNmi },
        { "HLT and interrupt 50 times", manyHalts },
        { "a request waits for STI and its shadow", requestWaitsForItsWindow, &host_fault::narrowWindowIsMissed },
        { "a request while the guest runs", requestWhileItRuns },
        { "a request that is taken back", requestTakenBack },
        { "the shadow of MOV SS", shadowOfMovSs, &host_fault::narrowWindowIsMissed },
        { "POPF opens the window at once", popfOpensTheWindowAtOnce, &host_fault::narrowWindowIsMissed },
        { "an interrupt in real mode", interruptInRealMode },
        { "INT n", softwareInterrupt },
        { "an NMI while halted with interrupts off", nmiWhileHalted },
        { "an NMI while the guest runs", nmiWhileItRuns },
        { "NMIs are blocked until IRET", nmisAreBlockedUntilIret },
        { "an NMI goes before an interrupt", nmiBeforeInterrupt },
        { "1000 interrupts one after the other", interruptsOfferedOneAfterTheOther },
        { "interrupts between repetitions", interruptBetweenRepetitions },
    };
}

} // namespace namsan
