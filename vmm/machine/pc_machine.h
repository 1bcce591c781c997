// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_model.h"
#include "vmm/host/nat_network.h"
#include "vmm/machine/board_bus.h"
#include "vmm/machine/board_thread.h"
#include "vmm/machine/debug_console.h"
#include "vmm/machine/engine_choice.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/machine_builder.h"
#include "vmm/machine/serial_line.h"
#include "vmm/machine/thread_registry.h"
#include "vmm/machine/vcpu_thread.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace namsan {

// The Machine that runs guests: a board, an engine's session, and their threads.
//
// How the threads work together: every change of state is a task on the board thread, so changes come one after the
// other. To change anything under running vCPUs the task parks them, waits until they are (without the board lock,
// which one of them may be waiting for), does its work inside the board, and releases them. A vCPU that cannot go on, a
// device that asks for a reset and a guest that switches itself off only park the vCPUs and post such a task. Calls
// from outside post and return; state(), ending() and sample() read what is published under m_stateMutex or is atomic.
class PcMachine final : public Machine {
public:
    // Puts the guest into memory, now and at each reset, and gives the state in which vCPU 0 begins.
    using GuestLoader = std::function<Result<CpuState>(PcBoard&, GuestMemory&)>;

    static Result<std::unique_ptr<PcMachine>> create(
        const MachineConfig&, MachineListener*, GuestLoader, EngineMaker = enginesOfHost());
    ~PcMachine() override;

    const MachineConfig& config() const override { return m_config; }
    MachineState state() const override;
    std::optional<MachineEnding> ending() const override;

    void start() override;
    void pause() override;
    void reset() override;
    void pressPowerButton() override;
    void stop() override;
    bool waitForEnd(std::chrono::milliseconds) override;

    void sendInput(const InputEvent&) override;
    void sendSerial(std::span<const uint8_t>) override;
    void sendNmi() override;

    FrameMailbox& addViewer(std::function<void()> notifier) override;
    void removeViewer(FrameMailbox&) override;

    Result<void> place(const Placement& placement) override { return m_threads.place(placement); }

    Result<void> moveToEngine(std::string_view name) override;
    std::vector<EngineOffer> engineOffers() const override { return offeredEngines(processors()); }
    std::vector<EngineMove> engineMoves() const override;
    std::string engineName() const override;
    std::string engineReason() const override;
    MachineSample sample() const override;
    const Log& log() const override { return m_log; }

private:
    PcMachine(const MachineConfig&, MachineListener*, GuestLoader, EngineMaker);
    static EngineMaker enginesOfHost();

    Result<void> build();
    Result<void> load();
    Result<void> openDebugConsoles();
    void connect();
    void connectDebugPorts(const Held&);
    Result<void> openNetwork();
    void startNetwork();
    std::optional<NetworkFigures> networkFigures();

    // Tasks of the board thread
    void runVcpus();
    void parkVcpus();
    void resetNow();
    void endNow(MachineEnding);
    void deliverSerialOutput();
    void deliverDebugOutput();
    void observe();
    Result<void> moveNow(const std::string& engine, std::string_view because = {});
    void noteMove(const std::string& from);
    Result<void> plugIn(const std::string& engine, const std::vector<CpuState>&);
    void plugInApics();
    void unplugApics();
    void leaveFailedEngine(const std::string& why);

    // Any thread
    ProcessorsWanted processors() const; // once built
    void startThreads();
    void parkSoon();
    void askForReset();
    void askForEnd(MachineEnding);
    void vcpuStandsStill(unsigned index, const VcpuExit&);
    void publish(MachineState);

    static constexpr size_t mostMoves = 1000; // that are remembered
    static constexpr GuestTime observationPeriod = std::chrono::milliseconds(100);

    const MachineConfig m_config;
    MachineListener* const m_listener;
    const GuestLoader m_loader;
    const EngineMaker m_makeEngine;
    Log m_log;
    HostClock m_clock;
    std::optional<CpuModel> m_cpuModel; // for the machine's life; set by build()
    ThreadRegistry m_threads;

    std::unique_ptr<GuestMemory> m_memory;
    std::unique_ptr<NatNetwork> m_network; // empty: there is no network card
    std::unique_ptr<PcBoard> m_pc;
    std::unique_ptr<BoardBus> m_bus;
    // Changed on the board thread while the vCPUs are parked, under the board lock and this one.
    mutable std::mutex m_engineMutex;
    std::unique_ptr<VmSession> m_session;
    std::string m_engineReason;
    std::deque<EngineMove> m_moves;
    std::vector<VcpuFigures> m_figuresBefore; // of the vCPUs of former engines
    std::unique_ptr<SerialLine> m_serial;
    std::map<Port, std::unique_ptr<DebugConsole>> m_debugConsoles;
    InputQueue m_input;
    std::unique_ptr<Timer> m_observation;
    std::vector<std::unique_ptr<VcpuThread>> m_vcpus;
    std::unique_ptr<BoardThread> m_boardThread;

    mutable std::mutex m_stateMutex;
    std::condition_variable m_stateChanged;
    MachineState m_state = MachineState::Ready;
    std::optional<MachineEnding> m_ending;
    std::optional<NetworkFigures> m_networkFigures;
    bool m_threadsStarted = false;
    bool m_resetAsked = false;
    std::chrono::nanoseconds m_hostTime {}; // until the last pause
    std::optional<std::chrono::steady_clock::time_point> m_runningSince;
    std::atomic<int64_t> m_lateness = 0; // nanoseconds
};

} // namespace namsan
