// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace namsan {

// What a processor has or has not. A number is its place among the words of CPUID that tell it (FeatureSet::word):
// 32 times the word, plus the bit. Intel SDM volume 2, tables 3-10 and 3-11.
enum class Feature : uint8_t {
    // CPUID 1, EDX
    Fpu = 0,
    Vme = 1, // virtual-8086 extensions: CR4.VME, CR4.PVI
    De = 2, // debugging extensions: CR4.DE
    Pse = 3, // 4 MiB pages: CR4.PSE
    Tsc = 4, // RDTSC, its MSR, CR4.TSD
    Msr = 5, // RDMSR, WRMSR
    Pae = 6, // 64-bit page table entries: CR4.PAE
    Mce = 7, // machine checks: CR4.MCE
    Cx8 = 8, // CMPXCHG8B
    Apic = 9,
    Sep = 11, // SYSENTER, SYSEXIT
    Mtrr = 12,
    Pge = 13, // global pages: CR4.PGE
    Mca = 14,
    Cmov = 15, // CMOVcc, FCMOVcc, FCOMI
    Pat = 16,
    Pse36 = 17,
    Clfsh = 19,
    Mmx = 23, // RDPMC, CR4.PCE too
    Fxsr = 24, // FXSAVE, FXRSTOR, CR4.OSFXSR
    Sse = 25, // CR4.OSXMMEXCPT too
    Sse2 = 26,
    // CPUID 1, ECX
    Sse3 = 32,
    Pclmulqdq = 33,
    Monitor = 35,
    Ssse3 = 41,
    Sse41 = 51,
    Sse42 = 52,
    Popcnt = 55,
    Aes = 57,
    // CPUID 80000001h, EDX
    Nx = 84, // no-execute pages under PAE: EFER.NXE
    // CPUID 80000007h, EDX
    InvariantTsc = 104,
    // Of the processor's generation; no bit of CPUID tells them
    Base = 128, // what every IA-32 processor with CPUID has
    Hints = 129, // 0F 18 to 0F 1F do nothing instead of being undefined: since the Pentium Pro
};

// Bits of CPUID, and of what goes without.
class FeatureSet {
public:
    constexpr FeatureSet() = default;
    constexpr FeatureSet(std::initializer_list<Feature> features)
    {
        for (const Feature feature : features)
            add(feature);
    }
    static constexpr FeatureSet everything()
    {
        FeatureSet set;
        set.m_words.fill(~uint32_t { 0 });
        return set;
    }
    static FeatureSet ofHost(); // as CPUID tells a program

    constexpr bool has(Feature feature) const { return m_words[wordOf(feature)] & bitOf(feature); }
    constexpr void add(Feature feature) { m_words[wordOf(feature)] |= bitOf(feature); }
    constexpr bool empty() const { return *this == FeatureSet {}; }
    constexpr uint32_t word(size_t number) const { return m_words[number]; }
    constexpr void setWord(size_t number, uint32_t bits) { m_words[number] = bits; }

    constexpr FeatureSet operator&(const FeatureSet& other) const
    {
        FeatureSet both = *this;
        for (size_t i = 0; i < wordCount; ++i)
            both.m_words[i] &= other.m_words[i];
        return both;
    }
    constexpr FeatureSet operator|(const FeatureSet& other) const
    {
        FeatureSet either = *this;
        for (size_t i = 0; i < wordCount; ++i)
            either.m_words[i] |= other.m_words[i];
        return either;
    }
    constexpr FeatureSet without(const FeatureSet& other) const
    {
        FeatureSet rest = *this;
        for (size_t i = 0; i < wordCount; ++i)
            rest.m_words[i] &= ~other.m_words[i];
        return rest;
    }
    bool operator==(const FeatureSet&) const = default;

    static constexpr size_t leaf1Edx = 0, leaf1Ecx = 1, extendedEdx = 2, powerEdx = 3;

private:
    static constexpr size_t wordCount = 5;
    static constexpr size_t wordOf(Feature feature) { return static_cast<size_t>(feature) / 32; }
    static constexpr uint32_t bitOf(Feature feature) { return uint32_t { 1 } << (static_cast<unsigned>(feature) % 32); }

    std::array<uint32_t, wordCount> m_words {};
};

// The manual's names of a set's features, such as "SSE4.1, AES", for people.
std::string namesOf(const FeatureSet&);

} // namespace namsan
