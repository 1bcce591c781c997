// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/machine_controller.h"

#include "app/running/run_supervisor.h"
#include "app/running/terminal.h"

#include <QMetaObject>
#include <QSocketNotifier>
#include <QTimer>

#include <algorithm>
#include <future>
#include <mutex>
#include <optional>
#include <unistd.h>
#include <utility>

namespace namsan {

namespace {

// What the machine's threads have left for the controller. However fast a guest is and however busy the window, it
// stays small: only the newest serial output is kept.
struct Messages {
    static constexpr qsizetype mostSerial = 1 << 20;
    static constexpr size_t mostWorkloadEvents = 1000;

    QByteArray serial;
    uint64_t serialLost = 0;
    std::vector<WorkloadEvent> workloads;
    std::vector<MachineState> states;
    unsigned reboots = 0;
    bool frame = false;

    void addSerial(std::span<const uint8_t> bytes)
    {
        serial.append(reinterpret_cast<const char*>(bytes.data()), static_cast<qsizetype>(bytes.size()));
        if (serial.size() <= 2 * mostSerial)
            return;
        serialLost += static_cast<uint64_t>(serial.size() - mostSerial);
        serial = serial.right(mostSerial);
    }
    void addWorkloads(const std::vector<WorkloadEvent>& events)
    {
        const size_t room = mostWorkloadEvents - std::min(mostWorkloadEvents, workloads.size());
        workloads.insert(workloads.end(), events.begin(),
            events.begin() + static_cast<std::ptrdiff_t>(std::min(room, events.size())));
    }
};

} // namespace

// The machine's threads leave messages under a lock and post one event for all that come until the controller's thread
// takes them; so a guest that floods its serial line costs the window one event per turn of its loop.
struct MachineController::Private final : public MachineListener {
    explicit Private(MachineController& controller)
        : owner(controller)
    {
    }

    // The machine's threads.

    void stateChanged(MachineState state) override
    {
        leave([&] { inbox.states.push_back(state); });
    }
    void serialOutput(std::span<const uint8_t> bytes) override
    {
        const auto events = supervisor->serialOutput(bytes);
        leave([&] {
            inbox.addSerial(bytes);
            inbox.addWorkloads(events);
        });
    }
    void rebooted() override
    {
        leave([&] { ++inbox.reboots; });
    }
    template <class Change> void leave(Change change)
    {
        const std::lock_guard guard(mutex);
        change();
        if (!std::exchange(announced, true))
            emit owner.messagesLeft(QPrivateSignal {});
    }

    // The controller's thread.

    void deliver();
    void deliverWorkload(const WorkloadEvent&);
    void step();
    void publish(const MachineSample&);
    void lookAtEngine();
    void readTerminal();
    void stop();

    std::mutex mutex; // of:
    Messages inbox;
    bool announced = false; // an event is posted that will take the messages

    MachineController& owner;
    MachineConfig config;
    RunOrders orders;
    std::unique_ptr<RunSupervisor> supervisor;
    std::unique_ptr<Machine> machine;
    FrameMailbox* viewer = nullptr;
    MachineSample lastSample;
    std::pair<QString, QString> engine; // name and reason, as they were told last
    QTimer nextStep;
    std::optional<Terminal> terminal;
    std::unique_ptr<QSocketNotifier> terminalNotifier;
    std::future<void> stopping; // cutPower() is on its way
    bool finished = false; // runFinished() was emitted
    std::optional<RunOutcome> conclusion;
};

void MachineController::Private::deliver()
{
    Messages messages;
    {
        const std::lock_guard guard(mutex);
        messages = std::exchange(inbox, {});
        announced = false;
    }
    if (messages.serialLost > 0)
        messages.serial.prepend(QByteArray("\r\n[" + QByteArray::number(static_cast<qulonglong>(messages.serialLost))
            + " bytes came too fast to be shown]\r\n"));
    if (!messages.serial.isEmpty())
        emit owner.serialReceived(messages.serial);
    for (const WorkloadEvent& event : messages.workloads)
        deliverWorkload(event);
    for (unsigned i = 0; i < std::min(messages.reboots, 1u); ++i)
        emit owner.rebooted();
    for (const MachineState state : messages.states) {
        if (state == MachineState::Ended)
            publish(supervisor->takeSample());
        emit owner.stateChanged(state);
    }
    if (messages.frame)
        emit owner.frameReady();
    step();
}

void MachineController::Private::deliverWorkload(const WorkloadEvent& event)
{
    if (const auto* began = std::get_if<WorkloadBegan>(&event)) {
        emit owner.workloadBegan(QString::fromStdString(began->name));
        return;
    }
    const auto& ended = std::get<WorkloadEnded>(event);
    emit owner.workloadEnded(QString::fromStdString(ended.name), ended.guestSeconds, ended.ok);
}

void MachineController::Private::step()
{
    if (conclusion)
        return;
    const auto now = std::chrono::steady_clock::now();
    const RunSupervisor::Step done = supervisor->step(now);
    nextStep.start(std::chrono::ceil<std::chrono::milliseconds>(done.next - now));
    lookAtEngine();
    for (const std::string& refusal : done.refusedMoves)
        emit owner.engineMoveRefused(QString::fromStdString(refusal));
    if (done.sample)
        publish(*done.sample);
    const auto ending = machine->ending();
    const bool guestChoseToExit = ending && ending->reason == MachineEnding::Reason::DebugExit;
    if ((orders.endsByItself() || guestChoseToExit) && supervisor->outcome() && !std::exchange(finished, true))
        emit owner.runFinished();
}

// Engines change at the user's wish, by a script, and when one gives up.
void MachineController::Private::lookAtEngine()
{
    std::pair now { owner.engineName(), owner.engineReason() };
    if (now == engine)
        return;
    engine = std::move(now);
    emit owner.engineChanged();
}

void MachineController::Private::publish(const MachineSample& sample)
{
    lastSample = sample;
    emit owner.sampled(sample);
}

void MachineController::Private::readTerminal()
{
    const Terminal::Input input = terminal->read();
    if (!input.bytes.empty())
        machine->sendSerial(input.bytes);
    if (input.leave)
        owner.cutPower();
    if (input.leave || input.atEnd)
        terminalNotifier->setEnabled(false);
}

void MachineController::Private::stop()
{
    nextStep.stop();
    terminalNotifier.reset();
    terminal.reset();
    supervisor->abandonSerial();
    supervisor->stopMoving();
    if (stopping.valid())
        stopping.wait();
    machine->stop();
}

Result<std::unique_ptr<MachineController>> MachineController::create(const MachineConfig& config)
{
    return create(config, {}, &Machine::create);
}

Result<std::unique_ptr<MachineController>> MachineController::create(
    const MachineConfig& config, const RunOrders& orders, const MachineFactory& factory)
{
    const auto host = readTopology();
    if (!host)
        return host.error();
    std::unique_ptr<MachineController> controller(new MachineController);
    Private& d = *controller->d;
    d.config = config;
    d.orders = orders;

    auto supervisor = RunSupervisor::create(config, orders, *host);
    if (!supervisor)
        return supervisor.error();
    d.supervisor = std::move(*supervisor);

    auto machine = factory(config, &d);
    if (!machine)
        return machine.error();
    d.machine = std::move(*machine);

    if (auto attached = d.supervisor->attach(*d.machine, [&d] { d.leave([] {}); }); !attached)
        return attached.error();
    d.engine = { controller->engineName(), controller->engineReason() };
    d.viewer = &d.machine->addViewer([&d] { d.leave([&d] { d.inbox.frame = true; }); });
    if (orders.serial == "stdio") {
        d.terminal.emplace(STDIN_FILENO);
        d.terminalNotifier = std::make_unique<QSocketNotifier>(STDIN_FILENO, QSocketNotifier::Read, controller.get());
        connect(d.terminalNotifier.get(), &QSocketNotifier::activated, controller.get(), [&d] { d.readTerminal(); });
    }
    return controller;
}

MachineController::MachineController()
    : d(std::make_unique<Private>(*this))
{
    d->nextStep.setParent(this); // so that it comes along to another thread
    d->nextStep.setSingleShot(true);
    d->nextStep.setTimerType(Qt::PreciseTimer); // keys are typed by it
    connect(&d->nextStep, &QTimer::timeout, this, [this] { d->step(); });
    connect(
        this, &MachineController::messagesLeft, this, [this] { d->deliver(); }, Qt::QueuedConnection);
}

MachineController::~MachineController()
{
    if (d->machine)
        d->stop();
}

const MachineConfig& MachineController::config() const
{
    return d->config;
}

MachineState MachineController::state() const
{
    return d->machine->state();
}

std::optional<MachineEnding> MachineController::ending() const
{
    return d->machine->ending();
}

QString MachineController::engineName() const
{
    return QString::fromStdString(d->machine->engineName());
}

QString MachineController::engineReason() const
{
    return QString::fromStdString(d->machine->engineReason());
}

std::vector<EngineOffer> MachineController::engineOffers() const
{
    return d->machine->engineOffers();
}

void MachineController::moveToEngine(const QString& name)
{
    d->supervisor->moveToEngine(name.toStdString());
}

void MachineController::start()
{
    d->machine->start();
    d->step();
}

void MachineController::pause()
{
    d->machine->pause();
}

void MachineController::reset()
{
    d->machine->reset();
}

void MachineController::pressPowerButton()
{
    d->machine->pressPowerButton();
}

void MachineController::cutPower()
{
    if (d->stopping.valid())
        return;
    // Machine::stop() waits for the machine's threads, and those may wait for a reader of the serial output.
    d->supervisor->abandonSerial();
    d->stopping = std::async(std::launch::async, [machine = d->machine.get()] { machine->stop(); });
}

void MachineController::sendInput(const InputEvent& event)
{
    d->machine->sendInput(event);
}

void MachineController::sendNmi()
{
    d->machine->sendNmi();
}

void MachineController::sendSerial(const QByteArray& bytes)
{
    d->machine->sendSerial({ reinterpret_cast<const uint8_t*>(bytes.constData()), static_cast<size_t>(bytes.size()) });
}

const Placement& MachineController::requestedPlacement() const
{
    return d->supervisor->requestedPlacement();
}

Result<void> MachineController::place(const Placement& placement)
{
    auto placed = d->supervisor->place(placement);
    if (placed) {
        emit placementChanged(placement);
        d->step();
    }
    return placed;
}

const Frame* MachineController::takeFrame()
{
    return d->viewer->take();
}

const MachineSample& MachineController::lastSample() const
{
    return d->lastSample;
}

MachineSample MachineController::sampleNow() const
{
    return d->machine->sample();
}

RunRecord MachineController::record() const
{
    return d->supervisor->record();
}

RunOutcome MachineController::conclude(std::vector<std::string>& complaints)
{
    if (!d->conclusion) {
        d->stop();
        d->conclusion = d->supervisor->conclude(complaints);
    }
    return *d->conclusion;
}

} // namespace namsan
