// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/machine_builder.h"

#include "vmm/devices/acpi/reset_control_port.h"
#include "vmm/devices/debug/debug_console_port.h"
#include "vmm/devices/debug/debug_exit_port.h"
#include "vmm/devices/dma/dma_controller.h"
#include "vmm/devices/input/fast_reset_port.h"
#include "vmm/devices/interrupt/coprocessor_error_port.h"
#include "vmm/devices/pci/host_bridge.h"
#include "vmm/devices/pci/isa_bridge.h"
#include "vmm/devices/timer/post_code_port.h"
#include "vmm/devices/timer/system_control_port_b.h"
#include "vmm/firmware/bios_environment.h"
#include "vmm/firmware/mp_table.h"
#include "vmm/firmware/pci_setup.h"
#include "vmm/firmware/rom_boot.h"

#include <algorithm>

namespace namsan {

namespace {
constexpr PhysicalAddress frameBufferBase = 0xe0000000; // the PCI hole begins at 3 GiB, RAM ends there
constexpr Port com1Base = 0x3f8;

// IRQ numbers of the AT.
constexpr unsigned timerIrq = 0;
constexpr unsigned keyboardIrq = 1;
constexpr unsigned com1Irq = 4;
constexpr unsigned clockIrq = 8;
constexpr unsigned acpiIrq = 9;
constexpr unsigned mouseIrq = 12;
constexpr unsigned coprocessorIrq = 13;

// Devices on the PCI bus.
constexpr unsigned hostBridgeDevice = 0;
constexpr unsigned isaBridgeDevice = 1;
constexpr unsigned networkDevice = 3; // 2 is where a screen would be
} // namespace

PcBoard::PcBoard(GuestMemory& memory, const Clock& clock)
    : m_board(memory, clock)
{
}

Result<std::unique_ptr<PcBoard>> PcBoard::build(
    const MachineConfig& config, GuestMemory& memory, const Clock& clock, NetworkLink* link)
{
    std::unique_ptr<PcBoard> pc(new PcBoard(memory, clock));
    const Held held = pc->m_board.enter();
    pc->addInterruptsAndTimers(held);
    pc->addInputs(held);
    pc->addPeripherals(held);
    if (auto added = pc->addScreen(held, config.screen); !added)
        return added.error();
    if (link)
        pc->addNetworkCard(held, *link);
    pc->addOptionalDevices(held, config);
    if (!config.bios.empty()) {
        if (auto added = plugInRom(memory, config.bios); !added)
            return added.error();
        pc->m_hasRom = true;
    }
    return pc;
}

IrqLine& PcBoard::wire(unsigned irq)
{
    return m_wires.emplace_back(*m_isaInterrupts, irq);
}

void PcBoard::describeApics(unsigned processors, const CpuModel& model)
{
    const CpuidResult identity = model.cpuid(1, 0, 0, processors);
    m_apics = { processors, identity.eax, identity.edx };
}

IrqLine& PcBoard::pciWire(unsigned device, unsigned pin)
{
    return m_wires.emplace_back(m_pciInterrupts, PciInterrupts::inputOf(device, pin));
}

void PcBoard::addInterruptsAndTimers(const Held& held)
{
    PortBus& ports = m_board.ports(held);
    Timers& timers = m_board.timers(held);
    m_ioApic = &m_board.add<IoApic>(held, m_board.mmio(held));
    m_picOutput = std::make_unique<PicOutput>(m_socket, *m_ioApic);
    m_pic = &m_board.add<DualPic>(held, ports, *m_picOutput);
    m_isaInterrupts = std::make_unique<IsaInterrupts>(*m_pic, *m_ioApic);
    m_ioApicPciInputs = std::make_unique<IoApicPciInputs>(*m_ioApic);
    m_pciInterrupts.connect(*m_ioApicPciInputs);
    m_intervalTimer = &m_board.add<IntervalTimer>(held, ports, timers, wire(timerIrq));
    m_realTimeClock = &m_board.add<RealTimeClock>(held, ports, timers, wire(clockIrq),
        std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now()));
    m_board.add<SystemControlPortB>(held, ports, *m_intervalTimer);
    m_board.add<CoprocessorErrorPort>(held, ports, wire(coprocessorIrq));
    m_board.add<DmaController>(held, ports);
    m_board.add<PostCodePort>(held, ports);
}

void PcBoard::addInputs(const Held& held)
{
    Timers& timers = m_board.timers(held);
    m_board.add<FastResetPort>(held, m_board.ports(held), m_board.gateA20(held), m_board.resetLine(held));
    m_keyboard = &m_board.add<Ps2Keyboard>(held, timers);
    m_mouse = &m_board.add<Ps2Mouse>(held, timers);
    m_board.add<KeyboardController>(held, m_board.ports(held), wire(keyboardIrq), wire(mouseIrq), m_board.gateA20(held),
        m_board.resetLine(held), timers, *m_keyboard, *m_mouse);
}

void PcBoard::addPeripherals(const Held& held)
{
    PortBus& ports = m_board.ports(held);
    Timers& timers = m_board.timers(held);
    m_com1 = &m_board.add<Uart16550>(held, ports, com1Base, wire(com1Irq), timers, m_serialOutput);
    m_powerManagement = &m_board.add<PowerManagement>(held, ports, timers, wire(acpiIrq), m_powerOff);

    auto& resetControl = m_board.add<ResetControlPort>(held, m_board.resetLine(held));
    m_pci = &m_board.add<PciBus>(held, ports, resetControl);
    m_pci->attach(hostBridgeDevice, 0, m_board.add<HostBridge>(held));
    // What the bridge makes IRQs of arrives as an IRQ of the AT, also at the I/O APIC: SeaBIOS's MP table says so.
    auto& isaBridge = m_board.add<IsaBridge>(held, *m_isaInterrupts);
    m_pci->attach(isaBridgeDevice, 0, isaBridge);
    m_pciInterrupts.connect(isaBridge);
}

void PcBoard::addNetworkCard(const Held& held, NetworkLink& link)
{
    m_networkCard = &m_board.add<VirtioNetwork>(
        held, m_board.mmio(held), m_board.memory(), pciWire(networkDevice, 0), m_board.timers(held), link);
    m_pci->attach(networkDevice, 0, m_networkCard->function());
}

Result<void> PcBoard::addScreen(const Held& held, const ScreenConfig& screen)
{
    Timers& timers = m_board.timers(held);
    m_vga = &m_board.add<Vga>(held, m_board.ports(held), m_board.mmio(held), timers);
    if (screen.text) {
        m_display = std::make_unique<DisplayOutput>(timers, *m_vga);
        return {};
    }
    GuestMemory& memory = m_board.memory();
    const auto region
        = memory.addTrackedRegion(frameBufferBase, LinearFrameBuffer::sizeFor(screen.width, screen.height));
    if (!region)
        return region.error();
    m_frameBuffer = &m_board.add<LinearFrameBuffer>(held, memory, *region, screen.width, screen.height);
    m_display = std::make_unique<DisplayOutput>(timers, *m_frameBuffer);
    return {};
}

void PcBoard::addOptionalDevices(const Held& held, const MachineConfig& config)
{
    PortBus& ports = m_board.ports(held);
    for (const OptionalDevice& device : config.devices) {
        switch (device.kind) {
        case OptionalDevice::Kind::DebugExit:
            m_board.add<DebugExitPort>(held, ports, m_debugExit);
            break;
        case OptionalDevice::Kind::DebugConsole:
            m_board.add<DebugConsolePort>(
                held, ports, DebugConsolePort::bochsAddress, nameOf(device.kind), m_debugOutput);
            break;
        case OptionalDevice::Kind::SeaBiosConsole:
            m_board.add<DebugConsolePort>(
                held, ports, DebugConsolePort::seaBiosAddress, nameOf(device.kind), m_debugOutput);
            break;
        }
    }
}

void PcBoard::actAsFirmware(const Held& held)
{
    // With a ROM, too: chipsets leave the gate open at a reset, or the first instruction could not be fetched.
    m_board.ports(held).out(FastResetPort::address, Width::Byte, 0b10);
    fillCmos(); // a battery keeps it
    if (m_hasRom)
        return;
    setUpPciDevices(m_board.ports(held));
    writeBiosEnvironment(m_board.memory());
    m_acpiRootPointer = writeAcpiTables(m_board.memory(), m_apics);
    if (m_apics.processors)
        writeMpTable(m_board.memory(), m_apics);
    m_vga->setTextMode3();
    programInterruptsAndTimer(held);
}

// The usual vectors, 18.2 ticks a second, and all interrupts masked but the timer's.
// IBM PC/AT Technical Reference (1984), "BIOS"; Multiboot Specification 0.6.96, 3.2, asks for it.
void PcBoard::programInterruptsAndTimer(const Held& held)
{
    PortBus& ports = m_board.ports(held);
    const auto program = [&](Port port, std::initializer_list<uint8_t> bytes) {
        for (const uint8_t byte : bytes)
            ports.out(port, Width::Byte, byte);
    };
    // ICW1: edges, cascade, ICW4 follows. ICW2: first vector. ICW3: the slave at input 2. ICW4: 8086. OCW1: the mask.
    program(0x20, { 0x11 });
    program(0x21, { 0x08, 0x04, 0x01, 0xfa });
    program(0xa0, { 0x11 });
    program(0xa1, { 0x70, 0x02, 0x01, 0xff });
    program(0x43, { 0x36 }); // counter 0: square wave, both bytes
    program(0x40, { 0x00, 0x00 }); // 65,536
}

// Memory sizes and equipment, where guests without a memory map look for them.
// IBM PC/AT Technical Reference (1984), "Real-time Clock/CMOS RAM Information"; bytes 30-35 as PC BIOSes fill them.
void PcBoard::fillCmos()
{
    const auto setWord = [this](uint8_t index, uint64_t value) {
        m_realTimeClock->setByte(index, static_cast<uint8_t>(value));
        m_realTimeClock->setByte(static_cast<uint8_t>(index + 1), static_cast<uint8_t>(value >> 8));
    };
    constexpr uint64_t baseKibibytes = 640;
    const uint64_t size = m_board.memory().ramSize();
    const uint64_t above1MiB = size > (1 << 20) ? std::min<uint64_t>((size >> 10) - 1024, 0xffff) : 0;
    const uint64_t above16MiB = size > (16 << 20) ? std::min<uint64_t>((size - (16 << 20)) >> 16, 0xffff) : 0;
    setWord(0x15, baseKibibytes);
    setWord(0x17, above1MiB);
    setWord(0x30, above1MiB);
    setWord(0x34, above16MiB); // in units of 64 KiB

    constexpr uint8_t coprocessor = 1 << 1;
    constexpr uint8_t mouse = 1 << 2;
    m_realTimeClock->setByte(0x14, coprocessor | mouse);
}

std::optional<LinearScreenInfo> PcBoard::linearScreen() const
{
    if (!m_frameBuffer)
        return {};
    return LinearScreenInfo {
        .base = static_cast<uint32_t>(m_frameBuffer->base()),
        .size = static_cast<uint32_t>(LinearFrameBuffer::sizeFor(m_frameBuffer->width(), m_frameBuffer->height())),
        .width = static_cast<uint16_t>(m_frameBuffer->width()),
        .height = static_cast<uint16_t>(m_frameBuffer->height()),
        .lineLength = static_cast<uint16_t>(m_frameBuffer->bytesPerRow()),
    };
}

void PcBoard::takeInput(InputQueue& queue)
{
    struct Router {
        PcBoard& pc;
        void operator()(const KeyEvent& key) const { pc.m_keyboard->keyEvent(key); }
        void operator()(const PointerMove& move) const { pc.m_mouse->move(move); }
        void operator()(const PointerButtonEvent& button) const { pc.m_mouse->button(button); }
        void operator()(const PointerWheel& wheel) const { pc.m_mouse->wheel(wheel); }
    };
    queue.beginLooking();
    while (const auto event = queue.takePointerEvent())
        std::visit(Router { *this }, *event);
    while (m_keyboard->takesKey()) {
        const auto key = queue.takeKey();
        if (!key)
            break;
        m_keyboard->keyEvent(*key);
    }
    m_display->expectChange();
}

void PcBoard::pressPowerButton(const Held&)
{
    m_powerManagement->pressPowerButton();
}

} // namespace namsan
