// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/headless_run.h"

#include "tests/support/fake_machine.h"
#include "tests/support/synthetic_topology.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <unistd.h>

namespace namsan {

namespace {

using Reason = MachineEnding::Reason;

class HeadlessRunTest : public ::testing::Test {
protected:
    ExitCode run(const RunOrders& orders, std::function<void(FakeMachine&)> guest)
    {
        const MachineFactory factory = [&](const MachineConfig& config, MachineListener* listener) {
            auto machine = std::make_unique<FakeMachine>(config, listener);
            machine->whenStarted = guest;
            machine->whenInput = whenInput;
            return Result<std::unique_ptr<Machine>>(std::move(machine));
        };
        return run(orders, factory);
    }
    ExitCode run(const RunOrders& orders, const MachineFactory& factory)
    {
        return runHeadless(
            {}, orders, synthesize({}), factory, [this](const std::string& sentence) { said.push_back(sentence); });
    }

    const TemporaryFolder folder;
    std::vector<std::string> said;
    std::function<void(FakeMachine&, const InputEvent&)> whenInput;
};

} // namespace

TEST_F(HeadlessRunTest, EndsWithSuccessWhenTheTextIsThere)
{
    EXPECT_EQ(run({ .until = "ready" }, [](FakeMachine& guest) { guest.print("ready\n"); }), ExitCode::Success);
    EXPECT_TRUE(said.empty());
}

TEST_F(HeadlessRunTest, EndsWithSuccessWhenTheGuestPowersOff)
{
    EXPECT_EQ(run({}, [](FakeMachine& guest) { guest.end(Reason::PoweredOff, "Off."); }), ExitCode::Success);
    EXPECT_TRUE(said.empty());
}

TEST_F(HeadlessRunTest, TellsWhyAMachineCannotBeMade)
{
    const MachineFactory factory = [](const MachineConfig&, MachineListener*) {
        return Result<std::unique_ptr<Machine>>(Error { "No kernel." });
    };
    EXPECT_EQ(run({}, factory), ExitCode::BadInput);
    EXPECT_EQ(said, std::vector<std::string> { "No kernel." });
}

TEST_F(HeadlessRunTest, TellsOfACrashInOneSentence)
{
    EXPECT_EQ(run({}, [](FakeMachine& guest) { guest.end(Reason::Crashed, "Triple fault."); }), ExitCode::GuestCrashed);
    EXPECT_EQ(said, std::vector<std::string> { "The guest crashed: Triple fault." });
}

TEST_F(HeadlessRunTest, ATimeOutStillLeavesEverythingBehind)
{
    const RunOrders orders { .until = "never",
        .timeout = std::chrono::milliseconds(1),
        .serial = folder.path("serial"),
        .screenshot = folder.path("s.png"),
        .record = folder.path("r.json") };
    EXPECT_EQ(run(orders,
                  [](FakeMachine& guest) {
                      guest.print("half a li");
                      guest.show({ "half a li" });
                  }),
        ExitCode::TimedOut);
    EXPECT_EQ(said.size(), 1u);
    EXPECT_EQ(folder.read("serial"), "half a li");
    EXPECT_TRUE(folder.read("s.png").starts_with("\x89PNG"));
    EXPECT_EQ(nlohmann::json::parse(folder.read("r.json"))["ending"]["reason"], "stopped");
}

TEST_F(HeadlessRunTest, TypesAndSeesTheAnswer)
{
    RunOrders orders { .until = "hello" };
    orders.typing.push_back(*parseTypingStep("login:=>h\\n"));
    whenInput = [](FakeMachine& guest, const InputEvent& event) {
        constexpr HidUsage enter = 0x28;
        if (const auto& key = std::get<KeyEvent>(event); key.usage == enter && !key.pressed)
            guest.print("hello\n");
    };
    EXPECT_EQ(run(orders, [](FakeMachine& guest) { guest.print("login:"); }), ExitCode::Success);
}

TEST_F(HeadlessRunTest, ASignalEndsTheRunInOrder)
{
    const RunOrders orders { .record = folder.path("r.json") };
    EXPECT_EQ(run(orders, [](FakeMachine&) { kill(getpid(), SIGTERM); }), ExitCode::GoalMissed);
    EXPECT_EQ(said, std::vector<std::string> { "The run was interrupted by the signal SIGTERM before it was over." });
    EXPECT_TRUE(nlohmann::json::accept(folder.read("r.json")));
}

TEST_F(HeadlessRunTest, AGuestThatFloodsTheSerialLineIsStillTimedOut)
{
    const RunOrders orders {
        .until = "never", .timeout = std::chrono::milliseconds(1), .serial = folder.path("serial")
    };
    EXPECT_EQ(run(orders,
                  [](FakeMachine& guest) {
                      for (int i = 0; i < 1000; ++i)
                          guest.print(std::string(4096, 'x'));
                  }),
        ExitCode::TimedOut);
    EXPECT_EQ(folder.read("serial").size(), 4096u * 1000);
}

} // namespace namsan
