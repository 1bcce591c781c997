// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/run_supervisor.h"

#include "app/paint/screenshot.h"
#include "vmm/base/file_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace namsan {

namespace {

using namespace std::chrono_literals;

constexpr auto samplingInterval = 1s;
// After a change of placement: time enough for threads to be seen in their new places.
constexpr auto soon = 400ms;
// Some 50 keys a second: fast for a person, slow enough for a guest that takes each byte of its keyboard by interrupt.
constexpr auto keyInterval = 10ms;

Result<void> checkFiles(const RunOrders& orders)
{
    if (!orders.record.empty()) {
        if (auto possible = checkWritable("The run record", orders.record); !possible)
            return possible;
    }
    if (!orders.screenshot.empty()) {
        if (auto possible = checkWritable("The screenshot", orders.screenshot); !possible)
            return possible;
    }
    if (!orders.windowScreenshot.empty())
        return checkWritable("The window's screenshot", orders.windowScreenshot);
    return {};
}

} // namespace

Result<std::unique_ptr<RunSupervisor>> RunSupervisor::create(
    const MachineConfig& config, const RunOrders& orders, const Topology& host)
{
    const auto placement = parsePlacement(config.placement, host, config.vcpus);
    if (!placement)
        return placement.error();
    if (auto possible = checkFiles(orders); !possible)
        return possible.error();
    std::unique_ptr<RunSupervisor> supervisor(new RunSupervisor(config, orders, host));
    supervisor->m_placement = *placement;
    if (orders.serial.empty())
        return supervisor;
    auto serial = SerialSink::open(orders.serial);
    if (!serial)
        return serial.error();
    supervisor->m_serial = std::move(*serial);
    return supervisor;
}

RunSupervisor::RunSupervisor(const MachineConfig& config, const RunOrders& orders, const Topology& host)
    : m_config(config)
    , m_orders(orders)
    , m_host(host)
    , m_recorder(config, NAMSAN_VERSION, host)
    , m_goal(orders)
    , m_typing(orders.typing)
    , m_moves(orders.moves)
{
}

Result<void> RunSupervisor::attach(Machine& machine, std::function<void()> wake)
{
    m_machine = &machine;
    m_wake = std::move(wake);
    m_recorder.attach(machine);
    m_mover = std::make_unique<EngineMover>(machine, m_wake);
    if (m_orders.watchesScreen())
        m_viewer = &machine.addViewer(m_wake);
    return place(m_placement);
}

std::vector<WorkloadEvent> RunSupervisor::serialOutput(std::span<const uint8_t> bytes)
{
    if (m_serial)
        m_serial->write(bytes);
    std::vector<WorkloadEvent> events = m_recorder.serialOutput(bytes);
    holdAtMark(events);
    bool stepIsDue = m_serial && m_serial->errorNumber() != 0;
    {
        const std::lock_guard guard(m_mutex);
        for (const WorkloadEvent& event : events)
            m_goal.workload(event);
        m_goal.serialOutput(bytes);
        const bool wasTyping = m_typing.typing();
        m_typing.serialOutput(bytes);
        const auto moves = m_moves.serialOutput(bytes);
        m_movesDue.insert(m_movesDue.end(), moves.begin(), moves.end());
        stepIsDue = stepIsDue || m_goal.outcome() || (m_typing.typing() && !wasTyping) || !moves.empty();
    }
    if (stepIsDue && m_wake)
        m_wake();
    return events;
}

// Here and not by whoever drives the run: what the guest computes between its line and the pause is a head start.
void RunSupervisor::holdAtMark(const std::vector<WorkloadEvent>& events)
{
    const auto isMark = [this](const WorkloadEvent& event) {
        const auto* began = std::get_if<WorkloadBegan>(&event);
        return began && began->name == m_orders.holdAt;
    };
    if (!m_held && !m_orders.holdAt.empty() && m_machine && std::ranges::any_of(events, isMark)) {
        m_held = true;
        m_machine->pause();
    }
}

Result<void> RunSupervisor::place(const Placement& placement)
{
    if (auto placed = m_machine->place(placement); !placed)
        return placed;
    m_placement = placement;
    m_recorder.placementRequested(placement);
    m_sampleSoon = true;
    return {};
}

RunSupervisor::Step RunSupervisor::step(Time now)
{
    Step result { now + samplingInterval, std::nullopt, makeMoves() };
    const MachineState state = m_machine->state();
    if (state != MachineState::Ready && !m_startedAt) {
        m_startedAt = now;
        m_nextSample = now;
        m_nextKey = now;
    }
    if (!m_startedAt)
        return result;

    lookAtScreen();
    typeKeys(now);
    if (std::exchange(m_sampleSoon, false))
        m_nextSample = std::min(m_nextSample, now + soon);
    if (state == MachineState::Running && now >= m_nextSample) {
        result.sample = m_recorder.takeSample();
        m_nextSample += samplingInterval;
        if (m_nextSample <= now) // a driver that was held up catches up with one sample, not with many
            m_nextSample = now + samplingInterval;
    }
    lookAtMachine();
    lookAtTime(now);

    result.next = state == MachineState::Running ? m_nextSample : now + samplingInterval;
    const std::lock_guard guard(m_mutex);
    if (m_typing.typing())
        result.next = std::min(result.next, m_nextKey);
    if (m_orders.timeout)
        result.next = std::min(result.next, *m_startedAt + *m_orders.timeout);
    result.next = std::max(result.next, now);
    return result;
}

void RunSupervisor::moveToEngine(std::string engine)
{
    if (m_mover)
        m_mover->move(std::move(engine));
}

std::vector<std::string> RunSupervisor::makeMoves()
{
    if (!m_mover)
        return {};
    std::vector<std::string> due;
    {
        const std::lock_guard guard(m_mutex);
        due = std::exchange(m_movesDue, {});
    }
    for (std::string& engine : due)
        m_mover->move(std::move(engine));
    return m_mover->takeRefusals();
}

void RunSupervisor::interrupt(ExitCode code, std::string why)
{
    const std::lock_guard guard(m_mutex);
    m_goal.interrupted(code, std::move(why));
}

std::optional<RunOutcome> RunSupervisor::outcome() const
{
    const std::lock_guard guard(m_mutex);
    return m_goal.outcome();
}

void RunSupervisor::abandonSerial()
{
    if (m_serial)
        m_serial->abandon();
}

RunOutcome RunSupervisor::conclude(std::vector<std::string>& complaints)
{
    stopMoving();
    lookAtScreen();
    if (const auto ending = m_machine->ending()) {
        const std::lock_guard guard(m_mutex);
        m_goal.ended(*ending);
    }
    m_recorder.detach();
    RunOutcome result = outcome().value_or(RunOutcome { ExitCode::Success, {} });
    if (!m_orders.screenshot.empty())
        complain(result, complaints, writeScreenshot(m_lastFrame ? *m_lastFrame : Frame {}, m_orders.screenshot));
    if (!m_orders.record.empty())
        complain(result, complaints, writeRecord(m_recorder.record(), m_orders.record));
    return result;
}

void RunSupervisor::complain(RunOutcome& outcome, std::vector<std::string>& complaints, const Result<void>& done)
{
    if (done)
        return;
    complaints.push_back(done.error().message);
    if (outcome.code == ExitCode::Success)
        outcome.code = ExitCode::BadInput;
}

void RunSupervisor::lookAtScreen()
{
    const Frame* frame = m_viewer ? m_viewer->take() : nullptr;
    if (!frame)
        return;
    m_lastFrame = frame;
    const std::lock_guard guard(m_mutex);
    m_goal.screen(frame->text);
    m_typing.screen(frame->text);
}

void RunSupervisor::typeKeys(Time now)
{
    std::optional<KeyEvent> key;
    {
        const std::lock_guard guard(m_mutex);
        if (now < m_nextKey || !(key = m_typing.takeKey()))
            return;
    }
    m_machine->sendInput(*key);
    m_nextKey = now + keyInterval;
}

void RunSupervisor::lookAtMachine()
{
    const auto ending = m_machine->ending();
    const std::lock_guard guard(m_mutex);
    if (ending)
        m_goal.ended(*ending);
    if (const int error = m_serial ? m_serial->errorNumber() : 0)
        m_goal.interrupted(ExitCode::BadInput,
            fmt::format("The serial output cannot be written to {} any more: {}.",
                m_orders.serial == "stdio" ? "standard output" : m_orders.serial, std::strerror(error)));
}

void RunSupervisor::lookAtTime(Time now)
{
    const std::lock_guard guard(m_mutex);
    if (m_orders.timeout && now - *m_startedAt >= *m_orders.timeout)
        m_goal.timedOut(m_typing.waitingFor());
}

} // namespace namsan
