// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/engine_mover.h"
#include "app/running/move_script.h"
#include "app/running/run_goal.h"
#include "app/running/run_orders.h"
#include "app/running/serial_sink.h"
#include "app/running/typing_script.h"
#include "vmm/host/topology.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run_recorder.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace namsan {

// Sees to it that a run of a machine does what was ordered, with or without a window: keeps its serial output, types,
// takes samples, decides when it is over, and leaves record and screenshot behind.
//
// Two sides: the machine's threads bring serial output; one driver (the GUI thread, or the loop of a headless run)
// calls step() when woken and at the time that the last step named. Both may come at once.
class RunSupervisor {
public:
    using Time = std::chrono::steady_clock::time_point;

    struct Step {
        Time next; // call again no later
        std::optional<MachineSample> sample; // taken in this step
        std::vector<std::string> refusedMoves; // sentences for the user
    };

    // Opens the serial file and looks at the other files, so that a run doesn't go to waste. Fails with a sentence.
    static Result<std::unique_ptr<RunSupervisor>> create(const MachineConfig&, const RunOrders&, const Topology&);

    // Places the machine as its configuration says. It must outlive conclude(). wake is called on the machine's threads
    // when a step is due. Before the machine starts. Fails with a sentence where the placement can't be had.
    Result<void> attach(Machine&, std::function<void()> wake);

    // The machine's threads. Returns the workload lines that the bytes complete.
    std::vector<WorkloadEvent> serialOutput(std::span<const uint8_t>);

    // The driver's side.

    // Fails, and changes nothing, where the host does not allow it. A sample soon shows what came of it: step is due.
    Result<void> place(const Placement&);
    const Placement& requestedPlacement() const { return m_placement; }
    void moveToEngine(std::string engine); // returns at once; a refusal comes with a step
    Step step(Time now);
    void interrupt(ExitCode, std::string why); // decides the outcome, unless there is one
    std::optional<RunOutcome> outcome() const; // set: the run is over, stop the machine

    // Lets go of a reader of the serial output that doesn't read; to be called before the machine is stopped.
    void abandonSerial();
    // The same for moves between engines: waits for one that is on its way. The last of the driver's calls but
    // conclude().
    void stopMoving() { m_mover.reset(); }
    // After the machine's end: writes record and screenshot. Further sentences for the user, if that fails, are in
    // complaints; the outcome is then no success any more. Once.
    RunOutcome conclude(std::vector<std::string>& complaints);

    RunRecord record() const { return m_recorder.record(); }
    MachineSample takeSample() { return m_recorder.takeSample(); }

private:
    RunSupervisor(const MachineConfig&, const RunOrders&, const Topology&);

    void holdAtMark(const std::vector<WorkloadEvent>&);
    void lookAtScreen();
    void lookAtTime(Time now);
    void lookAtMachine();
    void typeKeys(Time now);
    std::vector<std::string> makeMoves();
    void complain(RunOutcome&, std::vector<std::string>& complaints, const Result<void>&);

    MachineConfig m_config;
    RunOrders m_orders;
    Topology m_host;
    Placement m_placement;
    std::unique_ptr<SerialSink> m_serial; // nullptr: nowhere
    RunRecorder m_recorder;
    Machine* m_machine = nullptr;
    FrameMailbox* m_viewer = nullptr; // when something watches the screen
    const Frame* m_lastFrame = nullptr;
    std::function<void()> m_wake;
    std::unique_ptr<EngineMover> m_mover; // while the machine may be moved
    std::optional<Time> m_startedAt; // the first step with a machine that runs
    Time m_nextSample;
    bool m_sampleSoon = false;
    Time m_nextKey;

    bool m_held = false; // at its mark; of the machine's threads

    mutable std::mutex m_mutex; // of what both sides use:
    RunGoal m_goal;
    TypingScript m_typing;
    MoveScript m_moves;
    std::vector<std::string> m_movesDue;
};

} // namespace namsan
