// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/memory_form_choice.h"
#include "vmm/session/engine_probe.h"

#include "vmm/engine/translate/code_region.h"
#include "vmm/machine/engine_choice.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sys/resource.h>
#include <unistd.h>

namespace namsan {

namespace {

// A bus with nothing on it.
class NoBus final : public GuestBus {
public:
    uint32_t portIn(Port, Width width) override { return allOnes(width); }
    void portOut(Port, Width, uint32_t) override { }
    uint64_t mmioRead(PhysicalAddress, unsigned) override { return 0; }
    void mmioWrite(PhysicalAddress, unsigned, uint64_t) override { }
    uint8_t acknowledgeInterrupt() override { return 0; }
};

class EngineChoiceTest : public ::testing::Test {
protected:
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(GuestMemory::smallest));
    ManualClock clock;
    NoBus bus;

    Result<EngineChoice> choose(std::string_view name, const KvmAccess& access = KvmAccess::at())
    {
        return chooseEngine(name, *memory, clock, CpuModel::standard(), bus, access);
    }
};

const KvmAccess absentKvm = KvmAccess::at("/dev/there-is-no-such-device");

KvmAccess forbiddenKvm()
{
    KvmAccess access = KvmAccess::at();
    access.open = [] { return -EACCES; };
    return access;
}

} // namespace

TEST(EngineProbe, SpeaksOfAnEmulatingKvmWithFigures)
{
    const EngineProbe probe { .kvmMips = 2.63, .kvmTrouble = {}, .softMips = 95.4 };
    EXPECT_FALSE(probe.kvmIsBetter());
    EXPECT_EQ(probe.kvmSentence(), "KVM here runs 2.6 MIPS: it emulates.");
    EXPECT_EQ(probe.reason(), "KVM here runs 2.6 MIPS: it emulates, so the software CPU is used, which runs 95 MIPS.");
}

TEST(EngineProbe, SpeaksOfARealKvmWithFigures)
{
    const EngineProbe probe { .kvmMips = 4210, .kvmTrouble = {}, .softMips = 95.4 };
    EXPECT_TRUE(probe.kvmIsBetter());
    EXPECT_EQ(probe.kvmSentence(), "KVM here runs 4210 MIPS: the host's processor does it.");
    EXPECT_EQ(probe.reason(), "KVM here runs 4210 MIPS, and the software CPU 95 MIPS, so KVM is used.");
}

TEST(EngineProbe, MeasuresTheSoftwareCpuWhereKvmIsMissing)
{
    // Longer than people wait for: a busy host may not come back to this thread within less.
    const EngineProbe probe = probeEngines(absentKvm, std::chrono::milliseconds(200));
    EXPECT_FALSE(probe.kvmMips);
    EXPECT_TRUE(probe.kvmTrouble.starts_with("This host has no KVM: ")) << probe.kvmTrouble;
    EXPECT_GT(probe.softMips, 0.1);
    EXPECT_LT(probe.softMips, 100'000);
}

TEST(EngineProbe, MeasuresKvmOrSaysWhyNot)
{
    const EngineProbe probe = probeEngines(KvmAccess::at(), std::chrono::milliseconds(200));
    EXPECT_GT(probe.softMips, 0.1);
    EXPECT_EQ(probe.kvmMips.has_value(), probe.kvmTrouble.empty()) << probe.kvmTrouble;
    EXPECT_GT(probe.kvmMips.value_or(1), 0.01);
}

TEST_F(EngineChoiceTest, AutoTakesTheSoftwareCpuWhereKvmIsForbidden)
{
    const auto choice = choose("auto", forbiddenKvm());
    ASSERT_TRUE(choice);
    EXPECT_TRUE(choice->session->engineName().starts_with("soft"));
    EXPECT_TRUE(choice->reason.starts_with(
        "No access to /dev/kvm: add this user to the group kvm, then log in again. The software CPU is used, which "
        "runs "))
        << choice->reason;
}

TEST_F(EngineChoiceTest, KvmThatWasAskedForFailsWithTheReason)
{
    const auto choice = choose("kvm", forbiddenKvm());
    ASSERT_FALSE(choice);
    EXPECT_EQ(choice.error().message, "No access to /dev/kvm: add this user to the group kvm, then log in again.");
}

TEST_F(EngineChoiceTest, AutoTakesTheEngineThatItMeasuredFaster)
{
    const auto choice = choose("auto");
    ASSERT_TRUE(choice);
    const bool kvm = choice->session->engineName() == "kvm";
    EXPECT_EQ(choice->reason.find("so KVM is used") != std::string::npos, kvm) << choice->reason;
}

TEST_F(EngineChoiceTest, SoftTranslatesForSeveralVcpusAndSaysHow)
{
    const CpuModel model = CpuModel::standard().withLocalApic();
    const auto choice = chooseEngine("soft", *memory, clock, ProcessorsWanted { 2, model }, bus);
    ASSERT_TRUE(choice) << choice.error().message;
    EXPECT_EQ(choice->session->engineName(), "soft:translator");
    EXPECT_EQ(choice->session->vcpuCount(), 2u);
    EXPECT_TRUE(choice->reason.ends_with(chooseMemoryForm(MemoryFormWish::Best).reason)) << choice->reason;
}

TEST_F(EngineChoiceTest, AutoMeasuresForSeveralVcpusToo)
{
    const CpuModel model = CpuModel::standard().withLocalApic();
    const auto choice = chooseEngine("auto", *memory, clock, ProcessorsWanted { 2, model }, bus);
    ASSERT_TRUE(choice) << choice.error().message;
    const bool kvm = choice->session->engineName() == "kvm";
    EXPECT_EQ(choice->reason.find("so KVM is used") != std::string::npos, kvm) << choice->reason;
    EXPECT_EQ(choice->session->vcpuCount(), 2u);
    EXPECT_NE(choice->session->interruptMessages(), nullptr);

    const auto without = chooseEngine("auto", *memory, clock, ProcessorsWanted { 2, model }, bus, absentKvm);
    ASSERT_TRUE(without) << without.error().message;
    EXPECT_EQ(without->session->engineName(), "soft:translator");
    EXPECT_TRUE(without->reason.starts_with("This host has no KVM")) << without->reason;
}

TEST_F(EngineChoiceTest, OneVcpuWithALocalApicIsTranslated)
{
    const CpuModel model = CpuModel::standard().withLocalApic();
    const auto choice = chooseEngine("soft", *memory, clock, ProcessorsWanted { 1, model }, bus);
    ASSERT_TRUE(choice) << choice.error().message;
    EXPECT_EQ(choice->session->engineName(), CodeRegion::create(4096) ? "soft:translator" : "soft:interpreter");
    EXPECT_NE(choice->session->interruptMessages(), nullptr);
}

TEST_F(EngineChoiceTest, RefusesSeveralVcpusWhereOneIsTheMost)
{
    const CpuModel model = CpuModel::standard().withLocalApic();
    const auto choice = chooseEngine("soft:lockstep", *memory, clock, ProcessorsWanted { 2, model }, bus);
    ASSERT_FALSE(choice);
    EXPECT_NE(choice.error().message.find("(--vcpus 1)"), std::string::npos) << choice.error().message;
}

TEST_F(EngineChoiceTest, SeveralVcpusAskForALocalApicOnEveryEngine)
{
    for (const std::string_view name : { "auto", "soft", "kvm" }) {
        const auto choice = chooseEngine(name, *memory, clock, ProcessorsWanted { 2, CpuModel::standard() }, bus);
        ASSERT_FALSE(choice) << name;
        EXPECT_EQ(choice.error().message,
            "The CPU model pentium-m has no local APIC, so it cannot be one of 2 vCPUs. Choose another model (--cpu) "
            "or one vCPU (--vcpus 1).");
    }
}

TEST_F(EngineChoiceTest, OffersEachEngineForSeveralVcpusThatTheHostHas)
{
    const CpuModel model = CpuModel::standard().withLocalApic();
    const auto device = KvmDevice::open();
    for (const EngineOffer& offer : offeredEngines(ProcessorsWanted { 2, model }))
        EXPECT_EQ(offer.trouble, offer.name != "kvm" || device ? "" : device.error().message) << offer.name;
}

TEST_F(EngineChoiceTest, FindsCpuModelsByName)
{
    EXPECT_EQ(chooseCpuModel("p4", absentKvm)->signature(), 0xf29u);
    const auto common = chooseCpuModel("host-common", absentKvm);
    ASSERT_TRUE(common);
    EXPECT_EQ(common->features(), CpuModel::hostCommon(FeatureSet::ofHost()).features());
    EXPECT_TRUE(softCanServe(*common));
    const auto none = chooseCpuModel("z80", absentKvm);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().message,
        "There is no CPU model \"z80\". Choose 486, pentium, p6, pentium-m, p4, core2, host-common (--cpu).");
}

TEST_F(EngineChoiceTest, SoftSaysWhatItCannotBorrowOfTheHost)
{
    const auto can = softCanServe(*chooseCpuModel("core2"), FeatureSet::everything().without({ Feature::Ssse3 }));
    ASSERT_FALSE(can);
    EXPECT_EQ(can.error().message,
        "The software CPU cannot serve the CPU model core2: it uses the host's SSSE3, which this host has not got. "
        "Choose another model (--cpu).");
    EXPECT_TRUE(softCanServe(CpuModel::standard(), {}));
}

TEST_F(EngineChoiceTest, HostCommonIsServedByEveryEngineThatIsThere)
{
    const auto model = chooseCpuModel("host-common");
    ASSERT_TRUE(model);
    if (const auto kvm = KvmDevice::open()) {
        EXPECT_TRUE(kvm->canServe(*model)) << kvm->canServe(*model).error().message;
    }
    EXPECT_TRUE(softCanServe(*model));
}

TEST_F(EngineChoiceTest, SoftTranslates)
{
    const auto choice = choose("soft");
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->session->engineName(), "soft:translator");
    const auto interpreter = choose("soft:interpreter");
    ASSERT_TRUE(interpreter);
    EXPECT_EQ(interpreter->session->engineName(), "soft:interpreter");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) // which need the addresses themselves
TEST_F(EngineChoiceTest, SoftInterpretsWhereTheHostGivesNoRoomForTranslatedCode)
{
    const auto chooseWithFewAddresses = [this](std::string_view name) {
        size_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        const rlim_t bytes = pages * static_cast<size_t>(sysconf(_SC_PAGESIZE)) + (size_t { 48 } << 20);
        const rlimit limit { bytes, bytes };
        setrlimit(RLIMIT_AS, &limit);
        const auto choice = choose(name);
        std::cerr << (choice ? fmt::format("{}: {}", choice->session->engineName(), choice->reason)
                             : choice.error().message);
        std::exit(choice ? 0 : 1);
    };
    EXPECT_EXIT(chooseWithFewAddresses("soft"), ::testing::ExitedWithCode(0),
        "soft:interpreter: The software CPU is used because it was asked for. It interprets: The host gave no 256 MiB "
        "of .* for translated code");
    EXPECT_EXIT(chooseWithFewAddresses("soft:translator"), ::testing::ExitedWithCode(1),
        "^The host gave no 256 MiB of .* Choose the engine soft:interpreter, which needs none.");
}
#endif

TEST_F(EngineChoiceTest, ListsTheNamesForOneThatIsNone)
{
    const auto choice = choose("xen");
    ASSERT_FALSE(choice);
    EXPECT_EQ(choice.error().message,
        "There is no engine \"xen\". Choose auto, soft, soft:interpreter, soft:translator or kvm (--engine).");
}

} // namespace namsan
