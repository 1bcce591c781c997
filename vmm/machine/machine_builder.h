// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/motherboard.h"
#include "vmm/devices/acpi/power_management.h"
#include "vmm/devices/display/display_output.h"
#include "vmm/devices/display/linear_frame_buffer.h"
#include "vmm/devices/display/vga.h"
#include "vmm/devices/input/input_event.h"
#include "vmm/devices/input/keyboard_controller.h"
#include "vmm/devices/input/ps2_keyboard.h"
#include "vmm/devices/input/ps2_mouse.h"
#include "vmm/devices/interrupt/dual_pic.h"
#include "vmm/devices/interrupt/interrupt_fan_out.h"
#include "vmm/devices/interrupt/io_apic.h"
#include "vmm/devices/network/virtio_network.h"
#include "vmm/devices/pci/pci_bus.h"
#include "vmm/devices/pci/pci_interrupts.h"
#include "vmm/devices/serial/uart_16550.h"
#include "vmm/devices/timer/interval_timer.h"
#include "vmm/devices/timer/real_time_clock.h"
#include "vmm/firmware/acpi_tables.h"
#include "vmm/firmware/linux_boot.h"
#include "vmm/machine/input_queue.h"
#include "vmm/machine/machine_config.h"

#include <deque>
#include <memory>
#include <optional>

namespace namsan {

// A processor's INTR pin before the processor is plugged in.
class ProcessorSocket final : public InterruptSink {
public:
    void plugIn(InterruptSink& processor) { m_processor = &processor; }
    void setInterruptInput(unsigned input, bool level) override
    {
        if (m_processor)
            m_processor->setInterruptInput(input, level);
    }

private:
    InterruptSink* m_processor = nullptr;
};

// The PC that a configuration describes: the one list of its devices, and names for those that the outside world talks
// to.
class PcBoard {
public:
    // Memory, clock and the network's link, which a machine with a network card needs, outlive the board. Fails where
    // the host has no room for the video memory, or the ROM's image is not to be used.
    static Result<std::unique_ptr<PcBoard>> build(
        const MachineConfig&, GuestMemory&, const Clock&, NetworkLink* = nullptr);

    Motherboard& board() { return m_board; }
    void connectProcessor(InterruptSink& processor) { m_socket.plugIn(processor); }

    // Leaves memory and chips as a BIOS would before it starts an operating system. A machine with a ROM has its
    // firmware there, and gets nothing but the size of its memory. After reset().
    void actAsFirmware(const Held&);

    // The machine has local APICs: the firmware's tables are to tell of so many. Before actAsFirmware().
    void describeApics(unsigned processors, const CpuModel&);

    // For the loader: where the firmware's root pointer lies, and the linear frame buffer if that is the screen.
    PhysicalAddress acpiRootPointer() const { return m_acpiRootPointer; }
    std::optional<LinearScreenInfo> linearScreen() const;

    // To be used under the board lock.
    DualPic& pic() { return *m_pic; }
    IoApic& ioApic() { return *m_ioApic; }
    Uart16550& com1() { return *m_com1; }
    DisplayOutput& display() { return *m_display; }
    VirtioNetwork* networkCard() { return m_networkCard; } // nullptr: there is none
    GuestTime lateness() const { return m_intervalTimer->ticks().behind; }
    // Hands over what the input devices have room for. To be called again when keyDemand() tells of more room.
    void takeInput(InputQueue&);
    Channel<KeyboardDrained>& keyDemand() { return m_keyboard->drained(); }
    void pressPowerButton(const Held&);
    // The AT's gate before the processor's NMI pin: bit 7 of port 70.
    bool nmiMasked() const { return m_realTimeClock->nmiMasked(); }

    Channel<PowerOffRequest>& powerOff() { return m_powerOff; }
    Channel<SerialOutput>& serialOutput() { return m_serialOutput; }
    Channel<DebugOutput>& debugOutput() { return m_debugOutput; }
    Channel<DebugExit>& debugExit() { return m_debugExit; }

private:
    PcBoard(GuestMemory&, const Clock&);

    IrqLine& wire(unsigned irq);
    IrqLine& pciWire(unsigned device, unsigned pin); // pin 0 is INTA#
    void addInterruptsAndTimers(const Held&);
    void addInputs(const Held&);
    void addPeripherals(const Held&);
    Result<void> addScreen(const Held&, const ScreenConfig&);
    void addNetworkCard(const Held&, NetworkLink&);
    void addOptionalDevices(const Held&, const MachineConfig&);
    void programInterruptsAndTimer(const Held&);
    void fillCmos();

    ProcessorSocket m_socket;
    PciInterrupts m_pciInterrupts;
    std::deque<IrqLine> m_wires;
    Channel<PowerOffRequest> m_powerOff;
    Channel<SerialOutput> m_serialOutput;
    Channel<DebugOutput> m_debugOutput;
    Channel<DebugExit> m_debugExit;
    Motherboard m_board;

    DualPic* m_pic = nullptr;
    IoApic* m_ioApic = nullptr;
    std::unique_ptr<PicOutput> m_picOutput;
    std::unique_ptr<IsaInterrupts> m_isaInterrupts;
    std::unique_ptr<IoApicPciInputs> m_ioApicPciInputs;
    ApicDescription m_apics;
    IntervalTimer* m_intervalTimer = nullptr;
    RealTimeClock* m_realTimeClock = nullptr;
    Uart16550* m_com1 = nullptr;
    Ps2Keyboard* m_keyboard = nullptr;
    Ps2Mouse* m_mouse = nullptr;
    PowerManagement* m_powerManagement = nullptr;
    Vga* m_vga = nullptr;
    PciBus* m_pci = nullptr;
    VirtioNetwork* m_networkCard = nullptr;
    bool m_hasRom = false;
    LinearFrameBuffer* m_frameBuffer = nullptr; // empty: the VGA is the screen
    std::unique_ptr<DisplayOutput> m_display;
    PhysicalAddress m_acpiRootPointer = 0;
};

} // namespace namsan
