// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/run_supervisor.h"

#include "tests/support/fake_machine.h"
#include "tests/support/synthetic_topology.h"
#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <thread>

namespace namsan {

namespace {

using namespace std::chrono_literals;

MachineConfig placedAt(std::string placement)
{
    MachineConfig config;
    config.placement = std::move(placement);
    return config;
}

// Time is what the test says it is.
class RunSupervisorTest : public ::testing::Test, public MachineListener {
protected:
    void begin(const RunOrders& orders, MachineConfig config = {})
    {
        auto created = RunSupervisor::create(config, orders, synthesize({ .coresPerSocket = 2 }));
        ASSERT_TRUE(created) << created.error().message;
        supervisor = std::move(*created);
        const auto attached = supervisor->attach(machine, [this] { ++wakes; });
        ASSERT_TRUE(attached) << attached.error().message;
        machine.start();
        step();
    }
    RunSupervisor::Step step() { return supervisor->step(now); }
    void after(std::chrono::milliseconds time)
    {
        now += time;
        step();
    }
    std::optional<ExitCode> code() const
    {
        const auto outcome = supervisor->outcome();
        return outcome ? std::optional(outcome->code) : std::nullopt;
    }

    void stateChanged(MachineState) override { }
    void serialOutput(std::span<const uint8_t> bytes) override { supervisor->serialOutput(bytes); }
    void rebooted() override { }

    const TemporaryFolder folder;
    FakeMachine machine { {}, this };
    std::unique_ptr<RunSupervisor> supervisor;
    RunSupervisor::Time now {};
    // What another thread brings about before long, or never.
    template <class Condition> static bool comes(Condition condition)
    {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (std::chrono::steady_clock::now() < end) {
            if (condition())
                return true;
            std::this_thread::yield();
        }
        return false;
    }

    std::atomic<int> wakes = 0;
};

} // namespace

TEST_F(RunSupervisorTest, TakesASampleEachSecond)
{
    begin({});
    for (int i = 0; i < 25; ++i)
        after(100ms);
    EXPECT_EQ(supervisor->record().samples.size(), 3u); // at 0, 1 and 2 s
}

TEST_F(RunSupervisorTest, TakesASampleSoonAfterAChangeOfPlacement)
{
    begin({});
    after(100ms);
    EXPECT_TRUE(supervisor->place({ 1, { 0 } }));
    EXPECT_LE(step().next - now, 500ms);
    after(500ms);
    EXPECT_EQ(supervisor->record().samples.size(), 2u);
    after(800ms);
    EXPECT_EQ(supervisor->record().samples.size(), 2u) << "from then on once a second again";
    after(100ms);
    EXPECT_EQ(supervisor->record().samples.size(), 3u);
}

TEST_F(RunSupervisorTest, TakesNoSamplesOfAPausedMachine)
{
    begin({});
    machine.pause();
    after(5s);
    EXPECT_EQ(supervisor->record().samples.size(), 1u);
}

TEST_F(RunSupervisorTest, PlacesTheMachineAsItsConfigurationSays)
{
    begin({}, placedAt("1d"));
    EXPECT_EQ(machine.placement(), (Placement { 0, { 1 } }));
    EXPECT_EQ(supervisor->record().requested, machine.placement());
    EXPECT_TRUE(supervisor->place({ 1, { 0 } }));
    EXPECT_EQ(supervisor->requestedPlacement(), (Placement { 1, { 0 } }));

    machine.refusePlacement = true;
    EXPECT_FALSE(supervisor->place({ 0, { 0 } }));
    EXPECT_EQ(supervisor->requestedPlacement(), (Placement { 1, { 0 } }));
}

TEST_F(RunSupervisorTest, RefusesACpuThatDoesNotExist)
{
    const auto refused = RunSupervisor::create(placedAt("vmm=7"), {}, synthesize({ .coresPerSocket = 2 }));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message,
        "CPU 7 of the placement's part \"vmm=7\" does not exist on this host; choose from the CPUs 0-1.");
}

TEST_F(RunSupervisorTest, WritesSerialOutputThroughAtOnce)
{
    begin({ .serial = folder.path("serial") });
    machine.print("Linux ");
    EXPECT_EQ(folder.read("serial"), "Linux ");
    machine.print("version\n");
    EXPECT_EQ(folder.read("serial"), "Linux version\n");
}

TEST_F(RunSupervisorTest, RefusesFilesThatCannotBeWrittenBeforeTheRun)
{
    for (const RunOrders& orders :
        { RunOrders { .serial = folder.path("none/s") }, RunOrders { .screenshot = folder.path("none/s.png") },
            RunOrders { .record = folder.path("none/r.json") } }) {
        const auto refused = RunSupervisor::create({}, orders, synthesize({}));
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message.find("there is no folder"), std::string::npos) << refused.error().message;
    }
    EXPECT_EQ(folder.files(), 0u);
}

TEST_F(RunSupervisorTest, ASerialFileOnAFullDiskEndsTheRunWithItsReason)
{
    begin({ .serial = "/dev/full" });
    machine.print("x");
    EXPECT_GT(wakes, 0);
    step();
    ASSERT_EQ(code(), ExitCode::BadInput);
    EXPECT_EQ(supervisor->outcome()->why,
        "The serial output cannot be written to /dev/full any more: No space left on device.");
}

TEST_F(RunSupervisorTest, WakesItsDriverWhenTheTextIsThere)
{
    begin({ .until = "ready" });
    machine.print("boot\n");
    EXPECT_EQ(wakes, 0);
    machine.print("ready\n");
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(code(), ExitCode::Success);
}

TEST_F(RunSupervisorTest, FindsTheTextOnTheScreen)
{
    begin({ .untilScreen = "login" });
    machine.show({ "booting" });
    step();
    EXPECT_FALSE(code());
    machine.show({ "debian login:" });
    step();
    EXPECT_EQ(code(), ExitCode::Success);
}

TEST_F(RunSupervisorTest, TypesAtAPaceThatAGuestCanFollow)
{
    RunOrders orders;
    orders.typing.push_back(*parseTypingStep("login:=>ab"));
    begin(orders);
    machine.print("login:");
    EXPECT_EQ(wakes, 1);
    EXPECT_TRUE(machine.input().empty());
    step();
    step();
    EXPECT_EQ(machine.input().size(), 1u);
    EXPECT_EQ(step().next, now + 10ms);
    after(10ms);
    EXPECT_EQ(machine.input().size(), 2u);
    after(10ms);
    after(10ms);
    after(10ms);
    ASSERT_EQ(machine.input().size(), 4u);
    EXPECT_EQ(std::get<KeyEvent>(machine.input()[0]).usage, 0x04);
    EXPECT_FALSE(std::get<KeyEvent>(machine.input()[3]).pressed);
}

TEST_F(RunSupervisorTest, TypesWhatTheScreenAsksFor)
{
    RunOrders orders;
    orders.typing.push_back(*parseTypingStep("# =>x"));
    begin(orders);
    machine.show({ "/ #" });
    step();
    EXPECT_EQ(machine.input().size(), 1u);
}

TEST_F(RunSupervisorTest, TimesOut)
{
    begin({ .until = "never", .timeout = 2500ms });
    after(2s);
    EXPECT_FALSE(code());
    EXPECT_EQ(step().next, RunSupervisor::Time {} + 2500ms);
    after(500ms);
    EXPECT_EQ(code(), ExitCode::TimedOut);
}

TEST_F(RunSupervisorTest, LeavesRecordAndScreenshotBehindAfterACrash)
{
    begin({ .screenshot = folder.path("s.png"), .record = folder.path("r.json") });
    machine.show({ "Kernel panic" });
    machine.end(MachineEnding::Reason::Crashed, "Triple fault at EIP 0.");
    step();
    EXPECT_EQ(code(), ExitCode::GuestCrashed);

    std::vector<std::string> complaints;
    const RunOutcome outcome = supervisor->conclude(complaints);
    EXPECT_EQ(outcome.why, "The guest crashed: Triple fault at EIP 0.");
    EXPECT_TRUE(complaints.empty());
    EXPECT_TRUE(folder.read("s.png").starts_with("\x89PNG"));
    const auto record = nlohmann::json::parse(folder.read("r.json"));
    EXPECT_EQ(record["ending"]["reason"], "crashed");
    EXPECT_EQ(record["program"]["name"], "namsan");
}

TEST_F(RunSupervisorTest, ComplainsOfAScreenshotWithoutAPictureAndStillWritesTheRecord)
{
    begin({ .screenshot = folder.path("s.png"), .record = folder.path("r.json") });
    machine.end(MachineEnding::Reason::PoweredOff, "Off.");
    std::vector<std::string> complaints;
    EXPECT_EQ(supervisor->conclude(complaints).code, ExitCode::BadInput);
    ASSERT_EQ(complaints.size(), 1u);
    EXPECT_EQ(
        complaints[0], "The screenshot cannot be written: the guest has shown no picture yet. Try again when it has.");
    EXPECT_TRUE(nlohmann::json::accept(folder.read("r.json")));
}

TEST_F(RunSupervisorTest, AnUnwritableRecordIsTold)
{
    begin({ .record = "/dev/full" });
    machine.end(MachineEnding::Reason::PoweredOff, "Off.");
    std::vector<std::string> complaints;
    EXPECT_EQ(supervisor->conclude(complaints).code, ExitCode::BadInput);
    ASSERT_EQ(complaints.size(), 1u);
    EXPECT_EQ(
        complaints[0], "The run record cannot be written to /dev/full: No space left on device. Choose another file.");
}

TEST_F(RunSupervisorTest, CarriesTheGuestToAnotherEngineWhenTheTextComes)
{
    machine.engines = { { "soft:translator", {} } };
    begin({ .moves = { { "login:", "soft:translator" }, { "login:", "kvm" } } });
    EXPECT_EQ(machine.engineName(), "fake");
    machine.print("login:");
    EXPECT_GT(wakes, 0);
    step();
    ASSERT_TRUE(comes([&] { return machine.engineName() == "soft:translator"; }));

    machine.print("login:");
    std::vector<std::string> refused;
    ASSERT_TRUE(comes([&] {
        refused = step().refusedMoves;
        return !refused.empty();
    }));
    EXPECT_EQ(refused,
        std::vector<std::string> { "The guest was not moved to the engine kvm. The fake host has no such engine." });
    EXPECT_EQ(machine.engineName(), "soft:translator");
    EXPECT_EQ(machine.state(), MachineState::Running);

    const RunRecord record = supervisor->record();
    ASSERT_EQ(record.engineMoves.size(), 1u);
    EXPECT_EQ(record.engineMoves[0].from, "fake");
    EXPECT_EQ(record.engineMoves[0].to, "soft:translator");
    supervisor->stopMoving();
    supervisor->moveToEngine("soft:translator"); // nobody is there any more who would
    EXPECT_TRUE(step().refusedMoves.empty());
}

} // namespace namsan
