// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/timer/real_time_clock.h"

#include "vmm/base/scaled_division.h"

#include <algorithm>
#include <cassert>

namespace namsan {

using namespace std::chrono_literals;

namespace {
enum Register : uint8_t {
    seconds = 0x00,
    secondsAlarm = 0x01,
    minutes = 0x02,
    minutesAlarm = 0x03,
    hours = 0x04,
    hoursAlarm = 0x05,
    dayOfWeek = 0x06,
    dayOfMonth = 0x07,
    month = 0x08,
    year = 0x09,
    controlA = 0x0a,
    controlB = 0x0b,
    flagsC = 0x0c,
    validD = 0x0d,
    century = 0x32,
};

enum ControlA : uint8_t { updateInProgressBit = 1 << 7, dividerBits = 7 << 4, rateBits = 15 };
enum ControlB : uint8_t {
    twentyFourHours = 1 << 1,
    binary = 1 << 2,
    squareWave = 1 << 3,
    updateInterrupt = 1 << 4,
    alarmInterrupt = 1 << 5,
    periodicInterrupt = 1 << 6,
    setDate = 1 << 7,
};
// Register C: each flag stands where its enable bit stands in register B.
constexpr uint8_t interruptRequestFlag = 1 << 7;
constexpr uint8_t eventBits = updateInterrupt | alarmInterrupt | periodicInterrupt;
constexpr uint8_t validRamAndTime = 1 << 7;
constexpr uint8_t afternoon = 1 << 7;
constexpr uint8_t doesNotMatter = 0xc0; // "the two most significant bits": alarm bytes C0-FF match always

constexpr uint64_t oscillatorFrequency = 32'768; // Hz
constexpr uint64_t nanosecondsPerSecond = 1'000'000'000;
constexpr unsigned secondsPerDay = 86'400;
// "the update in progress (UIP) bit goes high 244 us before the update" (t_BUC); the update itself takes no time here.
constexpr GuestTime warningBeforeUpdate = 244us;
constexpr GuestTime firstUpdateAfterDividerReset = 500ms;

bool isDateRegister(uint8_t index)
{
    return index == century || (index <= year && index != secondsAlarm && index != minutesAlarm && index != hoursAlarm);
}

uint64_t oscillations(GuestTime time)
{
    return multiplyDivide(static_cast<uint64_t>(time.count()), oscillatorFrequency, nanosecondsPerSecond);
}

GuestTime timeOfOscillation(uint64_t count)
{
    const uint64_t scaled = multiplyDivide(count, nanosecondsPerSecond, oscillatorFrequency);
    return GuestTime(static_cast<int64_t>(scaled + (oscillations(GuestTime(static_cast<int64_t>(scaled))) < count)));
}

unsigned secondOfDay(std::chrono::sys_seconds date)
{
    return static_cast<unsigned>((date - std::chrono::floor<std::chrono::days>(date)).count());
}
} // namespace

RealTimeClock::RealTimeClock(PortBus& ports, Timers& timers, IrqLine irq8, std::chrono::sys_seconds start)
    : m_timers(timers)
    , m_irq8(irq8)
    , m_startDate(start)
    , m_chainStart(timers.now())
    , m_observed(timers.now())
    , m_eventTimer(timers, [this] { expire(); })
{
    m_bytes[controlA] = 0x26; // 32.768 kHz, periodic rate 1024 Hz, as the AT's firmware leaves it
    m_bytes[controlB] = twentyFourHours;
    ports.claim(indexPort, dataPort, *this);
}

void RealTimeClock::setByte(uint8_t index, uint8_t value)
{
    assert(index > validD && index < size && index != century);
    m_bytes[index] = value;
}

// "DV2, DV1, DV0": 110 and 111 hold the divider chain at zero. The other values are taken as 32.768 kHz, the only
// crystal that a PC has.
bool RealTimeClock::dividerRuns() const
{
    return (m_bytes[controlA] & 0x60) != 0x60;
}

bool RealTimeClock::counts() const
{
    return dividerRuns() && !(m_bytes[controlB] & setDate);
}

RealTimeClock::Seconds RealTimeClock::date() const
{
    return m_startDate + std::chrono::floor<std::chrono::seconds>(sinceChainStart());
}

uint64_t RealTimeClock::periodInOscillations() const
{
    // "Table 5": rates 1 and 2 repeat 8 and 9 with a 32.768 kHz time base.
    const unsigned rate = m_bytes[controlA] & rateBits;
    if (rate == 0 || !dividerRuns())
        return 0;
    return uint64_t { 1 } << (rate <= 2 ? rate + 6 : rate - 1);
}

uint32_t RealTimeClock::portIn(Port port, Width)
{
    if (port == indexPort)
        return allOnes(Width::Byte); // write-only
    return readByte(m_index);
}

void RealTimeClock::portOut(Port port, Width, uint32_t value)
{
    if (port == dataPort)
        return writeByte(m_index, static_cast<uint8_t>(value));
    m_index = value & 0x7f;
    m_nmiMasked = value & 0x80;
}

uint8_t RealTimeClock::readByte(uint8_t index)
{
    if (isDateRegister(index) && counts())
        showDate();
    switch (index) {
    case controlA:
        return static_cast<uint8_t>(m_bytes[controlA] | (updateInProgress() ? updateInProgressBit : 0));
    case flagsC:
        return readFlags();
    case validD:
        return validRamAndTime;
    default:
        return m_bytes[index];
    }
}

void RealTimeClock::writeByte(uint8_t index, uint8_t value)
{
    observe();
    switch (index) {
    case controlA:
        writeControlA(value);
        break;
    case controlB:
        writeControlB(value);
        break;
    case flagsC:
    case validD:
        return; // read-only
    default:
        if (isDateRegister(index) && counts()) {
            showDate();
            m_bytes[index] = value;
            takeDate();
        } else {
            m_bytes[index] = value;
        }
        break;
    }
    driveInterrupt();
}

void RealTimeClock::writeControlA(uint8_t value)
{
    const bool ran = dividerRuns();
    const bool counted = counts();
    if (counted)
        showDate();
    m_bytes[controlA] = value & static_cast<uint8_t>(~updateInProgressBit);
    if (!ran && dividerRuns()) {
        m_chainStart = m_timers.now() - firstUpdateAfterDividerReset;
        m_observed = m_timers.now();
    }
    if (!counted && counts())
        takeDate();
}

void RealTimeClock::writeControlB(uint8_t value)
{
    const bool counted = counts();
    if (counted)
        showDate();
    if (value & setDate)
        value &= static_cast<uint8_t>(~updateInterrupt); // "UIE": cleared when SET goes high
    m_bytes[controlB] = value;
    if (!counted && counts())
        takeDate();
}

uint8_t RealTimeClock::readFlags()
{
    observe();
    const uint8_t asserted = m_flags & m_bytes[controlB] ? interruptRequestFlag : uint8_t { 0 };
    const auto value = static_cast<uint8_t>(m_flags | asserted);
    m_flags = 0;
    driveInterrupt();
    return value;
}

bool RealTimeClock::updateInProgress() const
{
    return counts() && 1s - sinceChainStart() % 1s <= warningBeforeUpdate;
}

uint8_t RealTimeClock::encode(unsigned value) const
{
    return static_cast<uint8_t>(m_bytes[controlB] & binary ? value : value / 10 << 4 | value % 10);
}

unsigned RealTimeClock::decode(uint8_t value) const
{
    return m_bytes[controlB] & binary ? value : (value >> 4) * 10u + (value & 15u);
}

uint8_t RealTimeClock::encodeHour(unsigned hour) const
{
    if (m_bytes[controlB] & twentyFourHours)
        return encode(hour);
    const unsigned onTheDial = hour % 12 == 0 ? 12 : hour % 12;
    return static_cast<uint8_t>(encode(onTheDial) | (hour >= 12 ? afternoon : 0));
}

unsigned RealTimeClock::decodeHour(uint8_t value) const
{
    if (m_bytes[controlB] & twentyFourHours)
        return decode(value);
    return decode(value & 0x7f) % 12 + (value & afternoon ? 12 : 0);
}

void RealTimeClock::showDate()
{
    const Seconds now = date();
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day civil { day };
    const std::chrono::hh_mm_ss time { now - day };
    const auto fullYear = static_cast<unsigned>(std::max(0, static_cast<int>(civil.year())));
    m_bytes[seconds] = encode(static_cast<unsigned>(time.seconds().count()));
    m_bytes[minutes] = encode(static_cast<unsigned>(time.minutes().count()));
    m_bytes[hours] = encodeHour(static_cast<unsigned>(time.hours().count()));
    m_bytes[dayOfWeek] = encode(std::chrono::weekday { day }.c_encoding() + 1); // "Sunday = 1"
    m_bytes[dayOfMonth] = encode(static_cast<unsigned>(civil.day()));
    m_bytes[month] = encode(static_cast<unsigned>(civil.month()));
    m_bytes[year] = encode(fullYear % 100);
    m_bytes[century] = encode(fullYear / 100 % 100);
}

// The date goes on from what the registers say, with the divider chain where it is. The day of the week follows from
// the date.
void RealTimeClock::takeDate()
{
    using namespace std::chrono;
    const unsigned fullYear = std::min(decode(m_bytes[century]), 99u) * 100 + std::min(decode(m_bytes[year]), 99u);
    const unsigned monthNumber = std::clamp(decode(m_bytes[month]), 1u, 12u);
    const year_month_day_last lastDay { std::chrono::year(static_cast<int>(fullYear)),
        month_day_last { std::chrono::month(monthNumber) } };
    const unsigned dayNumber = std::clamp(decode(m_bytes[dayOfMonth]), 1u, static_cast<unsigned>(lastDay.day()));
    const sys_days day { year_month_day { lastDay.year(), lastDay.month(), std::chrono::day(dayNumber) } };
    const Seconds shown = day + std::chrono::hours(std::min(decodeHour(m_bytes[Register::hours]), 23u))
        + std::chrono::minutes(std::min(decode(m_bytes[Register::minutes]), 59u))
        + std::chrono::seconds(std::min(decode(m_bytes[Register::seconds]), 59u));
    m_startDate = shown - floor<std::chrono::seconds>(sinceChainStart());
}

// Sets the flags of what happened since the last look.
void RealTimeClock::observe()
{
    const GuestTime before = m_observed - m_chainStart;
    const GuestTime now = sinceChainStart();
    m_observed = m_timers.now();
    if (!dividerRuns())
        return;
    if (const uint64_t period = periodInOscillations();
        period && oscillations(before) / period != oscillations(now) / period)
        m_flags |= periodicInterrupt;
    const Seconds dateBefore = m_startDate + std::chrono::floor<std::chrono::seconds>(before);
    if (!counts() || date() == dateBefore)
        return;
    m_flags |= updateInterrupt;
    if (const auto alarm = nextAlarm(dateBefore); alarm && *alarm <= date())
        m_flags |= alarmInterrupt;
}

// Empty when no second of a day matches. Hours and minutes that cannot match are skipped as a whole.
std::optional<RealTimeClock::Seconds> RealTimeClock::nextAlarm(Seconds after) const
{
    const auto matches = [](uint8_t alarm, uint8_t now) { return alarm >= doesNotMatter || alarm == now; };
    const unsigned first = secondOfDay(after) + 1;
    for (unsigned candidate = first; candidate < first + secondsPerDay;) {
        const unsigned second = candidate % secondsPerDay;
        if (!matches(m_bytes[hoursAlarm], encodeHour(second / 3600)))
            candidate += 3600 - second % 3600;
        else if (!matches(m_bytes[minutesAlarm], encode(second / 60 % 60)))
            candidate += 60 - second % 60;
        else if (!matches(m_bytes[secondsAlarm], encode(second % 60)))
            ++candidate;
        else
            return after + std::chrono::seconds(1 + candidate - first);
    }
    return {};
}

// The interrupt is wanted while a flag stands whose enable bit is set; only until then need events be waited for.
void RealTimeClock::driveInterrupt()
{
    const bool wanted = m_flags & m_bytes[controlB] & eventBits;
    m_irq8.set(wanted);
    const auto next = wanted ? std::nullopt : nextEvent();
    if (next)
        m_eventTimer.armAt(*next);
    else
        m_eventTimer.cancel();
}

std::optional<GuestTime> RealTimeClock::nextEvent() const
{
    const uint8_t enabled = m_bytes[controlB];
    const GuestTime now = sinceChainStart();
    std::optional<GuestTime> next;
    const auto consider = [&](GuestTime event) { next = next ? std::min(*next, event) : event; };
    if (const uint64_t period = periodInOscillations(); period && (enabled & periodicInterrupt))
        consider(timeOfOscillation((oscillations(now) / period + 1) * period));
    if (counts()) {
        const GuestTime second = std::chrono::floor<std::chrono::seconds>(now);
        if (enabled & updateInterrupt)
            consider(second + 1s);
        if (enabled & alarmInterrupt) {
            if (const auto alarm = nextAlarm(date()))
                consider(second + (*alarm - date()));
        }
    }
    if (next)
        *next += m_chainStart;
    return next;
}

void RealTimeClock::expire()
{
    const uint64_t period = periodInOscillations();
    if (period && (m_bytes[controlB] & periodicInterrupt)) {
        const uint64_t passed
            = oscillations(sinceChainStart()) / period - oscillations(m_observed - m_chainStart) / period;
        m_lostTicks += passed > 1 ? passed - 1 : 0;
    }
    observe();
    driveInterrupt();
}

// "RESET": the interrupts and the square wave are switched off, the flags cleared; time and memory are unaffected.
void RealTimeClock::reset()
{
    m_bytes[controlB] &= static_cast<uint8_t>(~(eventBits | squareWave));
    m_flags = 0;
    m_observed = m_timers.now();
    m_index = 0;
    m_nmiMasked = false;
    driveInterrupt();
}

void RealTimeClock::save(StateWriter& state) const
{
    state.put(m_bytes, m_index, m_nmiMasked, m_flags, m_startDate.time_since_epoch().count(), sinceChainStart().count(),
        (m_timers.now() - m_observed).count(), m_lostTicks);
}

Result<void> RealTimeClock::restore(StateReader& state)
{
    std::array<uint8_t, size> bytes {};
    uint8_t index = 0, flags = 0;
    bool nmiMasked = false;
    int64_t startDate = 0, sinceChainStart = 0, sinceObserved = 0;
    uint64_t lostTicks = 0;
    auto taken = state.takeInto(bytes, index, nmiMasked, flags, startDate, sinceChainStart, sinceObserved, lostTicks);
    if (!taken)
        return taken;

    constexpr int64_t longestRun = int64_t { 1 } << 62; // ns
    constexpr int64_t earliest = -62'167'219'200 - longestRun / 1'000'000'000; // the run ends in the year 0 or later
    constexpr int64_t latest = 253'402'300'799; // the end of 9999
    const bool possible = index < size && !(flags & ~eventBits) && !(bytes[controlA] & updateInProgressBit)
        && startDate >= earliest && startDate <= latest && sinceChainStart >= 0 && sinceChainStart <= longestRun
        && sinceObserved >= 0 && sinceObserved <= sinceChainStart;
    if (!possible)
        return StateReader::impossible(name());

    m_bytes = bytes;
    m_index = index;
    m_nmiMasked = nmiMasked;
    m_flags = flags;
    m_startDate = Seconds(std::chrono::seconds(startDate));
    m_chainStart = m_timers.now() - GuestTime(sinceChainStart);
    m_observed = m_timers.now() - GuestTime(sinceObserved);
    m_lostTicks = lostTicks;
    driveInterrupt();
    return {};
}

} // namespace namsan
