// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_model.h"

#include <array>
#include <cstring>

namespace namsan {

namespace {

constexpr uint32_t highestBasicLeaf = 2;
constexpr uint32_t highestExtendedLeaf = 0x80000008;

// Family 6, model 13, stepping 8: the generation that had SSE2, PAE and no-execute pages and neither SSE3 nor 64 bits, so
// that what operating systems know by heart about this number agrees with the features below.
constexpr uint32_t signature = 0x000006d8;
constexpr uint32_t clflushLine = 64; // bytes

constexpr uint32_t feature(unsigned number)
{
    return uint32_t { 1 } << number;
}

constexpr uint32_t features = feature(0) // FPU
    | feature(2) // DE: DR4 and DR5 are no aliases when CR4.DE is set
    | feature(3) // PSE: 4 MiB pages
    | feature(4) // TSC
    | feature(5) // MSR
    | feature(6) // PAE
    | feature(8) // CX8
    | feature(11) // SEP: SYSENTER and SYSEXIT
    | feature(13) // PGE: global pages
    | feature(15) // CMOV
    | feature(16) // PAT
    | feature(19) // CLFSH
    | feature(23) // MMX
    | feature(24) // FXSR
    | feature(25) // SSE
    | feature(26); // SSE2

constexpr uint32_t noExecute = feature(20); // leaf 80000001h
constexpr uint32_t invariantTsc = feature(8); // leaf 80000007h

// Three leaves of 16 characters.
constexpr std::array<char, 48> brand { "Namsan virtual CPU" };

uint32_t fourCharacters(const char* text)
{
    uint32_t value;
    std::memcpy(&value, text, sizeof value);
    return value;
}

CpuidResult brandPart(uint32_t part)
{
    const char* text = brand.data() + size_t { 16 } * part;
    return { fourCharacters(text), fourCharacters(text + 4), fourCharacters(text + 8), fourCharacters(text + 12) };
}

} // namespace

const CpuModel& CpuModel::namsan1()
{
    static const CpuModel model;
    return model;
}

CpuidResult CpuModel::cpuid(uint32_t leaf, uint32_t) const
{
    switch (leaf) {
    case 0:
        return { highestBasicLeaf, fourCharacters("Genu"), fourCharacters("ntel"), fourCharacters("ineI") };
    case 1:
        return { signature, clflushLine / 8 << 8, 0, features };
    case 0x80000000:
        return { highestExtendedLeaf, 0, 0, 0 };
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        return brandPart(leaf - 0x80000002);
    case 0x80000007:
        return { 0, 0, 0, invariantTsc };
    case 0x80000008:
        return { 36 | 32 << 8, 0, 0, 0 }; // physical and linear address bits
    case 0x80000001:
        return { 0, 0, 0, noExecute };
    case 0x80000005:
    case 0x80000006:
        return {};
    default:
        // Leaf 2, and what lies outside both ranges, which reads as the highest basic leaf. AL = 01: one call tells
        // all of it; no cache is described.
        return { 0x01, 0, 0, 0 };
    }
}

} // namespace namsan
