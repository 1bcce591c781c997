// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/port_bus.h"
#include "vmm/devices/input/ps2_device.h"
#include "vmm/time/timers.h"

#include <array>

namespace namsan {

class GateA20;
class ResetLine;

// The 8042 of the PS/2: two serial ports for keyboard and auxiliary device (mouse), the gate of address line 20 and the
// processor's reset.
// IBM Personal System/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller".
//
// After reset it is as a BIOS leaves it: keyboard on with translation and interrupt, auxiliary device off.
class KeyboardController final : public Device, public PortHandler {
public:
    static constexpr Port dataPort = 0x60;
    static constexpr Port commandPort = 0x64; // status when read

    // 11 bits at 16.7 kHz, the fastest that the serial line may run: what a byte of a device takes at least, counted
    // from when the last one was read. Guests that read port 60 twice in one interrupt rely on it.
    static constexpr GuestTime byteTime = std::chrono::microseconds(660);

    KeyboardController(PortBus&, IrqLine& keyboardInterrupt, IrqLine& auxiliaryInterrupt, GateA20&, ResetLine&, Timers&,
        Ps2Device& keyboard, Ps2Device& auxiliary);

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "keyboard controller"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    struct State {
        std::array<uint8_t, 32> memory; // byte 0 is the command byte
        uint8_t outputBuffer;
        uint8_t outputFull;
        uint8_t outputIsAuxiliary;
        uint8_t lastWriteWasCommand;
        uint8_t awaitedData; // the command whose data is to be written to port 60, or 0
        uint8_t gateA20;
        uint8_t released; // F0 has come, which translation holds back
    };

    static State powerOn();

    uint8_t& commandByte() { return m_state.memory[0]; }
    uint8_t commandByte() const { return m_state.memory[0]; }

    uint8_t readData();
    uint8_t readStatus() const;
    void writeData(uint8_t);
    void writeCommand(uint8_t);
    void takeAwaitedData(uint8_t command, uint8_t value);
    uint8_t outputPort() const;
    void writeOutputPort(uint8_t);
    void setGateA20(bool open);

    void putOutput(uint8_t, bool auxiliary);
    void sendTo(Ps2Device&, uint8_t, uint8_t disableBit);
    void takeFromDevices();
    bool takeFromKeyboard();
    void updateInterrupts();

    IrqLine& m_keyboardInterrupt;
    IrqLine& m_auxiliaryInterrupt;
    GateA20& m_gateA20;
    ResetLine& m_resetLine;
    Timers& m_timers;
    Ps2Device& m_keyboard;
    Ps2Device& m_auxiliary;
    Timer m_lineIdle;
    GuestTime m_nextByte {}; // no device can have sent another byte before
    bool m_taking = false; // a device that is asked for a byte may say that it has another one
    State m_state;
};

} // namespace namsan
