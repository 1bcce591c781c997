// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_model.h"

#include "vmm/board/guest_memory.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/interpret/control_registers.h"
#include "vmm/engine/interpret/model_specific_registers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace namsan {

namespace {

using Bytes = std::vector<uint8_t>;

struct SilentBus final : GuestBus {
    uint32_t portIn(Port, Width) override { return 0; }
    void portOut(Port, Width, uint32_t) override { }
    uint64_t mmioRead(PhysicalAddress, unsigned) override { return 0; }
    void mmioWrite(PhysicalAddress, unsigned, uint64_t) override { }
    uint8_t acknowledgeInterrupt() override { return 0; }
};

// A processor of one model, in real mode.
struct ModelBench {
    explicit ModelBench(const CpuModel& chosen)
        : model(chosen)
    {
    }

    CpuModel model;
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(1 << 20));
    SilentBus bus;
    ManualClock clock;
    VcpuCounters counters;
    Decoder decoder { model.features() };
    Processor cpu { *memory, bus, clock, model, counters };

    Instruction decode(Bytes bytes) const
    {
        bytes.resize(16, 0x90);
        Instruction instruction;
        EXPECT_EQ(decoder.decode(bytes, true, instruction), Decoder::Outcome::Decoded);
        return instruction;
    }
    bool knows(const Bytes& bytes) const { return decode(bytes).entry->operation != Operation::Undefined; }

    template <class Action> static std::optional<Exception> exceptionOf(Action&& action)
    {
        try {
            action();
        } catch (const Fault& fault) {
            return fault.exception;
        }
        return {};
    }
    std::optional<Exception> exceptionOfStep(const Bytes& bytes)
    {
        const Instruction instruction = decode(bytes);
        return exceptionOf([&] { instruction.execute(cpu, instruction); });
    }
};

CpuModel modelNamed(std::string_view name)
{
    return *CpuModel::find(name, FeatureSet::everything());
}

std::vector<CpuModel> allModels()
{
    const auto models = CpuModel::byGeneration();
    std::vector<CpuModel> all(models.begin(), models.end());
    all.push_back(CpuModel::hostCommon(FeatureSet::everything()));
    return all;
}

// An instruction, and the oldest model that has it; all later ones do as well, but where it says otherwise.
struct Since {
    const char* what;
    Bytes bytes;
    std::vector<std::string_view> models;
};

const std::vector<std::string_view> sincePentium { "pentium", "p6", "pentium-m", "p4", "core2", "host-common" };
const std::vector<std::string_view> sinceP6 { "p6", "pentium-m", "p4", "core2", "host-common" };
const std::vector<std::string_view> sinceP4 { "pentium-m", "p4", "core2", "host-common" };
const std::vector<std::string_view> sinceCore2 { "core2", "host-common" };
const std::vector<std::string_view> hostOnly { "host-common" };

const std::vector<Since> instructions {
    { "CPUID", { 0x0f, 0xa2 }, { "486", "pentium", "p6", "pentium-m", "p4", "core2", "host-common" } },
    { "CMPXCHG", { 0x0f, 0xb1, 0x0b }, { "486", "pentium", "p6", "pentium-m", "p4", "core2", "host-common" } },
    { "RDTSC", { 0x0f, 0x31 }, sincePentium },
    { "RDMSR", { 0x0f, 0x32 }, sincePentium },
    { "WRMSR", { 0x0f, 0x30 }, sincePentium },
    { "CMPXCHG8B", { 0x0f, 0xc7, 0x0b }, sincePentium },
    { "MMX", { 0x0f, 0x6f, 0xc1 }, sincePentium },
    { "EMMS", { 0x0f, 0x77 }, sincePentium },
    { "CMOV", { 0x0f, 0x44, 0xc1 }, sinceP6 },
    { "FCMOV", { 0xda, 0xc1 }, sinceP6 },
    { "FCOMI", { 0xdb, 0xf1 }, sinceP6 },
    { "RDPMC", { 0x0f, 0x33 }, sincePentium },
    { "SYSENTER", { 0x0f, 0x34 }, sinceP6 },
    { "long NOP", { 0x0f, 0x1f, 0xc0 }, sinceP6 },
    { "FXSAVE", { 0x0f, 0xae, 0x03 }, sinceP6 },
    { "SSE", { 0x0f, 0x58, 0xc1 }, sinceP6 },
    { "SSE on MMX", { 0x0f, 0x70, 0xc1, 0 }, sinceP6 },
    { "SSE2", { 0x66, 0x0f, 0x58, 0xc1 }, sinceP4 },
    { "SSE2 on MMX", { 0x0f, 0xd4, 0xc1 }, sinceP4 },
    { "CLFLUSH", { 0x0f, 0xae, 0x3b }, sinceP4 },
    { "MOVNTI", { 0x0f, 0xc3, 0x0b }, sinceP4 },
    { "SSE3", { 0xf2, 0x0f, 0x7c, 0xc1 }, sinceCore2 },
    { "FISTTP", { 0xdb, 0x0b }, sinceCore2 },
    { "SSSE3", { 0x66, 0x0f, 0x38, 0x00, 0xc1 }, sinceCore2 },
    { "SSSE3 on MMX", { 0x0f, 0x3a, 0x0f, 0xc1, 1 }, sinceCore2 },
    { "SSE4.1", { 0x66, 0x0f, 0x38, 0x17, 0xc1 }, sinceCore2 },
    { "SSE4.2", { 0x66, 0x0f, 0x3a, 0x63, 0xc1, 0 }, hostOnly },
    { "CRC32", { 0xf2, 0x0f, 0x38, 0xf1, 0xc1 }, hostOnly },
    { "POPCNT", { 0xf3, 0x0f, 0xb8, 0xc1 }, hostOnly },
    { "AES", { 0x66, 0x0f, 0x38, 0xdc, 0xc1 }, hostOnly },
    { "PCLMULQDQ", { 0x66, 0x0f, 0x3a, 0x44, 0xc1, 0 }, hostOnly },
    { "MONITOR", { 0x0f, 0x01, 0xc8 }, {} },
    { "MOVBE", { 0x0f, 0x38, 0xf0, 0x03 }, {} },
    { "RDRAND", { 0x0f, 0xc7, 0xf0 }, {} },
    { "VEX", { 0xc5, 0xf8, 0x77 }, {} },
};

} // namespace

class EachCpuModel : public ::testing::TestWithParam<size_t> {
protected:
    const CpuModel model = allModels()[GetParam()];
    ModelBench bench { model };
};

TEST_P(EachCpuModel, HasTheInstructionsOfItsGeneration)
{
    for (const Since& instruction : instructions) {
        const bool has = std::ranges::find(instruction.models, model.name()) != instruction.models.end();
        EXPECT_EQ(bench.knows(instruction.bytes), has) << model.name() << " and " << instruction.what;
        if (!has) {
            EXPECT_EQ(bench.exceptionOfStep(instruction.bytes), Exception::InvalidOpcode)
                << model.name() << " and " << instruction.what;
        }
    }
}

TEST_P(EachCpuModel, DecodesTheTablesEntriesByItsFeatures)
{
    size_t left = 0, all = 0;
    for (const auto part :
        { generalInstructions(), systemInstructions(), x87Instructions(), simdInstructions(), laterSimdInstructions() })
        for (const InstructionEntry& entry : part) {
            ++all;
            left += model.has(entry.feature);
        }
    EXPECT_EQ(bench.decoder.entries().size(), left);
    for (const InstructionEntry* entry : bench.decoder.entries())
        EXPECT_TRUE(model.has(entry->feature)) << entry->mnemonic;
    EXPECT_EQ(left == all, model.name() == "host-common");
}

TEST_P(EachCpuModel, ShowsInCpuidWhatItHas)
{
    const CpuidResult vendor = model.cpuid(0, 0);
    EXPECT_EQ(vendor.ebx, 0x756e6547u); // "Genu"
    EXPECT_EQ(vendor.edx, 0x49656e69u); // "ineI"
    EXPECT_EQ(vendor.ecx, 0x6c65746eu); // "ntel"
    EXPECT_GE(vendor.eax, 1u);

    const CpuidResult features = model.cpuid(1, 0);
    EXPECT_EQ(features.eax, model.signature());
    for (unsigned bit = 0; bit < 32; ++bit) {
        EXPECT_EQ(features.edx >> bit & 1, model.has(static_cast<Feature>(bit))) << "EDX bit " << bit;
        EXPECT_EQ(features.ecx >> bit & 1, model.has(static_cast<Feature>(32 + bit))) << "ECX bit " << bit;
    }
    EXPECT_EQ(features.ebx != 0, model.has(Feature::Clfsh)) << "the size of a cache line";
    for (const Feature unserved :
        { Feature::Vme, Feature::Mce, Feature::Apic, Feature::Mtrr, Feature::Mca, Feature::Pse36, Feature::Monitor })
        EXPECT_FALSE(model.has(unserved)) << namesOf({ unserved });

    const CpuidResult extended = model.cpuid(0x80000000, 0);
    if (extended.eax >= 0x80000000) {
        EXPECT_EQ(model.cpuid(0x80000001, 0).edx >> 20 & 1, model.has(Feature::Nx));
        EXPECT_EQ(model.cpuid(0x80000007, 0).edx >> 8 & 1, model.has(Feature::InvariantTsc));
        EXPECT_EQ(model.cpuid(0x80000008, 0).eax & 0xff, model.physicalAddressBits());
    } else {
        EXPECT_EQ(extended, model.cpuid(vendor.eax, 0)) << "beyond the end reads as the highest basic leaf";
    }
    EXPECT_EQ(model.cpuid(0x40000000, 0), model.cpuid(vendor.eax, 0)) << "no hypervisor's leaves";
}

TEST_P(EachCpuModel, AllowsTheBitsOfCr4ThatItHas)
{
    for (unsigned bit = 0; bit < 32; ++bit) {
        const uint32_t value = uint32_t { 1 } << bit;
        const bool faults = bench.exceptionOf([&] { writeCr4(bench.cpu, value); }) == Exception::GeneralProtection;
        EXPECT_EQ(faults, !(model.cr4Bits() & value)) << model.name() << " CR4 bit " << bit;
    }
    const auto allowed = [&](uint32_t bits) { return (model.cr4Bits() & bits) == bits; };
    EXPECT_EQ(allowed(cr4::timeStampDisable), model.has(Feature::Tsc));
    EXPECT_EQ(allowed(cr4::debuggingExtensions), model.has(Feature::De));
    EXPECT_EQ(allowed(cr4::pageSizeExtensions), model.has(Feature::Pse));
    EXPECT_EQ(allowed(cr4::physicalAddressExtension), model.has(Feature::Pae));
    EXPECT_EQ(allowed(cr4::pageGlobalEnable), model.has(Feature::Pge));
    EXPECT_EQ(allowed(cr4::fxsave), model.has(Feature::Fxsr));
    EXPECT_EQ(allowed(cr4::simdExceptions), model.has(Feature::Sse));
}

TEST_P(EachCpuModel, HasTheModelSpecificRegistersOfItsFeatures)
{
    const auto readable
        = [&](uint32_t number) { return !bench.exceptionOf([&] { readModelSpecificRegister(bench.cpu, number); }); };
    EXPECT_EQ(readable(0x10), model.has(Feature::Tsc));
    EXPECT_EQ(readable(0x174), model.has(Feature::Sep));
    EXPECT_EQ(readable(0x277), model.has(Feature::Pat));
    EXPECT_EQ(readable(0x17), model.has(Feature::Hints)) << "platform ID";
    EXPECT_EQ(readable(0x1a0), model.has(Feature::Sse2)) << "miscellaneous enables";
    EXPECT_FALSE(readable(0x1b)) << "there is no APIC";
    EXPECT_FALSE(readable(0xfe)) << "there are no MTRRs";
}

TEST_P(EachCpuModel, TellsItsSignatureAfterReset)
{
    EXPECT_EQ(bench.cpu.gpr[Edx], model.signature());
    EXPECT_EQ(CpuState::afterReset(model).gpr[Edx], model.cpuid(1, 0).eax);
}

TEST_P(EachCpuModel, LetsTheIdFlagBeChanged)
{
    bench.cpu.gpr[Esp] = 0x1000;
    bench.cpu.write<uint32_t>(Ss, 0x1000, eflags::identification | eflags::alwaysOne);
    EXPECT_EQ(bench.exceptionOfStep({ 0x9d }), std::nullopt);
    EXPECT_TRUE(bench.cpu.eflags() & eflags::identification);
}

INSTANTIATE_TEST_SUITE_P(
    ByName, EachCpuModel, ::testing::Range(size_t { 0 }, allModels().size()), [](const auto& info) {
        std::string name(allModels()[info.param].name());
        std::ranges::replace(name, '-', '_');
        return "model_" + name;
    });

TEST(CpuModel, HasTheFamiliesOfItsNames)
{
    const auto family = [](std::string_view name) { return modelNamed(name).signature() >> 8 & 0xf; };
    EXPECT_EQ(family("486"), 4u);
    EXPECT_EQ(family("pentium"), 5u);
    EXPECT_EQ(family("p6"), 6u);
    EXPECT_EQ(family("pentium-m"), 6u);
    EXPECT_EQ(family("p4"), 15u);
    EXPECT_EQ(family("core2"), 6u);
    EXPECT_EQ(family("host-common"), 6u);
}

TEST(CpuModel, EachGenerationAddsToTheOneBefore)
{
    const auto contains = [](std::string_view larger, std::string_view smaller) {
        return modelNamed(smaller).features().without(modelNamed(larger).features()).empty();
    };
    EXPECT_TRUE(contains("pentium", "486"));
    EXPECT_TRUE(contains("p6", "pentium"));
    EXPECT_TRUE(contains("p4", "p6"));
    EXPECT_TRUE(contains("core2", "p4"));
    EXPECT_TRUE(contains("host-common", "core2"));
    EXPECT_FALSE(contains("486", "pentium"));
    EXPECT_FALSE(contains("core2", "host-common"));
}

TEST(CpuModel, KnowsItsNames)
{
    EXPECT_EQ(CpuModel::names(), "486, pentium, p6, pentium-m, p4, core2, host-common");
    EXPECT_TRUE(CpuModel::isName("host-common"));
    EXPECT_FALSE(CpuModel::isName("z80"));
    EXPECT_FALSE(CpuModel::find("z80", FeatureSet::everything()));
    EXPECT_EQ(CpuModel::standard().name(), "pentium-m");
}

TEST(CpuModel, TheStandardOneHasWhatItAlwaysHad)
{
    const CpuidResult features = CpuModel::standard().cpuid(1, 0);
    EXPECT_EQ(features.eax, 0x6d8u);
    EXPECT_EQ(features.ecx, 0u);
    EXPECT_EQ(features.edx & ~(1u << 6),
        0x0789a93du); // but for PAE: FPU DE PSE TSC MSR CX8 SEP PGE CMOV PAT CLFSH MMX FXSR SSE SSE2
}

TEST(CpuModel, HostCommonIsAnIntersection)
{
    FeatureSet host = FeatureSet::ofHost();
    const CpuModel here = CpuModel::hostCommon(host);
    EXPECT_TRUE(here.has(Feature::Sse2)) << "as every host of this program";
    EXPECT_TRUE(here.features().without(host | FeatureSet { Feature::InvariantTsc }).empty());

    const CpuModel withoutAes = CpuModel::hostCommon(FeatureSet::everything().without({ Feature::Aes }));
    EXPECT_FALSE(withoutAes.has(Feature::Aes));
    EXPECT_TRUE(withoutAes.has(Feature::Sse42));
    EXPECT_FALSE(ModelBench(withoutAes).knows({ 0x66, 0x0f, 0x38, 0xdc, 0xc1 }));
}

TEST(CpuModel, SaysWhatItBorrowsOfTheHost)
{
    EXPECT_TRUE(CpuModel::standard().neededOfHost().empty());
    EXPECT_EQ(namesOf(modelNamed("core2").neededOfHost()), "SSE3, SSSE3, SSE4.1");
}

// -- reserved encodings -------------------------------------------------------------------------------------------

namespace {

// #UD whatever the model. Intel SDM volume 2, appendix A.
const std::vector<Bytes> reservedEncodings {
    { 0x0f, 0x04 },
    { 0x0f, 0x0a },
    { 0x0f, 0x0c },
    { 0x0f, 0x24, 0xc0 },
    { 0x0f, 0x26, 0xc0 },
    { 0x0f, 0x36 },
    { 0x0f, 0x39 },
    { 0x0f, 0x3b },
    { 0x0f, 0x7a, 0xc0 },
    { 0x0f, 0xa6, 0xc0 },
    { 0x0f, 0xa7, 0xc0 },
    { 0x0f, 0x0b },
    { 0x0f, 0xb9, 0xc0 },
    { 0x0f, 0xff, 0xc0 }, // UD2, UD1, UD0
    { 0x0f, 0xaa }, // RSM outside SMM
    { 0x0f, 0x00, 0xf0 },
    { 0x0f, 0x00, 0xf8 }, // groups: places without an instruction
    { 0x0f, 0x01, 0xe8 },
    { 0x0f, 0x01, 0xc1 },
    { 0x0f, 0x01, 0xd0 },
    { 0x0f, 0xba, 0xc0 },
    { 0x0f, 0xba, 0xd8 },
    { 0x0f, 0xc7, 0x03 },
    { 0x0f, 0xc7, 0xc8 },
    { 0x0f, 0x71, 0xc0 },
    { 0x0f, 0x71, 0x13 },
    { 0x0f, 0xae, 0x23 },
    { 0xfe, 0xd0 },
    { 0xfe, 0xf8 },
    { 0xff, 0xf8 },
    { 0xff, 0x3b },
    { 0xff, 0xd8 },
    { 0xff, 0xe8 },
    { 0xc6, 0xc8 },
    { 0xc7, 0x0b, 0, 0, 0, 0 },
    { 0x8f, 0xc8 },
    { 0x8d, 0xc0 },
    { 0xc4, 0xc0, 0 },
    { 0xc5, 0xc0, 0 },
    { 0x62, 0xc0 },
    { 0x0f, 0xb2, 0xc0 },
    { 0xd9, 0x0b },
    { 0xd9, 0xd1 },
    { 0xd9, 0xe2 },
    { 0xd9, 0xe6 },
    { 0xd9, 0xef },
    { 0xda, 0xe0 },
    { 0xda, 0xe8 },
    { 0xda, 0xf0 },
    { 0xdb, 0x23 },
    { 0xdb, 0x33 },
    { 0xdb, 0xe5 },
    { 0xdb, 0xf8 },
    { 0xdd, 0x2b },
    { 0xdd, 0xf0 },
    { 0xde, 0xd8 },
    { 0xde, 0xda },
    { 0xdf, 0xe1 },
    { 0xdf, 0xf8 },
    { 0xf0, 0x90 },
    { 0xf0, 0x8b, 0x03 },
    { 0xf0, 0x01, 0xc3 },
    { 0xf0, 0x39, 0x03 },
    { 0xf0, 0x0f, 0xa2 }, // LOCK
    { 0xf0, 0x0f, 0x58, 0x03 },
    { 0xf0, 0xd8, 0x03 },
    { 0xf0, 0xf4 },
    { 0xf0, 0xe9, 0, 0, 0, 0 },
    { 0xf0, 0xc1, 0x03, 1 },
    { 0xf0, 0x0f, 0x0b },
    { 0xf0, 0xa5 },
};

std::string hexOf(const Bytes& bytes)
{
    std::string text;
    for (const uint8_t byte : bytes)
        text += "0123456789abcdef"[byte >> 4], text += "0123456789abcdef"[byte & 15], text += ' ';
    return text;
}

} // namespace

TEST_P(EachCpuModel, RefusesReservedEncodings)
{
    for (const Bytes& bytes : reservedEncodings)
        EXPECT_EQ(bench.exceptionOfStep(bytes), Exception::InvalidOpcode) << hexOf(bytes);
}

TEST_P(EachCpuModel, KnowsTheUndocumentedAliases)
{
    const auto same = [&](Bytes alias, Bytes documented) {
        EXPECT_EQ(bench.decode(alias).entry->operation, bench.decode(documented).entry->operation) << hexOf(alias);
    };
    same({ 0xf6, 0xc8, 1 }, { 0xf6, 0xc0, 1 }); // TEST
    same({ 0xf7, 0xc8, 1, 0, 0, 0 }, { 0xf7, 0xc0, 1, 0, 0, 0 });
    same({ 0xc1, 0xf0, 1 }, { 0xc1, 0xe0, 1 }); // SHL
    same({ 0x82, 0xc0, 1 }, { 0x80, 0xc0, 1 }); // ADD
    same({ 0xdc, 0xd1 }, { 0xd8, 0xd1 }); // FCOM
    same({ 0xdc, 0xd9 }, { 0xd8, 0xd9 }); // FCOMP
    same({ 0xde, 0xd1 }, { 0xd8, 0xd9 });
    same({ 0xdd, 0xc9 }, { 0xd9, 0xc9 }); // FXCH
    same({ 0xdf, 0xc9 }, { 0xd9, 0xc9 });
    same({ 0xdf, 0xd1 }, { 0xdd, 0xd9 }); // FSTP
    same({ 0x0f, 0x94, 0xf8 }, { 0x0f, 0x94, 0xc0 }); // SETZ: ModRM.reg says nothing
    EXPECT_EQ(bench.decode({ 0xd6 }).entry->operation, Operation::Salc);
    EXPECT_EQ(bench.decode({ 0xf1 }).entry->operation, Operation::Int1);
    EXPECT_EQ(bench.decode({ 0xdf, 0xc1 }).entry->operation, Operation::Ffreep);
}

TEST_P(EachCpuModel, RefusesMoreThanFifteenBytes)
{
    for (const uint8_t prefix : Bytes { 0x66, 0x67, 0xf2, 0xf3, 0x2e, 0xf0 }) {
        Bytes pile(14, prefix);
        pile.insert(pile.end(), { 0x01, 0x03 }); // add [ebx],eax, the sixteenth byte
        EXPECT_EQ(bench.exceptionOfStep(pile), Exception::GeneralProtection) << hexOf(pile);
        pile.erase(pile.begin());
        EXPECT_TRUE(bench.knows(pile)) << hexOf(pile);
    }
}

} // namespace namsan
