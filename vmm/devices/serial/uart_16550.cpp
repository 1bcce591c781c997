// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/serial/uart_16550.h"

#include "vmm/base/bits.h"

#include <algorithm>

namespace namsan {

namespace {
// Registers by their offset; DLAB selects the divisor latch in place of the first two (data sheet, table II).
enum Register : Port {
    ReceiverBuffer = 0, // RBR when read, THR when written
    InterruptEnable = 1,
    InterruptIdentification = 2, // IIR when read, FCR when written
    LineControl = 3,
    ModemControl = 4,
    LineStatus = 5,
    ModemStatus = 6,
    Scratch = 7,
};

constexpr uint8_t receivedDataEnable = 1 << 0; // IER
constexpr uint8_t transmitterEmptyEnable = 1 << 1;
constexpr uint8_t lineStatusEnable = 1 << 2;
constexpr uint8_t modemStatusEnable = 1 << 3;
constexpr uint8_t interruptEnableBits = 0x0f;

constexpr uint8_t noInterruptPending = 0x01; // IIR (table IV)
constexpr uint8_t modemStatusInterrupt = 0x00;
constexpr uint8_t transmitterEmptyInterrupt = 0x02;
constexpr uint8_t receivedDataInterrupt = 0x04;
constexpr uint8_t lineStatusInterrupt = 0x06;
constexpr uint8_t timeoutInterrupt = 0x0c;
constexpr uint8_t fifosEnabledBits = 0xc0;

constexpr uint8_t fifoEnable = 1 << 0; // FCR
constexpr uint8_t receiverFifoReset = 1 << 1;
constexpr uint8_t triggerBits = 0xc0;

constexpr uint8_t divisorLatchAccess = 1 << 7; // LCR

constexpr uint8_t dataReady = 1 << 0; // LSR
constexpr uint8_t overrunError = 1 << 1;
constexpr uint8_t breakInterrupt = 1 << 4;
constexpr uint8_t transmitterHoldingEmpty = 1 << 5;
constexpr uint8_t transmitterEmpty = 1 << 6;
constexpr uint8_t errorInFifo = 1 << 7;
constexpr uint8_t lineErrorBits = 0x1e; // OE, PE, FE, BI

constexpr uint8_t dataTerminalReady = 1 << 0; // MCR
constexpr uint8_t requestToSend = 1 << 1;
constexpr uint8_t out1 = 1 << 2;
constexpr uint8_t out2 = 1 << 3;
constexpr uint8_t loop = 1 << 4;
constexpr uint8_t modemControlBits = 0x1f;

constexpr uint8_t clearToSend = 1 << 4; // MSR
constexpr uint8_t dataSetReady = 1 << 5;
constexpr uint8_t ringIndicator = 1 << 6;
constexpr uint8_t dataCarrierDetect = 1 << 7;
constexpr uint8_t trailingEdgeOfRing = 1 << 2;
constexpr uint8_t modemDeltaBits = 0x0f;

constexpr uint64_t crystal = 1'843'200; // Hz
} // namespace

// What a master reset gives (table I). It leaves the divisor latch alone; at power-on it then holds anything, and 1
// (115,200 baud) lets a guest that never sets it receive without waiting.
Uart16550::Registers Uart16550::powerOn()
{
    Registers registers {};
    registers.divisorLow = 1;
    return registers;
}

Uart16550::Uart16550(PortBus& ports, Port base, IrqLine& interrupt, Timers& timers, Channel<SerialOutput>& output)
    : m_base(base)
    , m_interrupt(interrupt)
    , m_output(output)
    , m_timers(timers)
    , m_timeout(timers,
          [this] {
              m_registers.timeoutPending = true;
              updateInterrupt();
          })
    , m_registers(powerOn())
{
    ports.claim(base, static_cast<Port>(base + registerCount - 1), *this);
}

size_t Uart16550::receive(std::span<const uint8_t> bytes)
{
    // In loop-back mode the line is disconnected from the receiver (section 8.8).
    if (looped())
        return 0;
    const size_t count = std::min(bytes.size(), room());
    for (const uint8_t byte : bytes.first(count))
        put({ byte, 0 });
    if (count > 0) {
        restartTimeout();
        updateInterrupt();
    }
    return count;
}

bool Uart16550::receiveBreak()
{
    if (looped() || room() == 0)
        return false;
    put({ 0, breakInterrupt });
    restartTimeout();
    updateInterrupt();
    return true;
}

void Uart16550::holdTransmitter(bool hold)
{
    if (m_held == hold)
        return;
    m_held = hold;
    m_registers.transmitterEmptyPending = false;
    if (!hold)
        announceEmptyTransmitter();
    updateInterrupt();
}

uint32_t Uart16550::portIn(Port port, Width)
{
    switch (port - m_base) {
    case ReceiverBuffer:
        return divisorLatchSelected() ? m_registers.divisorLow : readReceiverBuffer();
    case InterruptEnable:
        return divisorLatchSelected() ? m_registers.divisorHigh : m_registers.interruptEnable;
    case InterruptIdentification:
        return readInterruptIdentification();
    case LineControl:
        return m_registers.lineControl;
    case ModemControl:
        return m_registers.modemControl;
    case LineStatus:
        return readLineStatus();
    case ModemStatus:
        return readModemStatus();
    default:
        return m_registers.scratch;
    }
}

void Uart16550::portOut(Port port, Width, uint32_t wide)
{
    const auto value = static_cast<uint8_t>(wide);
    switch (port - m_base) {
    case ReceiverBuffer:
        if (divisorLatchSelected())
            m_registers.divisorLow = value;
        else
            writeTransmitterHolding(value);
        break;
    case InterruptEnable:
        if (divisorLatchSelected())
            m_registers.divisorHigh = value;
        else
            writeInterruptEnable(value);
        break;
    case InterruptIdentification:
        writeFifoControl(value);
        break;
    case LineControl:
        m_registers.lineControl = value;
        break;
    case ModemControl:
        writeModemControl(value);
        break;
    case Scratch:
        m_registers.scratch = value;
        break;
    default: // LSR and MSR are for reading; what a write does is for factory tests only (section 8.6.3)
        break;
    }
}

bool Uart16550::fifosEnabled() const
{
    return m_registers.fifoControl & fifoEnable;
}

bool Uart16550::divisorLatchSelected() const
{
    return m_registers.lineControl & divisorLatchAccess;
}

bool Uart16550::looped() const
{
    return m_registers.modemControl & loop;
}

size_t Uart16550::room() const
{
    return (fifosEnabled() ? fifoSize : 1) - m_registers.receivedCount;
}

size_t Uart16550::triggerLevel() const
{
    static constexpr std::array<uint8_t, 4> levels { 1, 4, 8, 14 };
    return fifosEnabled() ? levels[m_registers.fifoControl >> 6] : 1;
}

uint8_t Uart16550::readReceiverBuffer()
{
    // An empty receiver gives its last character again.
    const uint8_t byte = m_registers.received[0].byte;
    if (m_registers.receivedCount == 0)
        return byte;

    std::move(m_registers.received.begin() + 1, m_registers.received.begin() + m_registers.receivedCount,
        m_registers.received.begin());
    if (--m_registers.receivedCount == 0)
        m_registers.received[0] = { byte, 0 };
    showErrorsOfOldest();
    m_registers.timeoutPending = false;
    restartTimeout();
    updateInterrupt();
    if (m_registers.receivedCount == 0 && !looped())
        m_roomAvailable.send({});
    return byte;
}

// Reading IIR resets the transmitter's interrupt where it is the one that is shown (table IV).
uint8_t Uart16550::readInterruptIdentification()
{
    const uint8_t identification = pendingInterrupt();
    if (identification == transmitterEmptyInterrupt) {
        m_registers.transmitterEmptyPending = false;
        updateInterrupt();
    }
    return static_cast<uint8_t>(identification | (fifosEnabled() ? fifosEnabledBits : 0));
}

uint8_t Uart16550::readLineStatus()
{
    uint8_t status = m_registers.lineErrors;
    if (transmitterIsEmpty())
        status |= transmitterHoldingEmpty | transmitterEmpty;
    if (m_registers.receivedCount > 0)
        status |= dataReady;
    const auto received = std::span(m_registers.received).first(m_registers.receivedCount);
    if (fifosEnabled() && std::ranges::any_of(received, [](const Received& r) { return r.errors != 0; }))
        status |= errorInFifo;
    m_registers.lineErrors = 0;
    updateInterrupt();
    return status;
}

uint8_t Uart16550::readModemStatus()
{
    const auto status = static_cast<uint8_t>(modemLines() | m_registers.modemDelta);
    m_registers.modemDelta = 0;
    updateInterrupt();
    return status;
}

// The byte leaves at once, so THR is empty again: its interrupt goes away and comes back, which an edge-triggered
// interrupt controller sees as a new one.
void Uart16550::writeTransmitterHolding(uint8_t byte)
{
    m_registers.transmitterEmptyPending = false;
    updateInterrupt();
    if (looped()) {
        put({ byte, 0 });
        restartTimeout();
    } else {
        m_output.send({ byte });
    }
    announceEmptyTransmitter();
    updateInterrupt();
}

// A loop-back is inside the chip: what the line's other end does is nothing to it.
bool Uart16550::transmitterIsEmpty() const
{
    return !m_held || looped();
}

void Uart16550::announceEmptyTransmitter()
{
    if (transmitterIsEmpty())
        m_registers.transmitterEmptyPending = true;
}

void Uart16550::writeInterruptEnable(uint8_t value)
{
    // Enabling THR's interrupt while it is empty asks for one at once (Linux probes for that).
    if (value & ~m_registers.interruptEnable & transmitterEmptyEnable)
        announceEmptyTransmitter();
    m_registers.interruptEnable = value & interruptEnableBits;
    updateInterrupt();
}

void Uart16550::writeFifoControl(uint8_t value)
{
    const bool toggled = (value ^ m_registers.fifoControl) & fifoEnable;
    const size_t roomBefore = room();
    // The other bits are programmed only together with bit 0 (section 8.5).
    if (toggled || ((value & fifoEnable) && (value & receiverFifoReset)))
        clearReceiver();
    m_registers.fifoControl = value & fifoEnable ? value & (fifoEnable | triggerBits) : 0;
    restartTimeout();
    updateInterrupt();
    if (room() > roomBefore && !looped())
        m_roomAvailable.send({});
}

void Uart16550::writeModemControl(uint8_t value)
{
    const uint8_t before = modemLines();
    const bool wasLooped = looped();
    m_registers.modemControl = value & modemControlBits;
    noteModemChange(before);
    updateInterrupt();
    if (wasLooped && !looped() && room() > 0)
        m_roomAvailable.send({});
}

// The upper half of MSR: in loop-back mode the chip's own outputs (section 8.7), else the terminal's lines.
uint8_t Uart16550::modemLines() const
{
    if (!looped())
        return clearToSend | dataSetReady | dataCarrierDetect;
    const uint8_t control = m_registers.modemControl;
    return static_cast<uint8_t>((control & requestToSend ? clearToSend : 0)
        | (control & dataTerminalReady ? dataSetReady : 0) | (control & out1 ? ringIndicator : 0)
        | (control & out2 ? dataCarrierDetect : 0));
}

void Uart16550::noteModemChange(uint8_t before)
{
    const uint8_t now = modemLines();
    const auto changed = static_cast<uint8_t>(before ^ now);
    m_registers.modemDelta |= static_cast<uint8_t>((changed & ~ringIndicator) >> 4);
    if (before & ~now & ringIndicator)
        m_registers.modemDelta |= trailingEdgeOfRing;
}

// Only a loop can overrun the receiver. A full FIFO keeps what it has; the single character of 16450 mode is replaced
// (section 8.6.3, OE).
void Uart16550::put(Received character)
{
    if (room() == 0) {
        m_registers.lineErrors |= overrunError;
        if (!fifosEnabled())
            m_registers.received[0] = character;
        return;
    }
    m_registers.received[m_registers.receivedCount++] = character;
    if (m_registers.receivedCount == 1)
        showErrorsOfOldest();
    m_registers.timeoutPending = false;
}

void Uart16550::clearReceiver()
{
    m_registers.receivedCount = 0;
    m_registers.received = {};
    m_registers.timeoutPending = false;
}

void Uart16550::showErrorsOfOldest()
{
    if (m_registers.receivedCount > 0)
        m_registers.lineErrors |= m_registers.received[0].errors;
}

// The interrupt of highest priority, as IIR shows it (table IV).
uint8_t Uart16550::pendingInterrupt() const
{
    const uint8_t enabled = m_registers.interruptEnable;
    if ((enabled & lineStatusEnable) && m_registers.lineErrors)
        return lineStatusInterrupt;
    if ((enabled & receivedDataEnable) && m_registers.receivedCount >= triggerLevel())
        return receivedDataInterrupt;
    if ((enabled & receivedDataEnable) && m_registers.timeoutPending)
        return timeoutInterrupt;
    if ((enabled & transmitterEmptyEnable) && m_registers.transmitterEmptyPending)
        return transmitterEmptyInterrupt;
    if ((enabled & modemStatusEnable) && m_registers.modemDelta)
        return modemStatusInterrupt;
    return noInterruptPending;
}

// On the PC, OUT2 drives the gate between INTR and the bus; loop-back mode forces OUT2 inactive (section 8.7).
void Uart16550::updateInterrupt()
{
    const bool gateOpen = (m_registers.modemControl & (out2 | loop)) == out2;
    m_interrupt.set(gateOpen && pendingInterrupt() != noInterruptPending);
}

// Four character times without a character coming or going, while the FIFO holds one (section 8.12.1).
void Uart16550::restartTimeout()
{
    if (fifosEnabled() && m_registers.receivedCount > 0 && !m_registers.timeoutPending)
        m_timeout.armIn(4 * characterTime());
    else
        m_timeout.cancel();
}

GuestTime Uart16550::characterTime() const
{
    const uint8_t control = m_registers.lineControl;
    const unsigned dataBits = 5u + (control & 3u);
    const unsigned frame = 1 + dataBits + bit(control, 3) + 1 + bit(control, 2);
    const uint64_t divisor = std::max<uint64_t>(1, m_registers.divisorHigh << 8 | m_registers.divisorLow);
    return GuestTime(static_cast<int64_t>(frame * divisor * 16 * 1'000'000'000 / crystal));
}

// A master reset keeps the divisor latch and the scratch register (table I).
void Uart16550::reset()
{
    Registers registers = powerOn();
    registers.divisorLow = m_registers.divisorLow;
    registers.divisorHigh = m_registers.divisorHigh;
    registers.scratch = m_registers.scratch;
    m_registers = registers;
    m_timeout.cancel();
    updateInterrupt();
    m_roomAvailable.send({});
}

void Uart16550::save(StateWriter& state) const
{
    // Where it is restored nothing holds the line, so the guest is to hear that the transmitter is empty.
    Registers registers = m_registers;
    registers.transmitterEmptyPending |= m_held;
    state.put(registers);
    const GuestTime left = m_timeout.armed() ? m_timeout.deadline() - m_timers.now() : GuestTime(-1);
    state.put(std::max(left, GuestTime(m_timeout.armed() ? 0 : -1)).count());
}

Result<void> Uart16550::restore(StateReader& state)
{
    Registers registers;
    int64_t timeoutIn = 0;
    if (auto taken = state.takeInto(registers, timeoutIn); !taken)
        return taken.error();

    const size_t capacity = registers.fifoControl & fifoEnable ? fifoSize : 1;
    const bool possible = !(registers.interruptEnable & ~interruptEnableBits)
        && !(registers.modemControl & ~modemControlBits) && !(registers.lineErrors & ~lineErrorBits)
        && !(registers.modemDelta & ~modemDeltaBits) && !(registers.fifoControl & ~(fifoEnable | triggerBits))
        && registers.transmitterEmptyPending <= 1 && registers.timeoutPending <= 1
        && registers.receivedCount <= capacity
        && std::ranges::all_of(registers.received, [](const Received& r) { return !(r.errors & ~lineErrorBits); });
    constexpr int64_t longestTimeout = 1'000'000'000'000; // more than 4 characters at the largest divisor
    if (!possible || timeoutIn < -1 || timeoutIn > longestTimeout)
        return StateReader::impossible(name());

    m_registers = registers;
    if (timeoutIn >= 0)
        m_timeout.armIn(GuestTime(timeoutIn));
    else
        m_timeout.cancel();
    updateInterrupt();
    return {};
}

} // namespace namsan
