// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/race_runner.h"

#include "app/lab/measuring_host.h"
#include "app/lab/run_judgement.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace namsan {

namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto figuresInterval = 100ms;

ExperimentRun lost(std::string why)
{
    ExperimentRun run;
    run.status = RunStatus::Failed;
    run.reason = std::move(why);
    return run;
}

ExperimentRun judge(RunRecord record, const std::string& workload, const std::string& why)
{
    // The judgement looks at the last sample and at no log; writing out hours of them would hold the window up.
    if (record.samples.size() > 1)
        record.samples.erase(record.samples.begin(), record.samples.end() - 1);
    record.log.clear();
    return judgeRun(toJson(record).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), workload, why);
}

} // namespace

RaceRunner::RaceRunner(RaceSetup setup, QObject* parent)
    : QObject(parent)
    , m_setup(std::move(setup))
    , m_race(m_setup.settings)
    , m_lanes(m_setup.settings.lanes.size())
{
    m_figures.setInterval(figuresInterval);
    connect(&m_figures, &QTimer::timeout, this, &RaceRunner::takeFigures);
    connect(this, &RaceRunner::lanesMade, this, &RaceRunner::takeMade, Qt::QueuedConnection);
}

RaceRunner::~RaceRunner()
{
    for (Lane& lane : m_lanes) {
        if (lane.making.valid())
            lane.making.wait(); // what it made is dropped with its message
        if (lane.machine)
            lane.machine->disconnect(this);
    }
}

Result<void> RaceRunner::begin()
{
    if (m_race.stage() == RaceStage::Going)
        return {};
    if (!m_setup.lockFolder.empty()) {
        auto lock = lockMeasuring(m_setup.lockFolder);
        if (!lock)
            return lock.error();
        m_lock.emplace(std::move(*lock));
    }
    m_figures.start();
    perform(m_race.begin());
    return {};
}

void RaceRunner::repeatRound()
{
    perform(m_race.repeatRound());
}

void RaceRunner::cancel()
{
    perform(m_race.cancel());
}

void RaceRunner::pause()
{
    perform(m_race.pause());
}

void RaceRunner::goOn()
{
    perform(m_race.goOn());
}

void RaceRunner::perform(const Race::Orders& orders)
{
    for (const RaceOrder& order : orders) {
        MachineController* machine = m_lanes[order.lane].machine.get();
        switch (order.kind) {
        case RaceOrder::Kind::Boot:
            boot(order.lane);
            break;
        case RaceOrder::Kind::Pause:
            if (machine)
                machine->pause();
            break;
        case RaceOrder::Kind::Resume:
            if (machine)
                machine->start();
            break;
        case RaceOrder::Kind::End:
            end(order.lane);
            break;
        }
    }
    emit changed();
    if (m_race.stage() != RaceStage::Going && m_figures.isActive()) {
        m_figures.stop();
        m_lock.reset();
        emit over();
    }
}

// Reading and unpacking a kernel takes its time, so another thread does it.
void RaceRunner::boot(size_t lane)
{
    Lane& booting = m_lanes[lane];
    booting.unwanted = false;
    booting.lines = LineSplitter();
    booting.track = LaneTrack();
    booting.trouble.clear();
    RunOrders orders;
    orders.workload = m_setup.settings.workload;
    orders.holdAt = m_setup.settings.workload;
    orders.timeout = m_setup.limit;
    booting.making = std::async(std::launch::async,
        [this, lane, orders, config = m_setup.machines[lane], factory = m_setup.factory, home = thread()] {
            auto result = MachineController::create(config, orders, factory);
            if (result)
                (*result)->moveToThread(home);
            {
                const std::lock_guard guard(m_madeMutex);
                m_made.push_back(lane);
            }
            emit lanesMade(QPrivateSignal {});
            return result;
        });
}

void RaceRunner::takeMade()
{
    std::vector<size_t> lanes;
    {
        const std::lock_guard guard(m_madeMutex);
        lanes = std::exchange(m_made, {});
    }
    for (const size_t lane : lanes)
        made(lane);
}

void RaceRunner::made(size_t lane)
{
    auto result = m_lanes[lane].making.get(); // it is being returned
    if (!result || m_lanes[lane].unwanted) {
        perform(m_race.ended(lane, lost(result ? "The race was broken off." : result.error().message)));
        return;
    }
    m_lanes[lane].machine = std::move(*result);
    connectMachine(lane);
    emit machineMade(lane);
    if (!m_race.paused())
        m_lanes[lane].machine->start();
}

void RaceRunner::connectMachine(size_t lane)
{
    MachineController* machine = m_lanes[lane].machine.get();
    connect(machine, &MachineController::workloadBegan, this, [this, lane](const QString& name) {
        if (name.toStdString() == m_setup.settings.workload)
            workloadBegan(lane);
    });
    connect(machine, &MachineController::workloadEnded, this,
        [this, lane](const QString& name, double guestSeconds, bool ok) {
            if (!ok || name.toStdString() != m_setup.settings.workload)
                return; // runFinished() follows where it matters
            m_lanes[lane].track.finish(guestSeconds);
            perform(m_race.finished(lane, guestSeconds));
        });
    connect(machine, &MachineController::stateChanged, this,
        [this, lane](MachineState state) { stateChanged(lane, state); });
    connect(machine, &MachineController::serialReceived, this,
        [this, lane](const QByteArray& bytes) { serialReceived(lane, bytes); });
    connect(machine, &MachineController::rebooted, this, [this, lane] { rebooted(lane); });
    connect(machine, &MachineController::runFinished, this, [this, lane] { end(lane); });
    connect(machine, &MachineController::frameReady, this, [this, lane] { emit frameReady(lane); });
    connect(machine, &MachineController::sampled, this,
        [this, lane](const MachineSample& sample) { emit sampled(lane, sample); });
}

void RaceRunner::end(size_t lane)
{
    MachineController* machine = m_lanes[lane].machine.get();
    if (m_lanes[lane].making.valid())
        m_lanes[lane].unwanted = true;
    else if (machine && machine->state() == MachineState::Ready) // there is nothing to wait for, and nobody tells of it
        conclude(lane);
    else if (machine)
        machine->cutPower();
}

// The machine is already being held, by a thread of its own.
void RaceRunner::workloadBegan(size_t lane)
{
    Lane& began = m_lanes[lane];
    if (began.track.begun())
        return;
    const RunRecord record = began.machine->record();
    if (!record.workloads.empty())
        began.track.begin(record.workloads.back().begin.guestTime);
}

void RaceRunner::stateChanged(size_t lane, MachineState state)
{
    const bool begun = m_lanes[lane].track.begun();
    const LaneStage stage = m_race.lane(lane).stage;
    if (state == MachineState::Ended)
        conclude(lane);
    else if (state == MachineState::Paused && begun)
        perform(m_race.reachedMark(lane));
    else if (state == MachineState::Running && stage == LaneStage::Running)
        tellOfStart(lane);
    else if (state == MachineState::Running && stage == LaneStage::AtMark)
        perform(m_race.repeatRound()); // a pause that was over at once let it go before the others
}

// How long it has run since its mark, by its own clock, which stood still while it was held there. The narrowest of
// some looks: this thread may be held up between its looks at the two clocks.
void RaceRunner::tellOfStart(size_t lane)
{
    const Lane& running = m_lanes[lane];
    if (!running.track.begun())
        return;
    constexpr int looks = 5;
    auto narrowest = SteadyClock::duration::max();
    SteadyClock::time_point moment;
    for (int look = 0; look < looks; ++look) {
        const auto before = SteadyClock::now();
        const auto sinceMark = running.machine->sampleNow().guestTime - *running.track.mark();
        const auto window = SteadyClock::now() - before;
        if (window < narrowest) {
            narrowest = window;
            moment = before + window / 2 - sinceMark;
        }
    }
    perform(m_race.started(lane, moment));
}

void RaceRunner::serialReceived(size_t lane, const QByteArray& bytes)
{
    Lane& speaking = m_lanes[lane];
    speaking.lines.feed({ reinterpret_cast<const uint8_t*>(bytes.constData()), static_cast<size_t>(bytes.size()) },
        [&](std::string_view line) {
            const auto progress = parseProgressLine(line);
            if (progress && progress->name == m_setup.settings.workload)
                speaking.track.note(*progress);
        });
}

void RaceRunner::rebooted(size_t lane)
{
    m_lanes[lane].trouble = "The guest was reset, so its workload began anew.";
    end(lane);
}

void RaceRunner::conclude(size_t lane)
{
    Lane& ending = m_lanes[lane];
    std::vector<std::string> complaints;
    ending.machine->disconnect(this);
    const RunOutcome outcome = ending.machine->conclude(complaints);
    const std::string& why = ending.trouble.empty() ? outcome.why : ending.trouble;
    const ExperimentRun judgement = judge(ending.machine->record(), m_setup.settings.workload, why);
    ending.machine.release()->deleteLater(); // it may be what told us
    perform(m_race.ended(lane, judgement));
}

void RaceRunner::takeFigures()
{
    for (Lane& lane : m_lanes) {
        if (lane.machine && lane.machine->state() == MachineState::Running)
            lane.track.add(lane.machine->sampleNow());
    }
    emit figuresChanged();
}

} // namespace namsan
