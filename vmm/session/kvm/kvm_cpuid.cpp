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

// How many answers a leaf has, by ECX; 0: one, whatever ECX is. Intel SDM volume 2, CPUID.
uint32_t subleavesOf(uint32_t leaf)
{
    switch (leaf) {
    case 4: // a cache, and the end
        return 2;
    case 0x0b: // threads, cores, and the end
        return 3;
    default:
        return 0;
    }
}

} // namespace

std::vector<kvm_cpuid_entry2> cpuidEntries(const CpuModel& model, const ProcessorPlace& place)
{
    std::vector<kvm_cpuid_entry2> entries;
    for (const uint32_t firstOfRange : { 0u, 0x80000000u }) {
        const uint32_t last = model.cpuid(firstOfRange, 0).eax;
        for (uint32_t leaf = firstOfRange; leaf <= last; ++leaf) {
            const uint32_t subleaves = subleavesOf(leaf);
            for (uint32_t subleaf = 0; subleaf < std::max(subleaves, 1u); ++subleaf) {
                const CpuidResult result = model.cpuid(leaf, subleaf, place.index, place.count);
                kvm_cpuid_entry2 entry {};
                entry.function = leaf;
                entry.index = subleaf;
                entry.flags = subleaves ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
                entry.eax = leaf == addressSizes ? result.eax & physicalAddressBits : result.eax;
                entry.ebx = result.ebx;
                entry.ecx = result.ecx;
                entry.edx = result.edx;
                entries.push_back(entry);
            }
        }
    }
    return entries;
}

Result<void> setCpuid(int vcpu, const CpuModel& model, const ProcessorPlace& place)
{
    const std::vector<kvm_cpuid_entry2> entries = cpuidEntries(model, place);
    KvmList<kvm_cpuid2, kvm_cpuid_entry2> list(entries.size());
    list.head()->nent = static_cast<uint32_t>(entries.size());
    std::ranges::copy(entries, list.entries());
    return kvmCall(vcpu, KVM_SET_CPUID2, list.head(), fmt::format("the CPU model {}", model.name()));
}

} // namespace namsan
