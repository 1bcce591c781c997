// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_engine_name.h"

#include "tests/support/guest_program.h"
#include "vmm/machine/engine_choice.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

using Kind = SoftEngineName::Kind;

} // namespace

TEST(SoftEngineNameTest, SaysWhatIsAskedFor)
{
    EXPECT_EQ(parseSoftEngineName("soft"), SoftEngineName {});
    EXPECT_EQ(parseSoftEngineName("soft:interpreter"), SoftEngineName { Kind::Interpreter });
    EXPECT_EQ(parseSoftEngineName("soft:translator"), SoftEngineName { Kind::Translator });
    EXPECT_EQ(
        parseSoftEngineName("soft:translator,memory=tlb"), (SoftEngineName { Kind::Translator, MemoryFormWish::Tlb }));
    EXPECT_EQ(parseSoftEngineName("soft:lockstep,memory=flat,bases=unkept"),
        (SoftEngineName { Kind::Lockstep, MemoryFormWish::Flat, false }));
    EXPECT_EQ(parseSoftEngineName("soft:translator,bases=unkept"),
        (SoftEngineName { Kind::Translator, MemoryFormWish::Best, false }));
}

TEST(SoftEngineNameTest, TakesNoOtherNames)
{
    for (const char* name : { "", "auto", "kvm", "softer", "soft:", "soft,memory=tlb", "soft:interpreter,memory=tlb",
             "soft:translator,", "soft:translator,memory=", "soft:translator,memory=tlb,memory=tlb",
             "soft:translator,bases=unkept,memory=tlb", "soft:translator,bases=kept", "soft:lockstep bases=unkept" })
        EXPECT_FALSE(parseSoftEngineName(name)) << name;
}

// The session bears the name that was asked for, so that a record tells of it.
TEST(SoftEngineNameTest, IsTheNameOfTheSession)
{
    const auto memory = GuestMemory::create(GuestMemory::smallest);
    ASSERT_TRUE(memory) << memory.error().message;
    const ManualClock clock;
    EmptyGuestBus bus;
    for (const char* name : { "soft:translator,memory=tlb", "soft:translator,bases=unkept",
             "soft:translator,memory=tlb,bases=unkept", "soft:lockstep,memory=tlb,bases=unkept" }) {
        const auto choice = chooseEngine(name, **memory, clock, CpuModel::standard(), bus);
        ASSERT_TRUE(choice) << choice.error().message;
        EXPECT_EQ(choice->session->engineName(), name);
    }
}

} // namespace namsan
