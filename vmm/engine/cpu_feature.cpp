// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_feature.h"

#include <cpuid.h>
#include <string_view>

namespace namsan {

namespace {

struct NamedFeature {
    Feature feature;
    std::string_view name;
};

constexpr NamedFeature names[] = {
    { Feature::Fpu, "FPU" },
    { Feature::Vme, "VME" },
    { Feature::De, "DE" },
    { Feature::Pse, "PSE" },
    { Feature::Tsc, "TSC" },
    { Feature::Msr, "MSR" },
    { Feature::Pae, "PAE" },
    { Feature::Mce, "MCE" },
    { Feature::Cx8, "CX8" },
    { Feature::Apic, "APIC" },
    { Feature::Sep, "SEP" },
    { Feature::Mtrr, "MTRR" },
    { Feature::Pge, "PGE" },
    { Feature::Mca, "MCA" },
    { Feature::Cmov, "CMOV" },
    { Feature::Pat, "PAT" },
    { Feature::Pse36, "PSE-36" },
    { Feature::Clfsh, "CLFSH" },
    { Feature::Mmx, "MMX" },
    { Feature::Fxsr, "FXSR" },
    { Feature::Sse, "SSE" },
    { Feature::Sse2, "SSE2" },
    { Feature::Sse3, "SSE3" },
    { Feature::Pclmulqdq, "PCLMULQDQ" },
    { Feature::Monitor, "MONITOR" },
    { Feature::Ssse3, "SSSE3" },
    { Feature::Sse41, "SSE4.1" },
    { Feature::Sse42, "SSE4.2" },
    { Feature::Popcnt, "POPCNT" },
    { Feature::Aes, "AES" },
    { Feature::Nx, "NX" },
    { Feature::InvariantTsc, "invariant TSC" },
};

struct CpuidRegisters {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidRegisters hostCpuid(unsigned leaf)
{
    CpuidRegisters result;
    __get_cpuid(leaf, &result.eax, &result.ebx, &result.ecx, &result.edx); // leaves zeros where there is no such leaf
    return result;
}

} // namespace

FeatureSet FeatureSet::ofHost()
{
    FeatureSet set { Feature::Base, Feature::Hints };
    const CpuidRegisters basic = hostCpuid(1);
    set.setWord(leaf1Edx, basic.edx);
    set.setWord(leaf1Ecx, basic.ecx);
    set.setWord(extendedEdx, hostCpuid(0x80000001).edx);
    set.setWord(powerEdx, hostCpuid(0x80000007).edx);
    return set;
}

std::string namesOf(const FeatureSet& set)
{
    std::string text;
    for (const auto& [feature, name] : names) {
        if (!set.has(feature))
            continue;
        if (!text.empty())
            text += ", ";
        text += name;
    }
    return text;
}

} // namespace namsan
