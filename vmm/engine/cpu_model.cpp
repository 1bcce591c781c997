// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_model.h"

#include "vmm/engine/cpu_state.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace namsan {

namespace {

using enum Feature;

// What the interpreter does. A model promises nothing beyond: the others of its generation are taken off.
constexpr FeatureSet interpreted { Fpu, De, Pse, Tsc, Msr, Cx8, Sep, Pge, Cmov, Pat, Clfsh, Mmx, Fxsr, Sse, Sse2, Sse3,
    Pclmulqdq, Ssse3, Sse41, Sse42, Popcnt, Aes, InvariantTsc, Base, Hints, Pae, Pse36, Nx };

// What it does with the host's own instructions.
constexpr FeatureSet lentByHost { Sse3, Pclmulqdq, Ssse3, Sse41, Sse42, Aes };

constexpr FeatureSet generation4 { Base, Fpu, Vme };
constexpr FeatureSet generation5 = generation4 | FeatureSet { De, Pse, Tsc, Msr, Mce, Cx8, Mmx };
constexpr FeatureSet generation6
    = generation5 | FeatureSet { Hints, Pae, Sep, Mtrr, Pge, Mca, Cmov, Pat, Pse36, Fxsr, Sse };
constexpr FeatureSet pentiumM = generation6 | FeatureSet { Sse2, Clfsh, Nx, InvariantTsc };
constexpr FeatureSet generation15 = generation6 | FeatureSet { Sse2, Clfsh, InvariantTsc };
constexpr FeatureSet core2 = generation15 | FeatureSet { Sse3, Monitor, Ssse3, Sse41, Nx };
constexpr FeatureSet newest = core2 | FeatureSet { Sse42, Popcnt, Aes, Pclmulqdq };

constexpr uint32_t noExtendedLeaves = 0;
constexpr uint32_t allExtendedLeaves = 0x80000008;

constexpr uint32_t clflushLine = 64; // bytes

uint32_t fourCharacters(const char* text)
{
    uint32_t value;
    std::memcpy(&value, text, sizeof value);
    return value;
}

} // namespace

CpuModel::CpuModel(std::string_view name, std::string_view summary, uint32_t signature, uint32_t highestBasicLeaf,
    uint32_t highestExtendedLeaf, const FeatureSet& features)
    : m_name(name)
    , m_summary(summary)
    , m_signature(signature)
    , m_highestBasicLeaf(highestBasicLeaf)
    , m_highestExtendedLeaf(highestExtendedLeaf)
    , m_features(features & interpreted)
{
}

std::span<const CpuModel> CpuModel::byGeneration()
{
    static const std::array models {
        CpuModel("486", "i486DX4", 0x00000480, 1, noExtendedLeaves, generation4),
        CpuModel("pentium", "Pentium with MMX", 0x00000543, 1, noExtendedLeaves, generation5),
        CpuModel("p6", "Pentium III: SSE", 0x00000686, 2, noExtendedLeaves, generation6),
        CpuModel("pentium-m", "Pentium M: SSE2, NX", 0x000006d8, 2, allExtendedLeaves, pentiumM),
        CpuModel("p4", "Pentium 4: SSE2", 0x00000f29, 2, allExtendedLeaves, generation15),
        CpuModel("core2", "Core 2: SSE4.1", 0x0001067a, 2, allExtendedLeaves, core2),
    };
    return models;
}

const CpuModel& CpuModel::standard()
{
    return *std::ranges::find(byGeneration(), "pentium-m", &CpuModel::name);
}

CpuModel CpuModel::hostCommon(const FeatureSet& host)
{
    // The signature is that of the first processor which had all of it (Westmere).
    return { hostCommonName, "everything that interpreter, KVM and host have in common", 0x000206c2, 2,
        allExtendedLeaves, newest & (host | FeatureSet { Base, Hints, InvariantTsc }) };
}

std::string CpuModel::names()
{
    std::string text;
    for (const CpuModel& model : byGeneration())
        text += std::string(model.name()) + ", ";
    return text + std::string(hostCommonName);
}

bool CpuModel::isName(std::string_view name)
{
    const auto models = byGeneration();
    return name == hostCommonName || std::ranges::find(models, name, &CpuModel::name) != models.end();
}

std::optional<CpuModel> CpuModel::find(std::string_view name, const FeatureSet& host)
{
    if (name == hostCommonName)
        return hostCommon(host);
    for (const CpuModel& model : byGeneration())
        if (model.name() == name)
            return model;
    return {};
}

unsigned CpuModel::physicalAddressBits() const
{
    return has(Pae) || has(Pse36) ? 36 : 32;
}

uint32_t CpuModel::cr4Bits() const
{
    constexpr struct {
        Feature feature;
        uint32_t bits;
    } rules[] = {
        { Vme, cr4::virtual8086Extensions | cr4::protectedVirtualInterrupts },
        { Tsc, cr4::timeStampDisable },
        { De, cr4::debuggingExtensions },
        { Pse, cr4::pageSizeExtensions },
        { Pae, cr4::physicalAddressExtension },
        { Mce, cr4::machineCheckEnable },
        { Pge, cr4::pageGlobalEnable },
        { Mmx, cr4::performanceCounterEnable }, // has no feature of its own; it came with MMX
        { Fxsr, cr4::fxsave },
        { Sse, cr4::simdExceptions },
    };
    uint32_t allowed = 0;
    for (const auto& [feature, bits] : rules)
        if (has(feature))
            allowed |= bits;
    return allowed;
}

FeatureSet CpuModel::neededOfHost() const
{
    return m_features & lentByHost;
}

CpuidResult CpuModel::cpuid(uint32_t leaf, uint32_t) const
{
    if (leaf >= 0x80000000 && leaf <= m_highestExtendedLeaf) {
        switch (leaf) {
        case 0x80000000:
            return { m_highestExtendedLeaf, 0, 0, 0 };
        case 0x80000001:
            return { 0, 0, 0, m_features.word(FeatureSet::extendedEdx) };
        case 0x80000002:
        case 0x80000003:
        case 0x80000004:
            return brandPart(leaf - 0x80000002);
        case 0x80000007:
            return { 0, 0, 0, m_features.word(FeatureSet::powerEdx) };
        case 0x80000008:
            return { physicalAddressBits() | 32 << 8, 0, 0, 0 }; // linear address bits in AH
        default:
            return {};
        }
    }
    // What lies outside both ranges reads as the highest basic leaf.
    switch (std::min(leaf, m_highestBasicLeaf)) {
    case 0:
        return { m_highestBasicLeaf, fourCharacters("Genu"), fourCharacters("ntel"), fourCharacters("ineI") };
    case 1:
        return { m_signature, has(Clfsh) ? clflushLine / 8 << 8 : 0, m_features.word(FeatureSet::leaf1Ecx),
            m_features.word(FeatureSet::leaf1Edx) };
    default:
        return { 0x01, 0, 0, 0 }; // AL = 01: one call tells all of leaf 2; no cache is described
    }
}

// Three leaves of 16 characters.
CpuidResult CpuModel::brandPart(uint32_t part) const
{
    std::array<char, 48> brand {};
    const std::string name = "Namsan virtual CPU (" + std::string(m_name) + ")";
    std::copy_n(name.begin(), std::min(name.size(), brand.size() - 1), brand.begin());
    const char* text = brand.data() + size_t { 16 } * part;
    return { fourCharacters(text), fourCharacters(text + 4), fourCharacters(text + 8), fourCharacters(text + 12) };
}

} // namespace namsan
