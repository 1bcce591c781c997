// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/programmable_counter.h"

#include <algorithm>

namespace namsan {

void ProgrammableCounter::program(uint8_t controlWord)
{
    m_access = static_cast<Access>((controlWord >> 4) & 3);
    // Modes 6 and 7 are 2 and 3 ("Control Word Format": the upper bit doesn't matter).
    const uint8_t mode = (controlWord >> 1) & 7;
    m_mode = mode > 5 ? static_cast<uint8_t>(mode - 4) : mode;
    m_bcd = controlWord & 1;
    m_loaded = false;
    m_paused = false;
    ++m_loads;
    m_risesBefore = 0;
    m_awaitingTrigger.reset();
    m_takeover.reset();
    m_writeHighNext = false;
    m_readHighNext = false;
    m_latchedCount.reset();
    m_latchedStatus.reset();
}

void ProgrammableCounter::write(uint8_t byte, Tick now)
{
    switch (m_access) {
    case Access::LowByte:
        writeCount(byte, now);
        return;
    case Access::HighByte:
        writeCount(static_cast<uint16_t>(byte << 8), now);
        return;
    case Access::LowThenHigh:
        break;
    }
    if (!m_writeHighNext) {
        m_writtenLow = byte;
        m_writeHighNext = true;
        // "Mode 0": the first byte stops the counting and sets the output low at once.
        if (m_mode == 0) {
            m_loaded = false;
            m_paused = false;
            ++m_loads;
        }
        return;
    }
    m_writeHighNext = false;
    writeCount(static_cast<uint16_t>(m_writtenLow | byte << 8), now);
}

void ProgrammableCounter::writeCount(uint16_t written, Tick now)
{
    uint32_t count = written;
    if (m_bcd) {
        // Digits above 9 count as what they say; the counter has only four decades.
        count = (written >> 12 & 15u) * 1000 + (written >> 8 & 15u) * 100 + (written >> 4 & 15u) * 10 + (written & 15u);
        count %= modulus();
    }
    if (count == 0)
        count = modulus();

    if (triggerable()) {
        m_awaitingTrigger = count;
        return;
    }
    settle(now);
    if (periodic() && m_loaded && !m_paused && !rests() && elapsed(now) >= 0)
        scheduleTakeover(count, now);
    else
        load(count, now + 1);
}

// "Mode 2" and "Mode 3": a count that is written while the counter runs is loaded at the end of the cycle, or of the
// half-cycle in mode 3.
void ProgrammableCounter::scheduleTakeover(uint32_t count, Tick now)
{
    const Tick intoCycle = elapsed(now) % m_initialCount;
    const Tick cycleStart = now - intoCycle;
    const Tick high = highTicks(m_initialCount);
    const bool inFirstHalf = m_mode == 3 && intoCycle < high;
    m_takeover = Takeover { count, inFirstHalf ? cycleStart + high : cycleStart + m_initialCount, inFirstHalf };
}

void ProgrammableCounter::settle(Tick now)
{
    if (!m_takeover || m_paused || now < m_takeover->at)
        return;
    const Takeover takeover = *m_takeover;
    m_takeover.reset();
    m_risesBefore += static_cast<uint64_t>((takeover.at - m_loadTick) / m_initialCount);
    m_initialCount = takeover.count;
    m_loadTick = takeover.startsLow && m_initialCount > 1 ? takeover.at - highTicks(m_initialCount) : takeover.at;
}

void ProgrammableCounter::load(uint32_t count, Tick at)
{
    m_loaded = true;
    m_initialCount = count;
    m_loadTick = at;
    m_risesBefore = 0;
    ++m_loads;
    m_takeover.reset();
    m_paused = !m_gate && !triggerable();
    m_pausedAt = 0;
}

void ProgrammableCounter::setGate(bool level, Tick now)
{
    if (level == m_gate)
        return;
    settle(now);
    m_gate = level;
    if (triggerable()) {
        if (!level || (!m_loaded && !m_awaitingTrigger))
            return;
        const uint32_t count = m_awaitingTrigger.value_or(m_initialCount);
        m_awaitingTrigger.reset();
        load(count, now + 1);
        return;
    }
    if (!m_loaded)
        return;
    if (!level) {
        m_pausedAt = std::max<Tick>(elapsed(now), 0);
        m_paused = true;
    } else if (periodic()) {
        // The rising gate begins a new cycle, with the new count if one was waiting.
        load(m_takeover ? m_takeover->count : m_initialCount, now + 1);
    } else {
        m_loadTick = now - m_pausedAt;
        m_paused = false;
    }
}

bool ProgrammableCounter::output(Tick now)
{
    settle(now);
    // "Mode Definitions": what the control word alone makes of the output.
    if (!m_loaded || elapsed(now) < 0)
        return m_mode != 0;
    const Tick passed = elapsed(now);
    switch (m_mode) {
    case 0:
    case 1:
        return passed >= m_initialCount;
    case 2:
    case 3:
        return m_paused || rests() || passed % m_initialCount < highTicks(m_initialCount);
    default:
        return passed != m_initialCount;
    }
}

uint64_t ProgrammableCounter::risesUntil(Tick now)
{
    settle(now);
    if (!m_loaded || elapsed(now) < 0)
        return 0;
    const Tick passed = elapsed(now);
    if (periodic())
        return m_risesBefore + (rests() ? 0 : static_cast<uint64_t>(passed / m_initialCount));
    return passed >= Tick { m_initialCount } + (m_mode >= 4 ? 1 : 0);
}

std::optional<ProgrammableCounter::Tick> ProgrammableCounter::tickOfRise(uint64_t n) const
{
    if (!m_loaded || m_paused)
        return {};
    if (m_takeover)
        return m_takeover->at;
    if (periodic()) {
        if (rests())
            return {};
        return n <= m_risesBefore ? m_loadTick : m_loadTick + static_cast<Tick>(n - m_risesBefore) * m_initialCount;
    }
    if (n > 1)
        return {};
    return m_loadTick + m_initialCount + (m_mode >= 4 ? 1 : 0);
}

std::optional<ProgrammableCounter::Tick> ProgrammableCounter::period() const
{
    if (!periodic() || !m_loaded || m_paused || rests())
        return {};
    return m_initialCount;
}

std::optional<ProgrammableCounter::Tick> ProgrammableCounter::writtenPeriod() const
{
    if (!m_takeover || m_paused)
        return period();
    return m_takeover->count == 1 ? std::nullopt : std::optional<Tick>(m_takeover->count);
}

uint16_t ProgrammableCounter::count(Tick now)
{
    settle(now);
    if (!m_loaded)
        return encoded(m_initialCount);
    const Tick passed = std::max<Tick>(elapsed(now), 0);
    const Tick initial = m_initialCount;
    if (rests())
        return encoded(1);
    if (m_mode == 2)
        return encoded(static_cast<uint32_t>(initial - passed % initial));
    if (m_mode == 3) {
        // It goes down by two in each half-cycle; an odd count loses one when it is loaded.
        const Tick intoCycle = passed % initial;
        const Tick high = highTicks(m_initialCount);
        const Tick intoHalf = intoCycle < high ? intoCycle : intoCycle - high;
        return encoded(static_cast<uint32_t>((initial & ~Tick { 1 }) - 2 * intoHalf));
    }
    // After the terminal count it goes on from FFFF or 9999.
    const Tick left = (initial - passed) % modulus();
    return encoded(static_cast<uint32_t>(left < 0 ? left + modulus() : left));
}

uint16_t ProgrammableCounter::encoded(uint32_t value) const
{
    if (!m_bcd)
        return static_cast<uint16_t>(value);
    value %= 10000;
    return static_cast<uint16_t>(value / 1000 << 12 | (value / 100 % 10) << 8 | (value / 10 % 10) << 4 | (value % 10));
}

bool ProgrammableCounter::nullCount(Tick now) const
{
    return !m_loaded || m_awaitingTrigger || m_takeover || elapsed(now) < 0;
}

// "Status Byte": output, null count, and the control word as programmed.
uint8_t ProgrammableCounter::status(Tick now)
{
    const bool high = output(now);
    return static_cast<uint8_t>(
        high << 7 | nullCount(now) << 6 | static_cast<uint8_t>(m_access) << 4 | m_mode << 1 | (m_bcd ? 1 : 0));
}

void ProgrammableCounter::latchCount(Tick now)
{
    if (!m_latchedCount)
        m_latchedCount = count(now);
}

void ProgrammableCounter::latchStatus(Tick now)
{
    if (!m_latchedStatus)
        m_latchedStatus = status(now);
}

uint8_t ProgrammableCounter::read(Tick now)
{
    if (m_latchedStatus) {
        const uint8_t latched = *m_latchedStatus;
        m_latchedStatus.reset();
        return latched;
    }
    const uint16_t value = m_latchedCount ? *m_latchedCount : count(now);
    const bool high = m_access == Access::HighByte || (m_access == Access::LowThenHigh && m_readHighNext);
    if (m_access == Access::LowThenHigh)
        m_readHighNext = !m_readHighNext;
    if (!m_readHighNext)
        m_latchedCount.reset();
    return static_cast<uint8_t>(high ? value >> 8 : value);
}

// Pulses are saved as distances from now: the machine that restores may count from another moment.
void ProgrammableCounter::save(StateWriter& state, Tick now) const
{
    state.put(m_access, m_mode, m_bcd, m_gate, m_loaded, m_initialCount, now - m_loadTick, m_paused, m_pausedAt,
        m_risesBefore);
    state.put(m_awaitingTrigger.has_value(), m_awaitingTrigger.value_or(0));
    const Takeover takeover = m_takeover.value_or(Takeover { 0, now, false });
    state.put(m_takeover.has_value(), takeover.count, takeover.at - now, takeover.startsLow);
    state.put(m_writeHighNext, m_writtenLow, m_readHighNext);
    state.put(m_latchedCount.has_value(), m_latchedCount.value_or(0));
    state.put(m_latchedStatus.has_value(), m_latchedStatus.value_or(0));
}

Result<void> ProgrammableCounter::restore(StateReader& state, Tick now, std::string_view device)
{
    ProgrammableCounter counter;
    Tick sinceLoad = 0;
    bool awaitsTrigger = false, takesOver = false, countIsLatched = false, statusIsLatched = false;
    uint32_t triggerCount = 0;
    Takeover takeover {};
    uint16_t latchedCount = 0;
    uint8_t latchedStatus = 0;
    auto taken = state.takeInto(counter.m_access, counter.m_mode, counter.m_bcd, counter.m_gate, counter.m_loaded,
        counter.m_initialCount, sinceLoad, counter.m_paused, counter.m_pausedAt, counter.m_risesBefore, awaitsTrigger,
        triggerCount, takesOver, takeover.count, takeover.at, takeover.startsLow, counter.m_writeHighNext,
        counter.m_writtenLow, counter.m_readHighNext, countIsLatched, latchedCount, statusIsLatched, latchedStatus);
    if (!taken)
        return taken;

    // A thousand years of pulses: what is beyond would overflow in the arithmetic.
    constexpr Tick most = Tick { 1 } << 55;
    const bool timesFit = sinceLoad >= -0x10000 && sinceLoad <= most && counter.m_pausedAt >= 0
        && counter.m_pausedAt <= most && takeover.at >= -most && takeover.at <= 0x10000
        && counter.m_risesBefore <= uint64_t { most };
    if (!timesFit)
        return StateReader::impossible(device);
    counter.m_loadTick = now - sinceLoad;
    takeover.at += now;
    if (awaitsTrigger)
        counter.m_awaitingTrigger = triggerCount;
    if (takesOver)
        counter.m_takeover = takeover;
    if (countIsLatched)
        counter.m_latchedCount = latchedCount;
    if (statusIsLatched)
        counter.m_latchedStatus = latchedStatus;
    if (!counter.plausible())
        return StateReader::impossible(device);
    counter.m_loads = m_loads + 1;
    *this = counter;
    return {};
}

bool ProgrammableCounter::plausible() const
{
    const auto possible = [this](uint32_t count) { return count >= 1 && count <= modulus(); };
    const uint8_t access = static_cast<uint8_t>(m_access);
    if (access < 1 || access > 3 || m_mode > 5 || m_initialCount > 0x10000)
        return false;
    if (m_loaded && !possible(m_initialCount))
        return false;
    if (m_awaitingTrigger && (!triggerable() || !possible(*m_awaitingTrigger)))
        return false;
    if (m_takeover
        && (!periodic() || !m_loaded || m_initialCount == 1 || !possible(m_takeover->count)
            || m_takeover->at < m_loadTick))
        return false;
    return !m_paused || (m_loaded && !m_gate && !triggerable());
}

} // namespace namsan
