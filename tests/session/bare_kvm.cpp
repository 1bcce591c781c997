// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/bare_kvm.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace namsan {

namespace {

constexpr uint32_t gdtAddress = 0x1000, idtAddress = 0x2000, tssAddress = 0x1800;

int checked(int result)
{
    if (result < 0)
        throw std::runtime_error("the host's KVM refuses the simplest VM");
    return result;
}

kvm_segment flat(uint16_t selector, uint8_t type)
{
    kvm_segment segment {};
    segment.limit = 0xffffffff;
    segment.selector = selector;
    segment.type = type;
    segment.present = segment.db = segment.s = segment.g = 1;
    return segment;
}

} // namespace

BareKvm::BareKvm(std::vector<uint8_t> code)
{
    m_device = checked(open("/dev/kvm", O_RDWR | O_CLOEXEC));
    m_vm = checked(ioctl(m_device, KVM_CREATE_VM, 0));
    checked(ioctl(m_vm, KVM_SET_TSS_ADDR, 0xfffbd000));
    void* memory = mmap(nullptr, memorySize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    m_memory = static_cast<uint8_t*>(memory);
    kvm_userspace_memory_region region {};
    region.memory_size = memorySize;
    region.userspace_addr = reinterpret_cast<uintptr_t>(m_memory);
    checked(ioctl(m_vm, KVM_SET_USER_MEMORY_REGION, &region));
    m_vcpu = checked(ioctl(m_vm, KVM_CREATE_VCPU, 0));
    m_runSize = static_cast<uint64_t>(checked(ioctl(m_device, KVM_GET_VCPU_MMAP_SIZE, 0)));
    m_run = static_cast<kvm_run*>(mmap(nullptr, m_runSize, PROT_READ | PROT_WRITE, MAP_SHARED, m_vcpu, 0));

    for (uint32_t vector = 0; vector < 256; ++vector) {
        const uint32_t handler = handlersAddress + 16 * vector;
        at<uint8_t>(handler) = 0xf4;
        at<uint64_t>(idtAddress + 8 * vector) = uint64_t { 0xee00 } << 32 | 8 << 16 | handler;
    }
    const uint64_t descriptors[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff,
        0x00008b0000000067 | uint64_t { tssAddress } << 16 };
    std::memcpy(m_memory + gdtAddress, descriptors, sizeof descriptors);
    at<uint32_t>(tssAddress + 4) = 0x80000;
    at<uint32_t>(tssAddress + 8) = 16;

    kvm_sregs state = sregs();
    state.cr0 = 0x31;
    state.gdt.base = gdtAddress;
    state.gdt.limit = 0xff;
    state.idt.base = idtAddress;
    state.idt.limit = 0x7ff;
    state.cs = flat(8, 11);
    state.ds = state.es = state.fs = state.gs = state.ss = flat(16, 3);
    state.tr = {};
    state.tr.base = tssAddress;
    state.tr.limit = 0x67;
    state.tr.selector = 0x28;
    state.tr.type = 11;
    state.tr.present = 1;
    setSregs(state);
    kvm_regs registers {};
    registers.rip = codeAddress;
    registers.rsp = 0x90000;
    registers.rflags = 2;
    checked(ioctl(m_vcpu, KVM_SET_REGS, &registers));
    code.push_back(0xf4);
    store(codeAddress, code);
}

BareKvm::~BareKvm()
{
    if (m_secondRun) {
        munmap(m_secondRun, m_runSize);
        close(m_second);
    }
    munmap(m_run, m_runSize);
    close(m_vcpu);
    close(m_vm);
    close(m_device);
    munmap(m_memory, memorySize);
}

void BareKvm::store(uint32_t address, const std::vector<uint8_t>& bytes)
{
    std::copy(bytes.begin(), bytes.end(), m_memory + address);
}

kvm_sregs BareKvm::sregs()
{
    kvm_sregs state {};
    checked(ioctl(m_vcpu, KVM_GET_SREGS, &state));
    return state;
}

void BareKvm::setSregs(const kvm_sregs& state)
{
    checked(ioctl(m_vcpu, KVM_SET_SREGS, &state));
}

kvm_regs BareKvm::regs()
{
    kvm_regs registers {};
    checked(ioctl(m_vcpu, KVM_GET_REGS, &registers));
    return registers;
}

void BareKvm::setRegs(const kvm_regs& registers)
{
    checked(ioctl(m_vcpu, KVM_SET_REGS, &registers));
}

void BareKvm::interrupt(uint8_t vector)
{
    const kvm_interrupt request { vector };
    checked(ioctl(m_vcpu, KVM_INTERRUPT, &request));
}

void BareKvm::enterUserMode()
{
    kvm_sregs state = sregs();
    state.cs.selector = 0x1b;
    state.ss.selector = 0x23;
    state.cs.dpl = state.ss.dpl = 3;
    state.ds = state.es = state.fs = state.gs = state.ss;
    setSregs(state);
}

void BareKvm::setCpuid(const std::vector<kvm_cpuid_entry2>& entries)
{
    std::vector<uint64_t> room((sizeof(kvm_cpuid2) + entries.size() * sizeof(kvm_cpuid_entry2)) / 8 + 1);
    auto* list = reinterpret_cast<kvm_cpuid2*>(room.data());
    list->nent = static_cast<uint32_t>(entries.size());
    std::memcpy(reinterpret_cast<uint8_t*>(room.data()) + sizeof(kvm_cpuid2), entries.data(),
        entries.size() * sizeof(kvm_cpuid_entry2));
    checked(ioctl(m_vcpu, KVM_SET_CPUID2, list));
}

void BareKvm::addSecond(uint32_t address, std::vector<uint8_t> code)
{
    m_second = checked(ioctl(m_vm, KVM_CREATE_VCPU, 1));
    m_secondRun = static_cast<kvm_run*>(mmap(nullptr, m_runSize, PROT_READ | PROT_WRITE, MAP_SHARED, m_second, 0));
    const kvm_sregs state = sregs();
    checked(ioctl(m_second, KVM_SET_SREGS, &state));
    kvm_regs registers = regs();
    registers.rip = address;
    registers.rsp -= 0x1000;
    checked(ioctl(m_second, KVM_SET_REGS, &registers));
    code.push_back(0xf4);
    store(address, code);
}

uint32_t BareKvm::runSecond()
{
    return ioctl(m_second, KVM_RUN, 0) == 0 ? m_secondRun->exit_reason : KVM_EXIT_UNKNOWN;
}

uint32_t BareKvm::run()
{
    return ioctl(m_vcpu, KVM_RUN, 0) == 0 ? m_run->exit_reason : KVM_EXIT_UNKNOWN;
}

} // namespace namsan
