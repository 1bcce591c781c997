// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_cpuid.h"

#include "vmm/session/kvm/kvm_call.h"

#include <algorithm>

namespace namsan {

namespace {

// KVM takes a model only with 48 or 57 bits of linear addresses, or with 0, which does not tell how many: here it does
// not tell. (Linux, kvm_check_cpuid)
constexpr uint32_t addressSizes = 0x80000008;
constexpr uint32_t physicalAddressBits = 0xff;

} // namespace

std::vector<kvm_cpuid_entry2> cpuidEntries(const CpuModel& model)
{
    std::vector<kvm_cpuid_entry2> entries;
    for (const uint32_t firstOfRange : { 0u, 0x80000000u }) {
        const uint32_t last = model.cpuid(firstOfRange, 0).eax;
        for (uint32_t leaf = firstOfRange; leaf <= last; ++leaf) {
            const CpuidResult result = model.cpuid(leaf, 0);
            kvm_cpuid_entry2 entry {};
            entry.function = leaf;
            entry.eax = leaf == addressSizes ? result.eax & physicalAddressBits : result.eax;
            entry.ebx = result.ebx;
            entry.ecx = result.ecx;
            entry.edx = result.edx;
            entries.push_back(entry);
        }
    }
    return entries;
}

Result<void> setCpuid(int vcpu, const CpuModel& model)
{
    const std::vector<kvm_cpuid_entry2> entries = cpuidEntries(model);
    KvmList<kvm_cpuid2, kvm_cpuid_entry2> list(entries.size());
    list.head()->nent = static_cast<uint32_t>(entries.size());
    std::ranges::copy(entries, list.entries());
    return kvmCall(vcpu, KVM_SET_CPUID2, list.head(), fmt::format("the CPU model {}", model.name()));
}

} // namespace namsan
