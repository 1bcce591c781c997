// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/pc_machine.h"

#include "vmm/devices/debug/debug_console_port.h"
#include "vmm/machine/engine_choice.h"

#include <fmt/format.h>

#include <algorithm>

namespace namsan {

namespace {

std::vector<std::string> helperThreads(const MachineConfig& config)
{
    if (config.network.kind == NetworkConfig::Kind::None)
        return {};
    return { "NAT" };
}

} // namespace

PcMachine::PcMachine(const MachineConfig& config, MachineListener* listener, GuestLoader loader, EngineMaker makeEngine)
    : m_config(config)
    , m_listener(listener)
    , m_loader(std::move(loader))
    , m_makeEngine(std::move(makeEngine))
    , m_threads(config.vcpus, helperThreads(config))
{
}

PcMachine::~PcMachine()
{
    stop();
}

Result<std::unique_ptr<PcMachine>> PcMachine::create(
    const MachineConfig& config, MachineListener* listener, GuestLoader loader, EngineMaker makeEngine)
{
    std::unique_ptr<PcMachine> machine(new PcMachine(config, listener, std::move(loader), std::move(makeEngine)));
    if (auto built = machine->build(); !built)
        return built.error();
    if (auto loaded = machine->load(); !loaded)
        return loaded.error();
    return machine;
}

Result<void> PcMachine::build()
{
    const auto topology = readTopology();
    if (!topology)
        return topology.error();
    const auto placement = parsePlacement(m_config.placement, *topology, m_config.vcpus);
    if (!placement)
        return placement.error();
    if (auto placed = m_threads.place(*placement); !placed)
        return placed.error();

    if (auto opened = openDebugConsoles(); !opened)
        return opened.error();
    auto memory = GuestMemory::create(m_config.memoryBytes);
    if (!memory)
        return memory.error();
    m_memory = std::move(*memory);
    if (auto opened = openNetwork(); !opened)
        return opened.error();
    auto pc = PcBoard::build(m_config, *m_memory, m_clock, m_network.get());
    if (!pc)
        return pc.error();
    m_pc = std::move(*pc);
    m_bus = std::make_unique<BoardBus>(m_pc->board(), m_pc->pic(), m_pc->ioApic());
    auto model = chooseCpuModel(m_config.cpu);
    if (!model)
        return model.error();
    m_cpuModel = m_config.vcpus > 1 || m_config.apic ? model->withLocalApic() : *model;
    auto engine = m_makeEngine(m_config.engine, *m_memory, m_clock, processors(), *m_bus);
    if (!engine)
        return engine.error();
    m_session = std::move(engine->session);
    if (m_session->interruptMessages())
        m_pc->describeApics(m_config.vcpus, *m_cpuModel);
    m_engineReason = engine->reason;
    m_figuresBefore.resize(m_config.vcpus);

    for (unsigned i = 0; i < m_config.vcpus; ++i)
        m_vcpus.push_back(std::make_unique<VcpuThread>(m_pc->board(), m_session->vcpu(i), i, m_config.vcpus > 1,
            [this, i](const VcpuExit& exit) { vcpuStandsStill(i, exit); }));
    auto boardThread = BoardThread::create(m_pc->board());
    if (!boardThread)
        return boardThread.error();
    m_boardThread = std::move(*boardThread);
    connect();
    return {};
}

// Joins the board's loose ends to the threads.
void PcMachine::connect()
{
    const Held held = m_pc->board().enter();
    Timers& timers = m_pc->board().timers(held);
    m_pc->connectProcessor(*m_vcpus.front());
    plugInApics();
    m_pc->board().gateA20(held).changes().listen([this](bool open) { m_session->setA20(open); });
    m_pc->board().resetLine(held).channel().listen([this](ResetPulse) { askForReset(); });
    m_pc->powerOff().listen([this](PowerOffRequest) {
        askForEnd({ MachineEnding::Reason::PoweredOff, "The guest switched itself off." });
    });

    m_serial = std::make_unique<SerialLine>(timers, [this] { m_boardThread->post([this] { deliverSerialOutput(); }); });
    m_pc->serialOutput().listen([this](const SerialOutput& output) { m_serial->guestSent(m_pc->com1(), output.byte); });
    m_pc->com1().roomAvailable().listen([this](SerialRoomAvailable) { m_serial->feed(m_pc->com1()); });

    connectDebugPorts(held);
    m_pc->keyDemand().listen([this](KeyboardDrained) { m_pc->takeInput(m_input); });

    // Looking at threads asks the kernel, which is nothing to do under the board lock.
    m_observation = std::make_unique<Timer>(timers, [this] { m_boardThread->post([this] { observe(); }); });
    m_observation->armIn(observationPeriod);
}

Result<void> PcMachine::openNetwork()
{
    const NetworkConfig& network = m_config.network;
    if (network.kind == NetworkConfig::Kind::None)
        return {};
    auto opened = NatNetwork::create({ .offline = network.kind == NetworkConfig::Kind::Offline,
        .hostAccess = network.hostAccess,
        .forwards = network.forwards });
    if (!opened)
        return opened.error();
    m_network = std::move(*opened);
    m_networkFigures.emplace();
    return {};
}

// Frames for the guest come on the network's thread, which leaves them to the board thread.
void PcMachine::startNetwork()
{
    if (!m_network)
        return;
    m_network->start([this] { m_threads.helperBegins(0); },
        [this] {
            m_boardThread->post([this] {
                const Held held = m_pc->board().enter();
                m_pc->networkCard()->framesWait();
            });
        });
}

std::optional<NetworkFigures> PcMachine::networkFigures()
{
    if (!m_network)
        return {};
    const Held held = m_pc->board().enter();
    NetworkFigures figures = m_pc->networkCard()->figures();
    figures.framesLost += m_network->lostFrames();
    return figures;
}

Result<void> PcMachine::openDebugConsoles()
{
    for (const OptionalDevice& device : m_config.devices) {
        if (device.kind == OptionalDevice::Kind::DebugExit)
            continue;
        auto console = DebugConsole::open(device, m_log);
        if (!console)
            return console.error();
        const bool seaBios = device.kind == OptionalDevice::Kind::SeaBiosConsole;
        m_debugConsoles[seaBios ? DebugConsolePort::seaBiosAddress : DebugConsolePort::bochsAddress]
            = std::move(*console);
    }
    return {};
}

void PcMachine::connectDebugPorts(const Held& held)
{
    for (const auto& [port, console] : m_debugConsoles)
        console->connect(m_pc->board().timers(held), [this] { m_boardThread->post([this] { deliverDebugOutput(); }); });
    m_pc->debugOutput().listen(
        [this](const DebugOutput& output) { m_debugConsoles.at(output.port)->guestWrote(output.byte); });
    m_pc->debugExit().listen([this](const DebugExit& exit) {
        askForEnd({ MachineEnding::Reason::DebugExit,
            fmt::format("The guest wrote {:x}h to its debug exit port.", exit.value), exit.value });
    });
}

// Brings the board to its state after power-on and puts the guest into it.
Result<void> PcMachine::load()
{
    {
        const Held held = m_pc->board().enter();
        m_pc->board().reset(held);
        m_pc->actAsFirmware(held);
        m_input.clear();
    }
    const auto state = m_loader(*m_pc, *m_memory);
    if (!state)
        return state.error();
    CpuState boot = *state;
    if (m_cpuModel->has(Feature::Apic)) {
        boot.apic = LocalApicState::afterReset(0);
        boot.apic.becomeVirtualWire();
    }
    m_session->vcpu(0).load(boot);
    for (unsigned i = 1; i < m_vcpus.size(); ++i)
        m_session->vcpu(i).load(CpuState::afterReset(*m_cpuModel, i));
    return {};
}

// The board's and the board thread's ways to the session's local APICs.
void PcMachine::plugInApics()
{
    m_pc->ioApic().connect(m_session->interruptMessages());
    m_boardThread->setEngineTimers(m_session->timers());
}

void PcMachine::unplugApics()
{
    m_pc->ioApic().connect(nullptr);
    m_boardThread->setEngineTimers(nullptr);
}

MachineState PcMachine::state() const
{
    const std::lock_guard guard(m_stateMutex);
    return m_state;
}

std::optional<MachineEnding> PcMachine::ending() const
{
    const std::lock_guard guard(m_stateMutex);
    return m_ending;
}

void PcMachine::start()
{
    {
        const std::lock_guard guard(m_stateMutex);
        if (m_state == MachineState::Ended)
            return;
        startThreads();
    }
    m_boardThread->post([this] {
        if (const MachineState now = state(); now == MachineState::Ready || now == MachineState::Paused) {
            publish(MachineState::Running);
            runVcpus();
        }
    });
}

// With m_stateMutex held.
void PcMachine::startThreads()
{
    if (m_threadsStarted)
        return;
    m_threadsStarted = true;
    m_boardThread->start([this] { m_threads.vmmBegins(); });
    for (unsigned i = 0; i < m_vcpus.size(); ++i)
        m_vcpus[i]->start([this, i] { m_threads.vcpuBegins(i); });
    startNetwork();
}

void PcMachine::pause()
{
    m_boardThread->post([this] {
        if (state() != MachineState::Running)
            return;
        parkVcpus();
        deliverSerialOutput();
        deliverDebugOutput();
        publish(MachineState::Paused);
    });
}

void PcMachine::reset()
{
    askForReset();
}

void PcMachine::pressPowerButton()
{
    m_boardThread->post([this] {
        const Held held = m_pc->board().enter();
        m_pc->pressPowerButton(held);
    });
}

void PcMachine::stop()
{
    if (!m_boardThread)
        return;
    bool started = false;
    {
        const std::lock_guard guard(m_stateMutex);
        started = m_threadsStarted;
        if (!started) {
            m_state = MachineState::Ended;
            if (!m_ending)
                m_ending = { MachineEnding::Reason::Stopped, "The machine was switched off before it had started." };
        }
    }
    if (!started)
        return;
    askForEnd({ MachineEnding::Reason::Stopped, "The machine was switched off." });
    m_boardThread->quit();
    m_boardThread->join();
}

bool PcMachine::waitForEnd(std::chrono::milliseconds atMost)
{
    std::unique_lock lock(m_stateMutex);
    return m_stateChanged.wait_for(lock, atMost, [this] { return m_state == MachineState::Ended; });
}

void PcMachine::sendInput(const InputEvent& event)
{
    if (!m_input.add(event))
        return;
    m_boardThread->post([this] {
        const Held held = m_pc->board().enter();
        m_pc->takeInput(m_input);
    });
}

void PcMachine::sendNmi()
{
    m_boardThread->post([this] {
        const Held held = m_pc->board().enter();
        if (!m_pc->nmiMasked())
            m_vcpus.front()->raiseNmi();
    });
}

void PcMachine::sendSerial(std::span<const uint8_t> bytes)
{
    m_boardThread->post([this, copy = std::vector<uint8_t>(bytes.begin(), bytes.end())] {
        const Held held = m_pc->board().enter();
        m_serial->sendToGuest(m_pc->com1(), copy);
    });
}

FrameMailbox& PcMachine::addViewer(std::function<void()> notifier)
{
    const Held held = m_pc->board().enter();
    return m_pc->display().addViewer(std::move(notifier));
}

void PcMachine::removeViewer(FrameMailbox& viewer)
{
    const Held held = m_pc->board().enter();
    m_pc->display().removeViewer(viewer);
}

std::string PcMachine::engineName() const
{
    const std::lock_guard guard(m_engineMutex);
    return std::string(m_session->engineName());
}

std::string PcMachine::engineReason() const
{
    const std::lock_guard guard(m_engineMutex);
    return m_engineReason;
}

MachineSample PcMachine::sample() const
{
    MachineSample sample;
    {
        const std::lock_guard guard(m_stateMutex);
        sample.hostTime = m_hostTime;
        if (m_runningSince)
            sample.hostTime += std::chrono::steady_clock::now() - *m_runningSince;
        sample.network = m_networkFigures;
    }
    sample.guestTime = m_clock.now();
    sample.lateTicks = GuestTime(m_lateness.load());
    sample.threads = m_threads.figures();
    const std::lock_guard guard(m_engineMutex);
    for (unsigned i = 0; i < m_vcpus.size(); ++i)
        sample.vcpus.push_back(m_figuresBefore[i] + figuresOf(m_session->vcpu(i).counters()));
    return sample;
}

void PcMachine::runVcpus()
{
    {
        const std::lock_guard guard(m_stateMutex);
        m_runningSince = std::chrono::steady_clock::now();
    }
    m_clock.start();
    m_boardThread->setTimersRunning(true);
    for (const auto& vcpu : m_vcpus)
        vcpu->release();
}

void PcMachine::parkVcpus()
{
    parkSoon();
    for (const auto& vcpu : m_vcpus)
        vcpu->waitUntilParked();
    m_boardThread->setTimersRunning(false);
    m_clock.stop();
    const std::lock_guard guard(m_stateMutex);
    if (m_runningSince)
        m_hostTime += std::chrono::steady_clock::now() - *m_runningSince;
    m_runningSince.reset();
}

void PcMachine::parkSoon()
{
    for (const auto& vcpu : m_vcpus)
        vcpu->park();
}

void PcMachine::askForReset()
{
    {
        const std::lock_guard guard(m_stateMutex);
        // Guests pulse the line again and again until it has worked.
        if (m_resetAsked || m_state == MachineState::Ended)
            return;
        m_resetAsked = true;
        if (m_state == MachineState::Running)
            parkSoon();
    }
    m_boardThread->post([this] { resetNow(); });
}

void PcMachine::resetNow()
{
    const bool wasRunning = state() == MachineState::Running;
    if (state() == MachineState::Ended)
        return;
    if (!m_config.reboot) {
        endNow({ MachineEnding::Reason::Reset, "The guest asked for a reset." });
        return;
    }
    parkVcpus();
    deliverSerialOutput();
    deliverDebugOutput();
    if (auto loaded = load(); !loaded) {
        endNow({ MachineEnding::Reason::Crashed,
            fmt::format("The guest could not be loaded again after its reset. {}", loaded.error().message) });
        return;
    }
    {
        const std::lock_guard guard(m_stateMutex);
        m_resetAsked = false;
    }
    if (m_listener)
        m_listener->rebooted();
    if (wasRunning)
        runVcpus();
}

void PcMachine::askForEnd(MachineEnding ending)
{
    parkSoon();
    m_boardThread->post([this, ending = std::move(ending)] { endNow(ending); });
}

void PcMachine::endNow(MachineEnding ending)
{
    if (state() == MachineState::Ended)
        return;
    parkVcpus();
    deliverSerialOutput();
    deliverDebugOutput();
    {
        const Held held = m_pc->board().enter();
        static_cast<void>(m_pc->display().currentFrame()); // viewers see the last picture
    }
    const auto network = networkFigures();
    m_threads.observe();
    m_threads.threadsEnd();
    if (m_network)
        m_network->stop();
    for (const auto& vcpu : m_vcpus) {
        vcpu->quit();
        vcpu->join();
    }
    {
        const std::lock_guard guard(m_stateMutex);
        m_ending = std::move(ending);
        m_networkFigures = network;
    }
    publish(MachineState::Ended);
}

void PcMachine::vcpuStandsStill(unsigned index, const VcpuExit& exit)
{
    using Reason = MachineEnding::Reason;
    const CpuState state = m_session->vcpu(index).save();
    const auto where = fmt::format("at {:04x}:{:08x}", state.segments[Cs].selector, state.eip);
    switch (exit.reason) {
    case VcpuExit::Reason::Halted:
        // As long as one can go on, it may wake the others.
        if (m_vcpus.size() > 1 && !std::ranges::all_of(m_vcpus, [](const auto& vcpu) { return vcpu->isDeaf(); }))
            return;
        return askForEnd(
            { Reason::Halted, fmt::format("The guest halted vCPU {} with interrupts off {}.", index, where) });
    case VcpuExit::Reason::TripleFault:
        return askForEnd({ Reason::Crashed,
            fmt::format(
                "The guest crashed: vCPU {} met a triple fault {}. Its own handlers for the fault and the double "
                "fault could not be entered.",
                index, where) });
    case VcpuExit::Reason::Failed:
        // Who insisted on KVM gets the sentence, everybody else the other engine.
        if (m_config.engine != "kvm" && engineName() == "kvm")
            return m_boardThread->post([this, why = exit.why] { leaveFailedEngine(why); });
        return askForEnd({ Reason::Crashed, fmt::format("The engine gave up vCPU {} {}: {}", index, where, exit.why) });
    case VcpuExit::Reason::Kicked:
        break;
    }
}

void PcMachine::publish(MachineState state)
{
    {
        const std::lock_guard guard(m_stateMutex);
        m_state = state;
    }
    m_stateChanged.notify_all();
    if (m_listener)
        m_listener->stateChanged(state);
}

void PcMachine::deliverSerialOutput()
{
    std::vector<uint8_t> bytes;
    {
        const Held held = m_pc->board().enter();
        bytes = m_serial->takeOutput(m_pc->com1());
    }
    if (!bytes.empty() && m_listener)
        m_listener->serialOutput(bytes);
}

void PcMachine::deliverDebugOutput()
{
    for (const auto& [port, console] : m_debugConsoles)
        console->deliver(m_pc->board());
}

void PcMachine::observe()
{
    m_threads.observe();
    const auto network = networkFigures();
    {
        const std::lock_guard guard(m_stateMutex);
        m_networkFigures = network;
    }
    const Held held = m_pc->board().enter();
    m_lateness = m_pc->lateness().count();
    if (EngineTimers* timers = m_session->timers())
        m_lateness = std::max<int64_t>(m_lateness, timers->lateness().count());
    m_observation->armIn(observationPeriod);
}

} // namespace namsan
