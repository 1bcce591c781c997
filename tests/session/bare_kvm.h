// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/session/kvm/kvm_api.h"

#include <cstdint>
#include <vector>

namespace namsan {

// A VM of the host's KVM made with nothing but its ioctls: 4 MiB of memory, one vCPU in flat protected mode, no
// irqchip. For showing what the host's KVM does where none of our engine takes part.
class BareKvm {
public:
    static constexpr uint32_t codeAddress = 0x10000;
    static constexpr uint32_t handlersAddress = 0x3000; // one HLT for each vector, 16 bytes apart

    explicit BareKvm(std::vector<uint8_t> code);
    ~BareKvm();
    BareKvm(const BareKvm&) = delete;
    BareKvm& operator=(const BareKvm&) = delete;

    template <class T> T& at(uint32_t address) { return *reinterpret_cast<T*>(m_memory + address); }
    void store(uint32_t address, const std::vector<uint8_t>& bytes);

    kvm_sregs sregs();
    void setSregs(const kvm_sregs&);
    kvm_regs regs();
    void setRegs(const kvm_regs&);
    void interrupt(uint8_t vector); // an external one; interrupts must be on
    void setCpuid(const std::vector<kvm_cpuid_entry2>&);

    // Of user mode, with flat segments.
    void enterUserMode();

    // A second vCPU, like the first one but for its code, which lies at `address`.
    void addSecond(uint32_t address, std::vector<uint8_t> code);
    uint32_t runSecond();

    uint32_t run(); // the exit's reason, or KVM_EXIT_UNKNOWN where KVM_RUN fails
    kvm_run& shared() { return *m_run; }
    // Whether it runs to the HLT of that vector's handler.
    bool endsInHandler(uint32_t vector)
    {
        return run() == KVM_EXIT_HLT && regs().rip == handlersAddress + 16 * vector + 1;
    }

private:
    static constexpr uint64_t memorySize = 4 << 20;

    int m_device = -1, m_vm = -1, m_vcpu = -1, m_second = -1;
    uint8_t* m_memory = nullptr;
    kvm_run* m_run = nullptr;
    kvm_run* m_secondRun = nullptr;
    uint64_t m_runSize = 0;
};

} // namespace namsan
