// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/host_faults.h"

#include "tests/session/bare_kvm.h"

namespace namsan {

namespace {

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
    kvm_sregs state = vm.sregs();
    state.cs.selector = 0x1b;
    state.ss.selector = 0x23;
    state.cs.dpl = state.ss.dpl = 3;
    state.ds = state.es = state.fs = state.gs = state.ss;
    vm.setSregs(state);
    constexpr uint32_t invalidOpcode = 6;
    return vm.run() == KVM_EXIT_HLT && vm.regs().rip == BareKvm::handlersAddress + 16 * invalidOpcode + 1;
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
const HostFault anyPatIsTaken { "This host's KVM takes a reserved memory type in IA32_PAT.", reservedPatIsTaken };

const HostFault adjustmentsTakeFlagsOfEax { "This host's KVM sets the flags of AAM and AAD by EAX and not by AL.",
    adjustmentsTakeTheSignOfEax };

} // namespace host_fault

} // namespace namsan
