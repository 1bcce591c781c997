// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/machine_factory.h"
#include "app/running/run_orders.h"
#include "vmm/display/frame.h"
#include "vmm/machine/machine.h"
#include "vmm/machine/run_record.h"

#include <QByteArray>
#include <QObject>
#include <QString>

#include <memory>
#include <string>
#include <vector>

namespace namsan {

// One VM as the program's Qt side sees it: calls go to the machine without waiting, what the machine tells comes back
// as signals on the thread that the controller lives on (the GUI thread in the window). The machine's threads never
// enter this object; they leave messages for it.
class MachineController final : public QObject {
    Q_OBJECT

public:
    // Builds the machine, which takes as long as reading and unpacking its kernel does. A thread that must not wait has
    // another one do it, which then moves the controller over (QObject::moveToThread()). Fails with a sentence for the
    // user.
    static Result<std::unique_ptr<MachineController>> create(const MachineConfig&);
    // The same, for a run with orders. The factory is Machine::create but in tests.
    static Result<std::unique_ptr<MachineController>> create(
        const MachineConfig&, const RunOrders&, const MachineFactory&);
    ~MachineController() override; // stops the machine; waits for its threads

    const MachineConfig& config() const;
    MachineState state() const;
    std::optional<MachineEnding> ending() const;
    QString engineName() const;
    QString engineReason() const;
    std::vector<EngineOffer> engineOffers() const; // asks the host

    void start();
    void pause();
    void reset();
    void pressPowerButton();
    void cutPower(); // ends as Stopped; returns at once, stateChanged() follows
    void sendInput(const InputEvent&);
    void sendNmi();
    void sendSerial(const QByteArray&);
    void moveToEngine(const QString& name); // engineChanged() follows, or engineMoveRefused()

    // What was asked for last. place() fails with a sentence and changes nothing where the host does not allow it.
    const Placement& requestedPlacement() const;
    Result<void> place(const Placement&);

    // The newest picture since the last call, or nullptr. Valid until the next call. frameReady() announces it.
    const Frame* takeFrame();

    // The last sample, and the record of the run so far.
    const MachineSample& lastSample() const;
    MachineSample sampleNow() const; // of this moment; not for the record
    RunRecord record() const;

    // Stops the machine, waits for its threads, and writes what the orders want written. What could not be written is
    // told in complaints. Once, at the end of the window's life.
    RunOutcome conclude(std::vector<std::string>& complaints);

signals:
    void stateChanged(namsan::MachineState state);
    void serialReceived(const QByteArray& bytes);
    void rebooted();
    void frameReady();
    void sampled(const namsan::MachineSample& sample); // once a second while running, and once at the end
    void placementChanged(const namsan::Placement& placement);
    void engineChanged(); // its name, or why it was chosen
    void engineMoveRefused(const QString& sentence); // the guest goes on where it was
    // The guest's workload lines on the serial console: "! BEGIN: NAME" and "! PERF: NAME N s ok".
    void workloadBegan(const QString& name);
    void workloadEnded(const QString& name, double guestSeconds, bool ok);
    // What the orders asked for has happened, or can't happen any more: the window may close. Only where they ask for
    // an end, or the guest has chosen an exit code. Once.
    void runFinished();
    // The machine's threads have left messages; for this object alone, and from any thread.
    void messagesLeft(QPrivateSignal);

private:
    MachineController();

    struct Private;
    std::unique_ptr<Private> d;
};

} // namespace namsan
