// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/lane_track.h"
#include "app/running/machine_controller.h"
#include "app/running/race_setup.h"
#include "vmm/base/file_descriptor.h"
#include "vmm/machine/line_splitter.h"

#include <QObject>
#include <QTimer>

#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace namsan {

// Holds a race: makes each lane's machine, starts, holds and ends it as the race says, and tells the race what happens.
// Lives on the thread of an event loop, which it never keeps waiting but in its destructor.
class RaceRunner final : public QObject {
    Q_OBJECT

public:
    explicit RaceRunner(RaceSetup, QObject* parent = nullptr);
    ~RaceRunner() override; // ends the machines that there are, and waits for them

    const RaceSetup& setup() const { return m_setup; }
    const Race& race() const { return m_race; }
    const LaneTrack& track(size_t lane) const { return m_lanes[lane].track; }
    MachineController* machine(size_t lane) const { return m_lanes[lane].machine.get(); } // nullptr: there is none now

    // Fails with a sentence where something else is being measured on this host.
    Result<void> begin();
    void repeatRound();
    void cancel(); // over() follows
    void pause();
    void goOn();

signals:
    void machineMade(size_t lane); // before it starts
    void sampled(size_t lane, const namsan::MachineSample& sample); // once a second, as its controller tells
    void frameReady(size_t lane);
    void changed(); // the stage of the race or of a lane, or the rounds
    void figuresChanged(); // tracks; ten times a second while lanes run
    void over(); // no machine is left, and none will follow before begin()
    void lanesMade(QPrivateSignal); // m_made names them; out of the threads that make machines

private:
    struct Lane {
        std::unique_ptr<MachineController> machine;
        std::future<Result<std::unique_ptr<MachineController>>> making; // valid: a thread makes the machine
        bool unwanted = false; // what is being made
        LineSplitter lines;
        LaneTrack track;
        std::string trouble; // why its run won't count, where the run itself does not tell
    };

    void perform(const Race::Orders&);
    void boot(size_t lane);
    void takeMade();
    void made(size_t lane);
    void connectMachine(size_t lane);
    void end(size_t lane);
    void workloadBegan(size_t lane);
    void stateChanged(size_t lane, MachineState);
    void serialReceived(size_t lane, const QByteArray&);
    void rebooted(size_t lane);
    void conclude(size_t lane);
    void tellOfStart(size_t lane);
    void takeFigures();

    RaceSetup m_setup;
    Race m_race;
    std::vector<Lane> m_lanes;
    std::mutex m_madeMutex; // of:
    std::vector<size_t> m_made; // lanes whose machine is about to be in `making`
    QTimer m_figures;
    std::optional<FileDescriptor> m_lock;
};

} // namespace namsan
