// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/machine_controller.h"

#include "tests/support/fake_machine.h"
#include "tests/support/temporary_folder.h"

#include <QCoreApplication>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <thread>

namespace namsan {

namespace {

using Reason = MachineEnding::Reason;

class MachineControllerTest : public ::testing::Test {
protected:
    void begin(const RunOrders& orders = {}, const MachineConfig& config = {})
    {
        auto created
            = MachineController::create(config, orders, [this](const MachineConfig& config, MachineListener* listener) {
                  auto made = std::make_unique<FakeMachine>(config, listener);
                  machine = made.get();
                  return Result<std::unique_ptr<Machine>>(std::move(made));
              });
        ASSERT_TRUE(created) << created.error().message;
        controller = std::move(*created);
        QObject::connect(controller.get(), &MachineController::serialReceived, [this](const QByteArray& bytes) {
            serial += bytes;
            ++serialSignals;
        });
        QObject::connect(controller.get(), &MachineController::stateChanged,
            [this](MachineState state) { states.push_back(state); });
        QObject::connect(controller.get(), &MachineController::frameReady, [this] { ++frames; });
        QObject::connect(controller.get(), &MachineController::sampled, [this] { ++samples; });
        QObject::connect(controller.get(), &MachineController::rebooted, [this] { ++reboots; });
        QObject::connect(controller.get(), &MachineController::runFinished, [this] { ++finishes; });
        controller->start();
        deliver();
    }
    static void deliver() { QCoreApplication::sendPostedEvents(); }
    // What the guest does happens on a thread of the machine.
    static void onMachineThread(const std::function<void()>& work) { std::thread(work).join(); }

    int argc = 1;
    char name[5] = "test";
    char* argv[2] = { name, nullptr };
    QCoreApplication application { argc, argv };
    FakeMachine* machine = nullptr;
    std::unique_ptr<MachineController> controller;
    QByteArray serial;
    std::vector<MachineState> states;
    int serialSignals = 0;
    int frames = 0;
    int samples = 0;
    int reboots = 0;
    int finishes = 0;
};

} // namespace

TEST_F(MachineControllerTest, StartsTheMachineAndTakesAFirstSample)
{
    begin();
    EXPECT_EQ(controller->state(), MachineState::Running);
    EXPECT_EQ(states, std::vector<MachineState> { MachineState::Running });
    EXPECT_EQ(samples, 1);
    EXPECT_EQ(controller->engineName(), "fake");
}

TEST_F(MachineControllerTest, DeliversOnItsOwnThreadWhatTheMachineTells)
{
    begin();
    onMachineThread([&] {
        machine->print("Linux ");
        machine->print("version\n");
        machine->reboot();
    });
    EXPECT_EQ(serialSignals, 0); // nothing happens on the machine's thread
    deliver();
    EXPECT_EQ(serial, "Linux version\n");
    EXPECT_EQ(serialSignals, 1); // together
    EXPECT_EQ(reboots, 1);
}

TEST_F(MachineControllerTest, AnnouncesManyFramesOnceAndGivesTheNewest)
{
    begin();
    onMachineThread([&] {
        machine->show({ "one" });
        machine->show({ "two" });
    });
    deliver();
    EXPECT_EQ(frames, 1);
    const Frame* frame = controller->takeFrame();
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->text, std::vector<std::string> { "two" });
    EXPECT_EQ(controller->takeFrame(), nullptr);
}

TEST_F(MachineControllerTest, TellsOfWorkloads)
{
    begin();
    QString began, ended;
    double seconds = 0;
    bool good = false;
    QObject::connect(
        controller.get(), &MachineController::workloadBegan, [&](const QString& workload) { began = workload; });
    QObject::connect(controller.get(), &MachineController::workloadEnded,
        [&](const QString& workload, double guestSeconds, bool ok) {
            ended = workload;
            seconds = guestSeconds;
            good = ok;
        });
    onMachineThread([&] { machine->print("! BEGIN: count\n! PERF: count 1.5 s ok\n"); });
    deliver();
    EXPECT_EQ(began, "count");
    EXPECT_EQ(ended, "count");
    EXPECT_EQ(seconds, 1.5);
    EXPECT_TRUE(good);
    EXPECT_EQ(controller->record().workloads.size(), 1u);
}

TEST_F(MachineControllerTest, AFloodOfSerialOutputStaysBounded)
{
    begin();
    onMachineThread([&] {
        const std::string piece(1 << 16, 'x');
        for (int i = 0; i < 100; ++i)
            machine->print(piece);
        machine->print("the end");
    });
    deliver();
    EXPECT_LT(serial.size(), 3 << 20);
    EXPECT_TRUE(serial.contains("bytes came too fast to be shown"));
    EXPECT_TRUE(serial.endsWith("the end"));
}

TEST_F(MachineControllerTest, PlacesAndTellsOfIt)
{
    begin();
    int changes = 0;
    QObject::connect(controller.get(), &MachineController::placementChanged, [&] { ++changes; });
    const Placement wanted { 0, { 0 } };
    EXPECT_TRUE(controller->place(wanted));
    EXPECT_EQ(controller->requestedPlacement(), wanted);
    EXPECT_EQ(machine->placement(), wanted);
    EXPECT_EQ(changes, 1);

    machine->refusePlacement = true;
    EXPECT_EQ(controller->place({ std::nullopt, { std::nullopt } }).error().message, "The fake host refuses.");
    EXPECT_EQ(controller->requestedPlacement(), wanted);
    EXPECT_EQ(changes, 1);
}

TEST_F(MachineControllerTest, MovesBetweenEnginesAndTellsOfIt)
{
    begin();
    machine->engines = { { "kvm", {} } };
    int changes = 0;
    QStringList refusals;
    QObject::connect(controller.get(), &MachineController::engineChanged, [&] { ++changes; });
    QObject::connect(controller.get(), &MachineController::engineMoveRefused,
        [&](const QString& sentence) { refusals.push_back(sentence); });
    const auto comes = [](auto condition) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!condition() && std::chrono::steady_clock::now() < end)
            deliver();
        return condition();
    };
    controller->moveToEngine("kvm");
    ASSERT_TRUE(comes([&] { return changes > 0; }));
    EXPECT_EQ(controller->engineName(), "kvm");
    controller->moveToEngine("soft:translator");
    ASSERT_TRUE(comes([&] { return !refusals.empty(); }));
    EXPECT_EQ(refusals,
        QStringList { "The guest was not moved to the engine soft:translator. The fake host has no such engine." });
    EXPECT_EQ(controller->engineName(), "kvm");
    EXPECT_EQ(controller->state(), MachineState::Running);
    EXPECT_EQ(changes, 1);
}

TEST_F(MachineControllerTest, CuttingThePowerReturnsAtOnceAndTheEndFollows)
{
    begin();
    controller->cutPower();
    controller->cutPower();
    EXPECT_TRUE(machine->waitForEnd(std::chrono::seconds(30)));
    // The end is announced from the thread that stops the machine, a moment after the machine has ended.
    while (states.back() != MachineState::Ended)
        QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 1000);
    EXPECT_EQ(samples, 2);
    EXPECT_EQ(controller->ending()->reason, Reason::Stopped);
    EXPECT_EQ(finishes, 0); // nobody asked for an end
}

TEST_F(MachineControllerTest, PassesCallsToTheMachine)
{
    begin();
    controller->pressPowerButton();
    controller->reset();
    controller->sendSerial("ls\n");
    controller->sendInput(KeyEvent { 4, true });
    controller->pause();
    EXPECT_EQ(machine->calls(), (std::vector<std::string> { "power button", "reset" }));
    EXPECT_EQ(machine->serialInput(), "ls\n");
    EXPECT_EQ(machine->input().size(), 1u);
    EXPECT_EQ(controller->state(), MachineState::Paused);
}

TEST_F(MachineControllerTest, FinishesTheRunWhenTheTextIsThere)
{
    const TemporaryFolder folder;
    begin({ .until = "ready", .record = folder.path("r.json") });
    onMachineThread([&] { machine->print("ready\n"); });
    EXPECT_EQ(finishes, 0);
    deliver();
    deliver();
    EXPECT_EQ(finishes, 1);
    std::vector<std::string> complaints;
    EXPECT_EQ(controller->conclude(complaints).code, ExitCode::Success);
    EXPECT_TRUE(complaints.empty());
    EXPECT_TRUE(nlohmann::json::accept(folder.read("r.json")));
}

TEST_F(MachineControllerTest, RefusesWhatTheMachineRefuses)
{
    const auto created = MachineController::create({}, {}, [](const MachineConfig&, MachineListener*) {
        return Result<std::unique_ptr<Machine>>(Error { "There is no kernel." });
    });
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().message, "There is no kernel.");
}

TEST_F(MachineControllerTest, AGuestThatExitsEndsARunThatWouldOtherwiseStay)
{
    begin();
    onMachineThread([this] { machine->end(Reason::PoweredOff, "Off."); });
    deliver();
    EXPECT_EQ(finishes, 0);

    begin();
    onMachineThread([this] { machine->end(Reason::DebugExit, "It wrote 0h."); });
    deliver();
    EXPECT_EQ(finishes, 1);
    std::vector<std::string> complaints;
    EXPECT_EQ(static_cast<int>(controller->conclude(complaints).code), 1);
}

} // namespace namsan
