// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/host_faults.h"

#include "tests/session/bare_kvm.h"

#include <cstring>
#include <thread>

namespace namsan {

namespace {

constexpr uint32_t debug = 1, breakpoint = 3, invalidOpcode = 6, generalProtection = 13;
constexpr uint32_t gdt = 0x1000, idt = 0x2000;

// out 10h,al; sti; nop; nop; cli; hlt, with the window asked for at the OUT.
bool missesNarrowWindow()
{
    BareKvm vm({ 0xe6, 0x10, 0xfb, 0x90, 0x90, 0xfa });
    if (vm.run() != KVM_EXIT_IO)
        return false;
    vm.shared().request_interrupt_window = 1;
    return vm.run() == KVM_EXIT_HLT;
}

// int 80h at CPL 3, of a gate that user mode may call
bool userModeMissesGate()
{
    BareKvm vm({ 0xcd, 0x80 });
    vm.enterUserMode();
    return vm.endsInHandler(invalidOpcode);
}

// mov eax,[400000h], which a page table maps to 20000h
bool pagingFails()
{
    BareKvm vm({ 0xa1, 0x00, 0x00, 0x40, 0x00 });
    constexpr uint32_t directory = 0x30000;
    vm.at<uint32_t>(directory) = 0x31007;
    vm.at<uint32_t>(directory + 4) = 0x32007;
    for (uint32_t page = 0; page < 1024; ++page)
        vm.at<uint32_t>(0x31000 + 4 * page) = page << 12 | 7;
    vm.at<uint32_t>(0x32000) = 0x20007;
    vm.at<uint32_t>(0x20000) = 0x600df00d;
    kvm_sregs state = vm.sregs();
    state.cr3 = directory;
    state.cr0 |= 0x80000000;
    vm.setSregs(state);
    return vm.run() != KVM_EXIT_HLT || vm.regs().rax != 0x600df00d;
}

// mov ecx,10h; mov edx,1000h; xor eax,eax; wrmsr; rdtsc
bool timeStampCounterCannotBeWritten()
{
    BareKvm vm({ 0xb9, 0x10, 0x00, 0x00, 0x00, 0xba, 0x00, 0x10, 0x00, 0x00, 0x31, 0xc0, 0x0f, 0x30, 0x0f, 0x31 });
    return vm.run() != KVM_EXIT_HLT || vm.regs().rdx != 0x1000;
}

// cpuid with EAX = 1, of a processor that has FPU, TSC, MSR and CX8 only
bool featuresAreTheHosts()
{
    constexpr uint32_t features = 0x131;
    BareKvm vm({ 0xb8, 0x01, 0x00, 0x00, 0x00, 0x0f, 0xa2 });
    kvm_cpuid_entry2 first {};
    first.eax = 1;
    first.ebx = 0x756e6547;
    first.edx = 0x49656e69;
    first.ecx = 0x6c65746e;
    kvm_cpuid_entry2 second {};
    second.function = 1;
    second.eax = 0x695;
    second.edx = features;
    vm.setCpuid({ first, second });
    return vm.run() == KVM_EXIT_HLT && vm.regs().rdx != features;
}

// mov ecx,277h; mov eax,2; xor edx,edx; wrmsr: 2 is a reserved memory type
bool reservedPatIsTaken()
{
    BareKvm vm({ 0xb9, 0x77, 0x02, 0x00, 0x00, 0xb8, 0x02, 0x00, 0x00, 0x00, 0x31, 0xd2, 0x0f, 0x30 });
    vm.run();
    return vm.regs().rip == BareKvm::codeAddress + 15;
}

// mov eax,ffffff01h; aam 56: AL becomes 1, which has no sign
bool adjustmentsTakeTheSignOfEax()
{
    BareKvm vm({ 0xb8, 0x01, 0xff, 0xff, 0xff, 0xd4, 0x38 });
    constexpr uint64_t sign = 0x80;
    return vm.run() != KVM_EXIT_HLT || (vm.regs().rax & 0xff) != 1 || (vm.regs().rflags & sign);
}

// mov esp,20000h; enter 0,0 with an operand size of 16 bits, which pushes BP alone
bool shortEnterPushesAllOfEbp()
{
    BareKvm vm({ 0xbc, 0x00, 0x00, 0x02, 0x00, 0x66, 0xc8, 0x00, 0x00, 0x00 });
    return vm.run() != KVM_EXIT_HLT || vm.regs().rsp != 0x1fffe;
}

// mov eax,[200000h], which a page table of PAE maps to 20000h
bool pagingPaeFails()
{
    BareKvm vm({ 0xa1, 0x00, 0x00, 0x20, 0x00 });
    vm.at<uint64_t>(0x30000) = 0x31001;
    vm.at<uint64_t>(0x31000) = 0x83;
    vm.at<uint64_t>(0x31008) = 0x32003;
    vm.at<uint64_t>(0x32000) = 0x20003;
    vm.at<uint32_t>(0x20000) = 0x600df00d;
    kvm_sregs state = vm.sregs();
    state.cr3 = 0x30000;
    state.cr4 = 0x20;
    state.cr0 |= 0x80000000;
    vm.setSregs(state);
    return vm.run() != KVM_EXIT_HLT || vm.regs().rax != 0x600df00d;
}

// int3 at 1000:0000 in virtual-8086 mode
bool virtual8086Fails()
{
    BareKvm vm({ 0xcc });
    kvm_sregs state = vm.sregs();
    for (kvm_segment* segment : { &state.cs, &state.ss, &state.ds, &state.es, &state.fs, &state.gs }) {
        *segment = {};
        segment->selector = 0x1000;
        segment->base = 0x10000;
        segment->limit = 0xffff;
        segment->type = segment->dpl = 3;
        segment->s = segment->present = 1;
    }
    vm.setSregs(state);
    kvm_regs registers = vm.regs();
    registers.rip = 0;
    registers.rflags = 0x20002;
    vm.setRegs(registers);
    return !vm.endsInHandler(breakpoint);
}

// call 43h:0 in user mode, through a call gate to the handler of vector 80h
bool userModeMissesCallGate()
{
    BareKvm vm({ 0x9a, 0, 0, 0, 0, 0x43, 0x00 });
    vm.at<uint64_t>(gdt + 0x40) = 0x0000'ec00'0008'0000 | (BareKvm::handlersAddress + 16 * 0x80);
    vm.enterUserMode();
    return !vm.endsInHandler(0x80);
}

// ud2, with a task gate. What a gate has for an offset says nothing in a task gate; here it leads to a HLT for whoever
// goes by it.
bool taskGateFails()
{
    constexpr uint32_t task = 0x1900, offset = 0x200;
    BareKvm vm({ 0x0f, 0x0b });
    vm.at<uint64_t>(gdt + 0x40) = 0x0000'8900'0000'0067 | uint64_t { task } << 16;
    vm.at<uint64_t>(idt + 8 * invalidOpcode) = 0x0000'8500'0040'0000 | offset;
    vm.at<uint8_t>(offset) = 0xf4;
    vm.at<uint8_t>(0x12000) = 0xf4;
    vm.at<uint32_t>(task + 32) = 0x12000;
    vm.at<uint32_t>(task + 36) = 2;
    vm.at<uint32_t>(task + 76) = 8;
    for (const uint32_t segment : { 72u, 80u, 84u })
        vm.at<uint32_t>(task + segment) = 16;
    return vm.run() != KVM_EXIT_HLT || vm.regs().rip != 0x12001;
}

// mov eax,20000h; mov dr0,eax; mov eax,0d0402h; mov dr7,eax; mov [20000h],eax
bool dataBreakpointsAreMissed()
{
    BareKvm vm({ 0xb8, 0, 0, 2, 0, 0x0f, 0x23, 0xc0, 0xb8, 0x02, 0x04, 0x0d, 0, 0x0f, 0x23, 0xf8, 0xa3, 0, 0, 2, 0 });
    return !vm.endsInHandler(debug);
}

// mov eax,ss; push 102h; popfd; mov ss,eax; nop
bool stepsIntoShadow()
{
    BareKvm vm({ 0x8c, 0xd0, 0x68, 0x02, 0x01, 0, 0, 0x9d, 0x8e, 0xd0, 0x90 });
    return !vm.endsInHandler(debug) || vm.at<uint32_t>(static_cast<uint32_t>(vm.regs().rsp)) != 0x1000b;
}

// mov edi,20000h; mov ecx,5; push 102h; popfd; rep stosb
bool stepsOverRepetitions()
{
    BareKvm vm({ 0xbf, 0, 0, 2, 0, 0xb9, 5, 0, 0, 0, 0x68, 0x02, 0x01, 0, 0, 0x9d, 0xf3, 0xaa });
    return !vm.endsInHandler(debug) || vm.regs().rcx != 4;
}

// push 302h; popfd; out 10h,al, after which an interrupt is injected
bool trapAfterPortIsLost()
{
    BareKvm vm({ 0x68, 0x02, 0x03, 0, 0, 0x9d, 0xe6, 0x10, 0x90 });
    if (vm.run() != KVM_EXIT_IO)
        return true;
    vm.interrupt(0x40);
    return vm.endsInHandler(0x40);
}

// mov eax,[20002h] in user mode, with CR0.AM and EFLAGS.AC; the HLT behind it is #GP there
bool alignmentIsNotChecked()
{
    BareKvm vm({ 0xa1, 2, 0, 2, 0 });
    vm.enterUserMode();
    kvm_sregs state = vm.sregs();
    state.cr0 |= 0x40000;
    vm.setSregs(state);
    kvm_regs registers = vm.regs();
    registers.rflags = 0x40002;
    vm.setRegs(registers);
    return vm.endsInHandler(generalProtection);
}

// lock inc dword [22000h]; wait: pause; cmp dword [22000h],2; jb wait; mov ecx,20000; again: lock inc dword [20ffeh];
// dec ecx; jnz again. A second processor does the same.
uint32_t countAcrossPages(uint32_t times)
{
    constexpr uint32_t secondCode = 0x11000, where = 0x20ffe;
    std::vector<uint8_t> code { 0xf0, 0xff, 0x05, 0, 0x20, 2, 0, 0xf3, 0x90, 0x81, 0x3d, 0, 0x20, 2, 0, 2, 0, 0, 0,
        0x72, 0xf2, 0xb9, 0, 0, 0, 0, 0xf0, 0xff, 0x05, 0xfe, 0x0f, 2, 0, 0x49, 0x75, 0xf6 };
    std::memcpy(&code[22], &times, sizeof times);
    BareKvm vm(code);
    vm.addSecond(secondCode, code);
    std::thread second([&vm] { vm.runSecond(); });
    vm.run();
    second.join();
    uint32_t count;
    std::memcpy(&count, &vm.at<uint8_t>(where), sizeof count);
    return count;
}

// Two that never run at once lose nothing, so it is tried again.
bool splitLocksLoseCounts()
{
    constexpr uint32_t times = 20000;
    constexpr unsigned tries = 20;
    for (unsigned n = 0; n < tries; ++n)
        if (countAcrossPages(times) != 2 * times)
            return true;
    return false;
}

} // namespace

namespace host_fault {

const HostFault narrowWindowIsMissed {
    "This host's KVM misses an interrupt window of two instructions (OUT; STI; NOP; NOP; CLI; HLT).", missesNarrowWindow
};
const HostFault userModeCannotCallGates { "This host's KVM gives #UD for INT 80h in user mode.", userModeMissesGate };
const HostFault paging32DoesNotWork { "This host's KVM cannot run a guest with 32-bit paging.", pagingFails };
const HostFault timeStampCounterIsTheHosts { "This host's KVM ignores writes to the guest's time stamp counter.",
    timeStampCounterCannotBeWritten };
const HostFault cpuidIsTheHosts { "This host's KVM tells the host's features in CPUID leaf 1 and not the ones set.",
    featuresAreTheHosts };
const HostFault pagingPaeDoesNotWork { "This host's KVM cannot run a guest with PAE paging.", pagingPaeFails };
const HostFault virtual8086ModeDoesNotWork { "This host's KVM cannot run a guest in virtual-8086 mode.",
    virtual8086Fails };
const HostFault userModeCannotUseCallGates { "This host's KVM has no call gates for user mode.",
    userModeMissesCallGate };
const HostFault taskGatesAreNone { "This host's KVM takes a task gate for an interrupt gate.", taskGateFails };
const HostFault dataBreakpointsAreNotHit { "This host's KVM never hits the guest's data breakpoints.",
    dataBreakpointsAreMissed };
const HostFault shadowHoldsNoTrapBack { "This host's KVM lets a single-step trap come right behind MOV SS.",
    stepsIntoShadow };
const HostFault repetitionIsOneStep { "This host's KVM takes a whole repetition for a single step.",
    stepsOverRepetitions };
const HostFault trapAfterPortAccessIsLost {
    "This host's KVM lets an interrupt come before the single-step trap of an OUT.", trapAfterPortIsLost
};
const HostFault noAlignmentChecks { "This host's KVM does not check alignment.", alignmentIsNotChecked };
const HostFault splitLocksAreNotAtomic { "This host's KVM loses counts of a LOCK INC across two pages on two vCPUs.",
    splitLocksLoseCounts };
const HostFault anyPatIsTaken { "This host's KVM takes a reserved memory type in IA32_PAT.", reservedPatIsTaken };

const HostFault adjustmentsTakeFlagsOfEax { "This host's KVM sets the flags of AAM and AAD by EAX and not by AL.",
    adjustmentsTakeTheSignOfEax };
const HostFault shortEnterPushesTheLongWay {
    "This host's KVM pushes as ENTER's stack is wide and not as its operand is.", shortEnterPushesAllOfEbp
};

} // namespace host_fault

} // namespace namsan
