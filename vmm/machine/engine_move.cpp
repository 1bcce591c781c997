// SPDX-License-Identifier: GPL-3.0-or-later
// Carrying a guest from one engine to another: a part of PcMachine.
#include "vmm/machine/engine_choice.h"
#include "vmm/machine/pc_machine.h"
#include "vmm/session/engine_probe.h"

#include <fmt/format.h>

#include <future>

namespace namsan {

EngineMaker PcMachine::enginesOfHost()
{
    return [](std::string_view name, GuestMemory& memory, const Clock& clock, const ProcessorsWanted& processors,
               GuestBus& bus) { return chooseEngine(name, memory, clock, processors, bus); };
}

ProcessorsWanted PcMachine::processors() const
{
    return { m_config.vcpus, *m_cpuModel };
}

Result<void> PcMachine::moveToEngine(std::string_view name)
{
    const Error ended { "The machine has ended; there is no guest that could change engines." };
    {
        const std::lock_guard guard(m_stateMutex);
        if (m_state == MachineState::Ended)
            return ended;
        startThreads();
    }
    auto promise = std::make_shared<std::promise<Result<void>>>();
    std::future<Result<void>> moved = promise->get_future();
    m_boardThread->post([this, promise, engine = std::string(name)] { promise->set_value(moveNow(engine)); });
    promise.reset();
    try {
        return moved.get();
    } catch (const std::future_error&) {
        return ended; // meanwhile: the board thread takes no tasks any more
    }
}

// because: the reason, where it is another than that somebody asked for that engine.
Result<void> PcMachine::moveNow(const std::string& engine, std::string_view because)
{
    const MachineState before = state();
    if (before == MachineState::Ended)
        return Error { "The machine has ended; there is no guest that could change engines." };
    // Measured before the guest stands still.
    const std::string wanted = engine != "auto" ? engine : probeEngines().kvmIsBetter() ? "kvm" : "soft";
    if (before == MachineState::Running)
        parkVcpus();
    std::vector<CpuState> guest;
    for (unsigned i = 0; i < m_session->vcpuCount(); ++i) {
        guest.push_back(m_session->vcpu(i).save());
        if (const std::string why = m_session->vcpu(i).whyLost(); !why.empty()) {
            const Error lost { fmt::format("The guest cannot go on, as its processor's state is lost: {}", why) };
            endNow({ MachineEnding::Reason::Crashed, lost.message });
            return lost;
        }
    }
    const std::string former = engineName();
    const std::string formerReason = engineReason();
    auto moved = plugIn(wanted, guest);
    if (!moved) {
        // The former engine has just served, and serves again.
        if (auto back = plugIn(former, guest); !back) {
            endNow({ MachineEnding::Reason::Crashed, back.error().message });
            return back;
        }
        m_log.add(LogLevel::Warning, "engine",
            fmt::format("The guest stays on {}, as it cannot move to {}. {}", former, wanted, moved.error().message));
        const std::lock_guard guard(m_engineMutex);
        m_engineReason = formerReason;
    } else {
        if (!because.empty()) {
            const std::lock_guard guard(m_engineMutex);
            m_engineReason = because;
        }
        noteMove(former);
    }
    if (before == MachineState::Running)
        runVcpus();
    return moved;
}

// Only one session at a time is at the memory, so the former one goes first.
Result<void> PcMachine::plugIn(const std::string& engine, const std::vector<CpuState>& guest)
{
    const Held held = m_pc->board().enter();
    const std::lock_guard guard(m_engineMutex);
    if (m_session) {
        for (unsigned i = 0; i < m_vcpus.size(); ++i) {
            m_figuresBefore[i] = m_figuresBefore[i] + figuresOf(m_session->vcpu(i).counters());
            m_vcpus[i]->replaceVcpu(nullptr);
        }
        unplugApics();
        m_session.reset();
    }
    auto choice = m_makeEngine(engine, *m_memory, m_clock, processors(), *m_bus);
    if (!choice)
        return choice.error();
    m_session = std::move(choice->session);
    m_engineReason = choice->reason;
    m_session->setA20(m_pc->board().gateA20(held).open());
    for (unsigned i = 0; i < m_vcpus.size(); ++i) {
        m_session->vcpu(i).load(guest[i]);
        m_vcpus[i]->replaceVcpu(&m_session->vcpu(i));
    }
    plugInApics();
    return {};
}

void PcMachine::leaveFailedEngine(const std::string& why)
{
    if (state() == MachineState::Ended)
        return;
    const std::string reason
        = fmt::format("KVM gave up in the middle of the run, so the software CPU goes on. {}", why);
    if (auto moved = moveNow("soft", reason); !moved) {
        endNow({ MachineEnding::Reason::Crashed, moved.error().message });
        return;
    }
    m_log.add(LogLevel::Warning, "engine", reason);
}

void PcMachine::noteMove(const std::string& from)
{
    const MachineSample now = sample();
    const std::lock_guard guard(m_engineMutex);
    m_moves.push_back({ now.hostTime, now.guestTime, from, std::string(m_session->engineName()), m_engineReason });
    if (m_moves.size() > mostMoves)
        m_moves.pop_front();
}

std::vector<EngineMove> PcMachine::engineMoves() const
{
    const std::lock_guard guard(m_engineMutex);
    return { m_moves.begin(), m_moves.end() };
}

} // namespace namsan
