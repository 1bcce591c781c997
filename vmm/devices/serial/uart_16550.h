// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"
#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/messages.h"
#include "vmm/board/port_bus.h"
#include "vmm/time/timers.h"

#include <array>
#include <span>

namespace namsan {

// The guest has read a serial port's receiver empty: what waits to be received can go on.
struct SerialRoomAvailable { };

// An NS16550A as a PC's serial port: eight ports, 1.8432 MHz crystal, OUT2 gating the interrupt.
// PC16550D data sheet (National Semiconductor, 1995), section 8; IBM AT Technical Reference, Serial/Parallel Adapter.
//
// The line itself takes no time: a byte written to THR has left in the same moment, as if the transmitter were
// infinitely fast, unless the other end holds it up. That end is a terminal that is always there (CTS, DSR and DCD on).
class Uart16550 final : public Device, public PortHandler {
public:
    static constexpr Port registerCount = 8;
    static constexpr size_t fifoSize = 16;

    Uart16550(PortBus&, Port base, IrqLine&, Timers&, Channel<SerialOutput>&);

    // Bytes from the line. Takes as many as the receiver has room for, so that nothing overruns, and returns their
    // number; roomAvailable() tells when to go on with the rest.
    size_t receive(std::span<const uint8_t>);
    // A break condition on the line: to Linux, the first half of a magic SysRq. False where there is no room for it.
    bool receiveBreak();
    Channel<SerialRoomAvailable>& roomAvailable() { return m_roomAvailable; }

    // While it is held, the transmitter shows as busy: LSR without THRE and TEMT, and no interrupt for more. Bytes that
    // are written all the same still go to the line. A condition of the line, which neither reset nor restore changes.
    void holdTransmitter(bool);

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "16550A serial port"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    // A received character with the errors that came with it: they show in LSR when it is next to be read.
    struct Received {
        uint8_t byte;
        uint8_t errors; // LSR bits
    };

    struct Registers {
        uint8_t interruptEnable;
        uint8_t lineControl;
        uint8_t modemControl;
        uint8_t fifoControl; // bit 0 and the trigger level; the reset bits clear themselves
        uint8_t scratch;
        uint8_t divisorLow;
        uint8_t divisorHigh;
        uint8_t lineErrors; // OE, PE, FE and BI of LSR, until it is read
        uint8_t modemDelta; // the lower half of MSR, until it is read
        uint8_t transmitterEmptyPending;
        uint8_t timeoutPending;
        uint8_t receivedCount;
        std::array<Received, fifoSize> received; // the oldest first
    };

    static Registers powerOn();

    bool fifosEnabled() const;
    bool divisorLatchSelected() const;
    bool looped() const;
    size_t room() const;
    size_t triggerLevel() const;
    uint8_t modemLines() const;

    uint8_t readReceiverBuffer();
    uint8_t readInterruptIdentification();
    uint8_t readLineStatus();
    uint8_t readModemStatus();
    void writeTransmitterHolding(uint8_t);
    void writeInterruptEnable(uint8_t);
    void writeFifoControl(uint8_t);
    void writeModemControl(uint8_t);

    bool transmitterIsEmpty() const;
    void announceEmptyTransmitter();
    void put(Received);
    void clearReceiver();
    void showErrorsOfOldest();
    void noteModemChange(uint8_t before);
    uint8_t pendingInterrupt() const;
    void updateInterrupt();
    void restartTimeout();
    GuestTime characterTime() const;

    Port m_base;
    IrqLine& m_interrupt;
    Channel<SerialOutput>& m_output;
    Channel<SerialRoomAvailable> m_roomAvailable;
    Timers& m_timers;
    Timer m_timeout;
    Registers m_registers;
    bool m_held = false;
};

} // namespace namsan
