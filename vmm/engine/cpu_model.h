// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_feature.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace namsan {

struct CpuidResult {
    uint32_t eax = 0;
    uint32_t ebx = 0;
    uint32_t ecx = 0;
    uint32_t edx = 0;

    bool operator==(const CpuidResult&) const = default;
};

// What a VM's processor calls itself and promises, fixed for the VM's life: an intersection of what the engines can
// serve, so that a running VM can change engines. What a model has not got, the software CPU refuses as the real
// processor did (#UD, #GP); under KVM the host's processor runs such instructions all the same where it has them.
//
// Named after processors, models lack what no engine or board here serves: an APIC, machine checks, MTRRs, VME.
class CpuModel {
public:
    // 486          i486DX4: the first with CPUID; no RDTSC, CMPXCHG8B, MSRs, 4 MiB pages
    // pentium      Pentium with MMX: RDTSC, CMPXCHG8B, 4 MiB pages
    // p6           Pentium III: CMOV, SYSENTER, global pages, PAE, SSE
    // pentium-m    Pentium M (Dothan): SSE2, PAE, NX; what a VM gets unless it asks for another
    // p4           Pentium 4 (Northwood): SSE2, PAE
    // core2        Core 2 (Penryn): SSE3, SSSE3, SSE4.1, NX
    static std::span<const CpuModel> byGeneration();
    static const CpuModel& standard(); // pentium-m

    // host-common: everything that the interpreter does and the host has, by what the caller knows of the host (its
    // processor's CPUID, and its KVM's where a VM may go there).
    static CpuModel hostCommon(const FeatureSet& host);
    static constexpr std::string_view hostCommonName = "host-common";

    // All names, for people and for a choice: "486, pentium, p6, ...".
    static std::string names();
    static bool isName(std::string_view);

    // By name; fails with the names for one that is none.
    static std::optional<CpuModel> find(std::string_view name, const FeatureSet& host);

    std::string_view name() const { return m_name; }
    std::string_view summary() const { return m_summary; } // what it is and has, in a few words
    bool has(Feature feature) const { return m_features.has(feature); }
    const FeatureSet& features() const { return m_features; }
    uint32_t signature() const { return m_signature; } // family, model, stepping: CPUID 1, EAX; EDX after a reset
    unsigned physicalAddressBits() const;

    CpuidResult cpuid(uint32_t leaf, uint32_t subleaf) const;

    // Bits of CR4 that may be set; others are #GP. Intel SDM volume 3, 2.5.
    uint32_t cr4Bits() const;

    // What the software CPU needs of the host's processor to serve this model: it lends the instructions.
    FeatureSet neededOfHost() const;

private:
    CpuModel(std::string_view name, std::string_view summary, uint32_t signature, uint32_t highestBasicLeaf,
        uint32_t highestExtendedLeaf, const FeatureSet& features);
    CpuidResult brandPart(uint32_t part) const;

    std::string_view m_name;
    std::string_view m_summary;
    uint32_t m_signature;
    uint32_t m_highestBasicLeaf;
    uint32_t m_highestExtendedLeaf; // 0: none
    FeatureSet m_features;
};

} // namespace namsan
