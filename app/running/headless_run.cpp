// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/headless_run.h"

#include "app/running/ending_signals.h"
#include "app/running/run_supervisor.h"
#include "app/running/terminal.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace namsan {

namespace {

using namespace std::chrono_literals;

// Wakes a thread that polls; any thread, any number of times.
class Doorbell {
public:
    ~Doorbell() { close(m_descriptor); }

    int descriptor() const { return m_descriptor; }
    void ring() const { eventfd_write(m_descriptor, 1); }
    void clear() const
    {
        eventfd_t rings = 0;
        eventfd_read(m_descriptor, &rings);
    }

private:
    int m_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
};

class HeadlessRun final : public MachineListener {
public:
    explicit HeadlessRun(std::unique_ptr<RunSupervisor> supervisor)
        : m_supervisor(std::move(supervisor))
    {
    }

    Result<void> create(const MachineConfig& config, const MachineFactory& factory)
    {
        auto machine = factory(config, this);
        if (!machine)
            return machine.error();
        m_machine = std::move(*machine);
        return m_supervisor->attach(*m_machine, [this] { m_doorbell.ring(); });
    }

    void readFrom(int standardInput) { m_terminal.emplace(standardInput); }

    RunOutcome run(const std::function<void(const std::string&)>& say, std::vector<std::string>& complaints)
    {
        m_machine->start();
        while (!m_supervisor->outcome()) {
            const auto step = m_supervisor->step(std::chrono::steady_clock::now());
            for (const std::string& refusal : step.refusedMoves)
                say(refusal);
            if (!m_supervisor->outcome())
                waitUntil(step.next);
        }
        m_supervisor->abandonSerial();
        m_supervisor->stopMoving();
        m_machine->stop();
        m_terminal.reset();
        return m_supervisor->conclude(complaints);
    }

    void stateChanged(MachineState) override { m_doorbell.ring(); }
    void serialOutput(std::span<const uint8_t> bytes) override { m_supervisor->serialOutput(bytes); }
    void rebooted() override { }

private:
    void waitUntil(RunSupervisor::Time time)
    {
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(time - std::chrono::steady_clock::now());
        std::array<pollfd, 3> sources { {
            { m_doorbell.descriptor(), POLLIN, 0 },
            { m_signals.descriptor(), POLLIN, 0 },
            { m_terminal ? m_terminal->descriptor() : -1, POLLIN, 0 },
        } };
        if (poll(sources.data(), sources.size(), static_cast<int>(std::max(wait, 0ms).count())) <= 0)
            return;
        if (sources[0].revents)
            m_doorbell.clear();
        if (sources[1].revents)
            takeSignal();
        if (sources[2].revents)
            takeInput();
    }

    void takeSignal()
    {
        if (const int signal = m_signals.take())
            m_supervisor->interrupt(ExitCode::GoalMissed,
                fmt::format("The run was interrupted by the signal SIG{} before it was over.", sigabbrev_np(signal)));
    }

    void takeInput()
    {
        const Terminal::Input input = m_terminal->read();
        if (!input.bytes.empty())
            m_machine->sendSerial(input.bytes);
        if (input.leave)
            m_machine->stop();
        if (input.atEnd)
            m_terminal.reset();
    }

    EndingSignals m_signals; // before the machine, whose threads inherit what is blocked
    Doorbell m_doorbell;
    std::unique_ptr<RunSupervisor> m_supervisor;
    std::optional<Terminal> m_terminal;
    std::unique_ptr<Machine> m_machine; // last: its threads use the others
};

} // namespace

ExitCode runHeadless(const MachineConfig& config, const RunOrders& orders, const Topology& host,
    const MachineFactory& factory, const std::function<void(const std::string&)>& say)
{
    auto supervisor = RunSupervisor::create(config, orders, host);
    if (!supervisor) {
        say(supervisor.error().message);
        return ExitCode::BadInput;
    }
    HeadlessRun run(std::move(*supervisor));
    if (auto created = run.create(config, factory); !created) {
        say(created.error().message);
        return ExitCode::BadInput;
    }
    if (orders.serial == "stdio")
        run.readFrom(STDIN_FILENO);

    std::vector<std::string> complaints;
    const RunOutcome outcome = run.run(say, complaints);
    if (!outcome.why.empty())
        say(outcome.why);
    for (const std::string& complaint : complaints)
        say(complaint);
    return outcome.code;
}

} // namespace namsan
