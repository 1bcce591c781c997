// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/system_control_port_b.h"

#include "vmm/devices/timer/interval_timer.h"

namespace namsan {

namespace {
constexpr uint8_t timer2Gate = 1 << 0;
constexpr uint8_t speakerData = 1 << 1;
constexpr uint8_t writable = 0x0f; // with bits 2 and 3, which switch off checks of parity and of the I/O channel
constexpr uint8_t refreshToggle = 1 << 4;
constexpr uint8_t timer2Output = 1 << 5;

// Counter 1 asks for a refresh every 18 pulses (15.085 us). Programs time short delays by it, so it is there whether
// counter 1 was programmed or not.
constexpr int64_t refreshPulses = 18;
} // namespace

SystemControlPortB::SystemControlPortB(PortBus& ports, IntervalTimer& timer)
    : m_timer(timer)
{
    ports.claim(address, *this);
    m_timer.toneChanges().listen([this](const ToneChange&) { driveSpeaker(); });
}

uint32_t SystemControlPortB::portIn(Port, Width)
{
    uint8_t value = m_value;
    if (m_timer.now() / refreshPulses % 2)
        value |= refreshToggle;
    if (m_timer.toneOutput())
        value |= timer2Output;
    return value;
}

void SystemControlPortB::portOut(Port, Width, uint32_t value)
{
    m_value = value & writable;
    m_timer.setToneGate(m_value & timer2Gate);
    driveSpeaker();
}

void SystemControlPortB::driveSpeaker()
{
    const auto frequency = m_timer.toneFrequency();
    const bool on = (m_value & timer2Gate) && (m_value & speakerData) && frequency;
    const SpeakerChange speaker { on, on ? *frequency : 0 };
    if (speaker == m_speaker)
        return;
    m_speaker = speaker;
    m_speakerChanges.send(speaker);
}

void SystemControlPortB::reset()
{
    portOut(address, Width::Byte, 0);
}

void SystemControlPortB::save(StateWriter& state) const
{
    state.put(m_value);
}

Result<void> SystemControlPortB::restore(StateReader& state)
{
    const auto value = state.take<uint8_t>();
    if (!value)
        return value.error();
    if (*value & ~writable)
        return StateReader::impossible(name());
    // The gate is part of the timer's own state, which may be restored before or after this.
    m_value = *value;
    driveSpeaker();
    return {};
}

} // namespace namsan
