// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/acpi/power_management.h"

#include "vmm/base/bits.h"
#include "vmm/base/scaled_division.h"

#include <array>

namespace namsan {

namespace {

constexpr uint64_t nanosecondsPerSecond = 1'000'000'000;

// PM1_STS and PM1_EN. ACPI 6.5, tables 4.12 and 4.13.
constexpr uint16_t timerCarry = 1 << 0;
constexpr uint16_t globalLock = 1 << 5;
constexpr uint16_t powerButton = 1 << 8;
constexpr uint16_t realTimeClock = 1 << 10;
constexpr uint16_t enableBits = timerCarry | globalLock | powerButton | realTimeClock;

// PM1_CNT. ACPI 6.5, table 4.14.
constexpr uint16_t sciEnable = 1 << 0;
constexpr uint16_t busMasterReload = 1 << 1;
constexpr uint16_t sleepType = 7 << 10;
constexpr uint16_t sleepEnable = 1 << 13; // reads as 0
constexpr unsigned sleepTypeShift = 10;
constexpr uint16_t storedControl = sciEnable | busMasterReload | sleepType;

// Bit 23 is the timer's highest: each change of it is a carry.
constexpr unsigned timerBits = 24;
constexpr unsigned carryBit = timerBits - 1;

constexpr uint16_t withByte(uint16_t word, unsigned index, uint8_t byte)
{
    const unsigned shift = 8 * index;
    return static_cast<uint16_t>((word & ~(0xff << shift)) | (byte << shift));
}

} // namespace

PowerManagement::PowerManagement(PortBus& ports, Timers& timers, IrqLine& sci, Channel<PowerOffRequest>& powerOff)
    : m_timers(timers)
    , m_sci(sci)
    , m_powerOff(powerOff)
    , m_carry(timers, [this] { update(); })
{
    ports.claim(base, base + size - 1, m_registers, Width::Dword);
    ports.claim(apmControl, apmControl + 1, m_apmPorts);
}

void PowerManagement::pressPowerButton()
{
    m_status |= powerButton;
    update();
}

uint64_t PowerManagement::timerTicks() const
{
    return multiplyDivide(static_cast<uint64_t>(m_timers.now().count()), timerFrequency, nanosecondsPerSecond);
}

uint16_t PowerManagement::status() const
{
    const bool carried = timerTicks() >> carryBit != m_seenHalf;
    return static_cast<uint16_t>(m_status | (carried ? timerCarry : 0));
}

void PowerManagement::clearStatus(uint16_t bits)
{
    m_status &= static_cast<uint16_t>(~bits);
    if (bits & timerCarry)
        m_seenHalf = timerTicks() >> carryBit;
}

void PowerManagement::writeControl(uint16_t value, bool highByteWritten)
{
    m_control = value & storedControl;
    const bool sleeps = highByteWritten && (value & sleepEnable);
    // The other sleep states are not offered by the DSDT: a guest that asks for one stays awake.
    if (sleeps && (value & sleepType) >> sleepTypeShift == softOffType)
        m_powerOff.send({});
}

// Sets the interrupt line to what the registers say, and the timer to when that will change by itself.
void PowerManagement::update()
{
    const uint16_t pending = status() & m_enable;
    m_sci.set((m_control & sciEnable) && pending);

    if ((m_enable & timerCarry) && !(pending & timerCarry)) {
        const uint64_t carryTicks = (m_seenHalf + 1) << carryBit;
        // Rounded up: a nanosecond earlier the timer would not have carried yet.
        m_carry.armAt(
            GuestTime(static_cast<int64_t>(multiplyDivide(carryTicks, nanosecondsPerSecond, timerFrequency) + 1)));
    } else {
        m_carry.cancel();
    }
}

uint32_t PowerManagement::Registers::portIn(Port port, Width width)
{
    const unsigned offset = port - base;
    const uint16_t status = m_chip.status();
    const auto timer = bits(m_chip.timerTicks(), 0, timerBits);
    const std::array<uint32_t, 3> registers { static_cast<uint32_t>(m_chip.m_enable) << 16 | status, m_chip.m_control,
        static_cast<uint32_t>(timer) };
    uint32_t value = 0;
    for (unsigned i = 0; i < bytesOf(width) && (offset + i) / 4 < registers.size(); ++i)
        value |= (registers[(offset + i) / 4] >> (8 * ((offset + i) % 4)) & 0xff) << (8 * i);
    return value;
}

void PowerManagement::Registers::portOut(Port port, Width width, uint32_t value)
{
    for (unsigned i = 0; i < bytesOf(width); ++i) {
        const unsigned offset = port - base + i;
        const auto byte = static_cast<uint8_t>(value >> (8 * i));
        const unsigned index = offset % 2;
        if (offset < 2)
            m_chip.clearStatus(withByte(0, index, byte));
        else if (offset < 4)
            m_chip.m_enable = withByte(m_chip.m_enable, index, byte) & enableBits;
        else if (offset < 6)
            m_chip.writeControl(withByte(m_chip.m_control, index, byte), index == 1);
    }
    m_chip.update();
}

uint32_t PowerManagement::ApmPorts::portIn(Port port, Width)
{
    return port == apmControl ? m_chip.m_apmControl : m_chip.m_apmStatus;
}

void PowerManagement::ApmPorts::portOut(Port port, Width, uint32_t value)
{
    const auto byte = static_cast<uint8_t>(value);
    if (port != apmControl) {
        m_chip.m_apmStatus = byte;
        return;
    }
    m_chip.m_apmControl = byte;
    // What firmware does in its SMI handler when it is asked to hand over or to take back.
    if (byte == acpiEnable)
        m_chip.m_control |= sciEnable;
    else if (byte == acpiDisable)
        m_chip.m_control &= static_cast<uint16_t>(~sciEnable);
    m_chip.update();
}

void PowerManagement::reset()
{
    m_status = 0;
    m_seenHalf = timerTicks() >> carryBit;
    m_enable = 0;
    m_control = 0;
    m_apmControl = 0;
    m_apmStatus = 0;
    update();
}

void PowerManagement::save(StateWriter& state) const
{
    // Relative to the clock, whose origin may be another one when this comes back.
    state.put(status(), m_enable, m_control, m_apmControl, m_apmStatus);
}

Result<void> PowerManagement::restore(StateReader& state)
{
    uint16_t status = 0;
    uint16_t enable = 0;
    uint16_t control = 0;
    uint8_t apmControlValue = 0;
    uint8_t apmStatus = 0;
    if (auto taken = state.takeInto(status, enable, control, apmControlValue, apmStatus); !taken)
        return taken;
    if ((status & ~enableBits) || (enable & ~enableBits) || (control & ~storedControl))
        return StateReader::impossible(name());
    m_status = static_cast<uint16_t>(status & ~timerCarry);
    m_seenHalf = (timerTicks() >> carryBit) - (status & timerCarry ? 1 : 0);
    m_enable = enable;
    m_control = control;
    m_apmControl = apmControlValue;
    m_apmStatus = apmStatus;
    update();
    return {};
}

} // namespace namsan
