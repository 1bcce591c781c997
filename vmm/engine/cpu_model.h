// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string_view>

namespace namsan {

struct CpuidResult {
    uint32_t eax = 0;
    uint32_t ebx = 0;
    uint32_t ecx = 0;
    uint32_t edx = 0;

    bool operator==(const CpuidResult&) const = default;
};

// What a VM's processor calls itself and promises: an intersection of what every engine can serve, so that a running VM
// can change engines. It promises only what the interpreter does. Intel SDM volume 2, CPUID.
class CpuModel {
public:
    // The only model so far: family 6 with FPU, DE, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, CLFSH, MMX, FXSR,
    // SSE, SSE2, NX. No APIC as long as the board has none.
    static const CpuModel& namsan1();

    std::string_view name() const { return "namsan-1"; }
    CpuidResult cpuid(uint32_t leaf, uint32_t subleaf) const;

private:
    CpuModel() = default;
};

} // namespace namsan
