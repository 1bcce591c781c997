// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/keyboard_controller.h"

#include "vmm/base/bits.h"
#include "vmm/board/gate_a20.h"
#include "vmm/board/reset_line.h"
#include "vmm/devices/input/scan_code_set_1.h"

#include <algorithm>

namespace namsan {

namespace {
enum Command : uint8_t {
    ReadMemory = 0x20, // to 3F; 20 is the command byte
    WriteMemory = 0x60, // to 7F
    TestPassword = 0xa4,
    DisableAuxiliary = 0xa7,
    EnableAuxiliary = 0xa8,
    TestAuxiliaryInterface = 0xa9,
    SelfTest = 0xaa,
    TestKeyboardInterface = 0xab,
    DisableKeyboard = 0xad,
    EnableKeyboard = 0xae,
    ReadInputPort = 0xc0,
    ReadOutputPort = 0xd0,
    WriteOutputPort = 0xd1,
    WriteKeyboardOutputBuffer = 0xd2,
    WriteAuxiliaryOutputBuffer = 0xd3,
    WriteAuxiliary = 0xd4,
    CloseGateA20 = 0xdd, // not IBM's, but of most later controllers
    OpenGateA20 = 0xdf,
    PulseOutputPort = 0xf0, // to FF: the bits that are 0 are pulsed
};

constexpr uint8_t keyboardInterruptEnable = 1 << 0; // command byte
constexpr uint8_t auxiliaryInterruptEnable = 1 << 1;
constexpr uint8_t systemFlag = 1 << 2; // here and in the status
constexpr uint8_t keyboardDisable = 1 << 4;
constexpr uint8_t auxiliaryDisable = 1 << 5;
constexpr uint8_t translate = 1 << 6;

constexpr uint8_t outputBufferFull = 1 << 0; // status
constexpr uint8_t commandWritten = 1 << 3;
constexpr uint8_t notInhibited = 1 << 4;
constexpr uint8_t auxiliaryOutputFull = 1 << 5;

constexpr uint8_t notReset = 1 << 0; // output port
constexpr uint8_t gateA20Bit = 1 << 1;
constexpr uint8_t keyboardOutputFullBit = 1 << 4;
constexpr uint8_t auxiliaryOutputFullBit = 1 << 5;

constexpr uint8_t selfTestPassed = 0x55;
constexpr uint8_t interfaceTestPassed = 0x00;
constexpr uint8_t noPassword = 0xf1;
constexpr uint8_t inputPort = 0xb0; // keyboard not locked, no manufacturing jumper, colour display
} // namespace

KeyboardController::State KeyboardController::powerOn()
{
    State state {};
    state.memory[0] = keyboardInterruptEnable | systemFlag | auxiliaryDisable | translate;
    return state;
}

KeyboardController::KeyboardController(PortBus& ports, IrqLine& keyboardInterrupt, IrqLine& auxiliaryInterrupt,
    GateA20& gateA20, ResetLine& resetLine, Timers& timers, Ps2Device& keyboard, Ps2Device& auxiliary)
    : m_keyboardInterrupt(keyboardInterrupt)
    , m_auxiliaryInterrupt(auxiliaryInterrupt)
    , m_gateA20(gateA20)
    , m_resetLine(resetLine)
    , m_timers(timers)
    , m_keyboard(keyboard)
    , m_auxiliary(auxiliary)
    , m_lineIdle(timers, [this] { takeFromDevices(); })
    , m_state(powerOn())
{
    ports.claim(dataPort, *this);
    ports.claim(commandPort, *this);
    const auto bytesReady = [this](const Ps2BytesReady&) { takeFromDevices(); };
    keyboard.ready().listen(bytesReady);
    auxiliary.ready().listen(bytesReady);
}

uint32_t KeyboardController::portIn(Port port, Width)
{
    return port == dataPort ? readData() : readStatus();
}

void KeyboardController::portOut(Port port, Width, uint32_t value)
{
    m_state.lastWriteWasCommand = port == commandPort;
    if (port == commandPort)
        writeCommand(static_cast<uint8_t>(value));
    else
        writeData(static_cast<uint8_t>(value));
}

uint8_t KeyboardController::readData()
{
    const uint8_t byte = m_state.outputBuffer;
    if (m_state.outputFull) {
        m_state.outputFull = false;
        m_nextByte = m_timers.now() + byteTime;
        updateInterrupts();
        takeFromDevices();
    }
    return byte;
}

uint8_t KeyboardController::readStatus() const
{
    uint8_t status = notInhibited | (commandByte() & systemFlag);
    if (m_state.outputFull)
        status |= outputBufferFull | (m_state.outputIsAuxiliary ? auxiliaryOutputFull : 0);
    if (m_state.lastWriteWasCommand)
        status |= commandWritten;
    return status;
}

void KeyboardController::writeData(uint8_t value)
{
    if (const uint8_t command = m_state.awaitedData) {
        m_state.awaitedData = 0;
        takeAwaitedData(command, value);
    } else {
        sendTo(m_keyboard, value, keyboardDisable);
    }
}

void KeyboardController::takeAwaitedData(uint8_t command, uint8_t value)
{
    switch (command) {
    case WriteOutputPort:
        return writeOutputPort(value);
    case WriteKeyboardOutputBuffer:
        return putOutput(value, false);
    case WriteAuxiliaryOutputBuffer:
        return putOutput(value, true);
    case WriteAuxiliary:
        return sendTo(m_auxiliary, value, auxiliaryDisable);
    default: // WriteMemory and what follows it
        m_state.memory[command & 0x1f] = value;
        updateInterrupts();
        takeFromDevices();
    }
}

void KeyboardController::writeCommand(uint8_t command)
{
    m_state.awaitedData = 0;
    if (command >= ReadMemory && command < ReadMemory + m_state.memory.size())
        return putOutput(m_state.memory[command & 0x1f], false);
    if (command >= PulseOutputPort) {
        if (!bit(command, 0))
            m_resetLine.pulse();
        return;
    }

    switch (command) {
    case TestPassword:
        return putOutput(noPassword, false);
    case SelfTest:
        commandByte() |= systemFlag;
        return putOutput(selfTestPassed, false);
    case TestKeyboardInterface:
    case TestAuxiliaryInterface:
        return putOutput(interfaceTestPassed, false);
    case DisableAuxiliary:
        commandByte() |= auxiliaryDisable;
        return;
    case DisableKeyboard:
        commandByte() |= keyboardDisable;
        return;
    case EnableAuxiliary:
        commandByte() &= static_cast<uint8_t>(~auxiliaryDisable);
        return takeFromDevices();
    case EnableKeyboard:
        commandByte() &= static_cast<uint8_t>(~keyboardDisable);
        return takeFromDevices();
    case ReadInputPort:
        return putOutput(inputPort, false);
    case ReadOutputPort:
        return putOutput(outputPort(), false);
    case CloseGateA20:
    case OpenGateA20:
        return setGateA20(command == OpenGateA20);
    default:
        const bool writesMemory = command >= WriteMemory && command < WriteMemory + m_state.memory.size();
        if (writesMemory || (command >= WriteOutputPort && command <= WriteAuxiliary))
            m_state.awaitedData = command;
    }
}

uint8_t KeyboardController::outputPort() const
{
    const bool full = m_state.outputFull;
    const bool auxiliary = m_state.outputIsAuxiliary;
    return static_cast<uint8_t>(notReset | (m_state.gateA20 ? gateA20Bit : 0)
        | (full && !auxiliary ? keyboardOutputFullBit : 0) | (full && auxiliary ? auxiliaryOutputFullBit : 0));
}

void KeyboardController::writeOutputPort(uint8_t value)
{
    setGateA20(value & gateA20Bit);
    if (!(value & notReset))
        m_resetLine.pulse();
}

void KeyboardController::setGateA20(bool open)
{
    m_state.gateA20 = open;
    m_gateA20.setKeyboardGate(open);
}

// The controller's own answers do not wait: they replace what was not read, so guests turn the devices off first.
void KeyboardController::putOutput(uint8_t byte, bool auxiliary)
{
    // A byte in place of another is a new interrupt.
    m_state.outputFull = false;
    updateInterrupts();
    m_state.outputBuffer = byte;
    m_state.outputFull = true;
    m_state.outputIsAuxiliary = auxiliary;
    updateInterrupts();
}

// Sending to a device turns its line on again, and takes its time.
void KeyboardController::sendTo(Ps2Device& device, uint8_t byte, uint8_t disableBit)
{
    commandByte() &= static_cast<uint8_t>(~disableBit);
    m_nextByte = std::max(m_nextByte, m_timers.now() + byteTime);
    device.command(byte);
    takeFromDevices();
}

void KeyboardController::takeFromDevices()
{
    const bool keyboardWaits = m_keyboard.hasByte() && !(commandByte() & keyboardDisable);
    const bool auxiliaryWaits = m_auxiliary.hasByte() && !(commandByte() & auxiliaryDisable);
    if (m_taking || m_state.outputFull || (!keyboardWaits && !auxiliaryWaits))
        return;
    if (m_timers.now() < m_nextByte) {
        m_lineIdle.armAt(m_nextByte);
        return;
    }

    m_taking = true;
    if (!keyboardWaits || !takeFromKeyboard()) {
        if (auxiliaryWaits)
            putOutput(m_auxiliary.takeByte(), true);
    }
    m_taking = false;
}

// False where the keyboard had no more than the F0 that goes before the rest.
bool KeyboardController::takeFromKeyboard()
{
    while (m_keyboard.hasByte()) {
        const uint8_t byte = m_keyboard.takeByte();
        if (!(commandByte() & translate)) {
            m_state.released = false;
            putOutput(byte, false);
            return true;
        }
        if (byte == breakPrefix) {
            m_state.released = true;
            continue;
        }
        putOutput(scanCodeSet1Of(byte) | (m_state.released ? releasedBit : 0), false);
        m_state.released = false;
        return true;
    }
    return false;
}

void KeyboardController::updateInterrupts()
{
    const bool auxiliary = m_state.outputIsAuxiliary;
    m_keyboardInterrupt.set(m_state.outputFull && !auxiliary && (commandByte() & keyboardInterruptEnable));
    m_auxiliaryInterrupt.set(m_state.outputFull && auxiliary && (commandByte() & auxiliaryInterruptEnable));
}

void KeyboardController::reset()
{
    m_state = powerOn();
    m_lineIdle.cancel();
    m_nextByte = {};
    updateInterrupts();
    m_gateA20.setKeyboardGate(false);
}

void KeyboardController::save(StateWriter& state) const
{
    state.put(m_state);
}

Result<void> KeyboardController::restore(StateReader& reader)
{
    auto state = reader.take<State>();
    if (!state)
        return state.error();

    const uint8_t awaited = state->awaitedData;
    const bool awaitedPossible = awaited == 0
        || (awaited >= WriteMemory && awaited < WriteMemory + state->memory.size())
        || (awaited >= WriteOutputPort && awaited <= WriteAuxiliary);
    if (!awaitedPossible || state->outputFull > 1 || state->outputIsAuxiliary > 1 || state->lastWriteWasCommand > 1
        || state->gateA20 > 1 || state->released > 1)
        return StateReader::impossible(name());

    m_state = *state;
    updateInterrupts();
    m_gateA20.setKeyboardGate(m_state.gateA20);
    // The devices may not be restored yet: they are asked one byte's time later.
    m_nextByte = m_timers.now() + byteTime;
    m_lineIdle.armAt(m_nextByte);
    return {};
}

} // namespace namsan
