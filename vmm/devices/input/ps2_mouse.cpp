// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/ps2_mouse.h"

#include <algorithm>
#include <span>

namespace namsan {

namespace {
enum Command : uint8_t {
    SetScaling = 0xe6,
    SetDoubledScaling = 0xe7,
    SetResolution = 0xe8,
    StatusRequest = 0xe9,
    SetStreamMode = 0xea,
    ReadData = 0xeb,
    ResetWrapMode = 0xec,
    SetWrapMode = 0xee,
    SetRemoteMode = 0xf0,
    ReadDeviceType = 0xf2,
    SetSampleRate = 0xf3,
    EnableReporting = 0xf4,
    DisableReporting = 0xf5,
    SetDefaultValues = 0xf6,
    Resend = 0xfe,
    Reset = 0xff,
};

constexpr uint8_t acknowledge = 0xfa;
constexpr uint8_t testPassed = 0xaa;
constexpr uint8_t mouseType = 0x00;
constexpr uint8_t wheelMouseType = 0x03;

constexpr uint8_t leftButton = 1 << 0; // packets' first byte
constexpr uint8_t rightButton = 1 << 1;
constexpr uint8_t middleButton = 1 << 2;
constexpr uint8_t buttonBits = 7;
constexpr uint8_t alwaysOne = 1 << 3;
constexpr uint8_t negativeX = 1 << 4;
constexpr uint8_t negativeY = 1 << 5;

constexpr int largestMovement = 255; // of one packet
constexpr int largestWheelUp = -8;
constexpr int largestWheelDown = 7;

constexpr uint8_t defaultSampleRate = 100;
constexpr uint8_t defaultResolution = 2;
constexpr std::array<uint8_t, 7> sampleRates { 10, 20, 40, 60, 80, 100, 200 };
constexpr std::array<uint8_t, 3> wheelKnock { 200, 100, 80 };

bool isSampleRate(uint8_t rate)
{
    return std::ranges::find(sampleRates, rate) != sampleRates.end();
}

// "Set Scaling 2:1": small movements as they are or less, from 6 counts on twice as much.
int scaledMovement(int counts)
{
    static constexpr std::array<int, 6> small { 0, 1, 1, 3, 6, 9 };
    const int size = std::abs(counts);
    const int scaled = size < static_cast<int>(small.size()) ? small[static_cast<size_t>(size)] : 2 * size;
    return std::clamp(counts < 0 ? -scaled : scaled, -largestMovement, largestMovement);
}

uint8_t bitOf(PointerButton button)
{
    switch (button) {
    case PointerButton::Left:
        return leftButton;
    case PointerButton::Right:
        return rightButton;
    default:
        return middleButton;
    }
}

// Takes as much of a backlog as fits into a packet.
int takeUpTo(int32_t& backlog, int least, int most)
{
    const int taken = std::clamp(backlog, least, most);
    backlog -= taken;
    return taken;
}

void addTo(int32_t& backlog, int64_t counts)
{
    constexpr int64_t most = Ps2Mouse::largestBacklog;
    backlog = static_cast<int32_t>(std::clamp(backlog + counts, -most, most));
}
} // namespace

Ps2Mouse::State Ps2Mouse::powerOn()
{
    State state {};
    state.sampleRate = defaultSampleRate;
    state.resolution = defaultResolution;
    return state;
}

Ps2Mouse::Ps2Mouse(Timers& timers)
    : m_timers(timers)
    , m_sampling(timers, [this] { sendPacketIfDue(); })
    , m_state(powerOn())
{
}

// Movements are counted only while somebody may ask for them.
bool Ps2Mouse::listening() const
{
    return m_state.mode == Remote || m_state.reporting;
}

// The last sample, unless buttons changed after its movement.
Ps2Mouse::Sample& Ps2Mouse::sampleForMovement()
{
    const uint8_t count = m_state.sampleCount;
    if (count > 0) {
        Sample& last = m_state.samples[count - 1u];
        const uint32_t before = count > 1 ? m_state.samples[count - 2u].buttons : m_state.sentButtons;
        if (last.buttons == before || count == largestSampleCount)
            return last;
    }
    return m_state.samples[m_state.sampleCount++] = { 0, 0, 0, m_state.buttons };
}

void Ps2Mouse::move(PointerMove movement)
{
    if (!listening() || (movement.dx == 0 && movement.dy == 0))
        return;
    Sample& sample = sampleForMovement();
    addTo(sample.right, movement.dx);
    addTo(sample.up, -int64_t { movement.dy });
    schedule();
}

void Ps2Mouse::wheel(PointerWheel movement)
{
    if (!listening() || !m_state.hasWheel || movement.steps == 0)
        return;
    addTo(sampleForMovement().wheel, -int64_t { movement.steps });
    schedule();
}

void Ps2Mouse::button(PointerButtonEvent event)
{
    const uint8_t mask = bitOf(event.button);
    const auto buttons = static_cast<uint8_t>(event.pressed ? m_state.buttons | mask : m_state.buttons & ~mask);
    if (buttons == m_state.buttons)
        return;
    m_state.buttons = buttons;
    if (!listening())
        return;
    sampleForMovement().buttons = buttons;
    schedule();
}

uint8_t Ps2Mouse::takeByte()
{
    const uint8_t byte = m_state.output.take();
    if (m_state.output.empty())
        schedule();
    return byte;
}

void Ps2Mouse::command(uint8_t byte)
{
    // A new byte interrupts what the mouse was about to send.
    m_state.output.clear();
    const uint8_t awaiting = m_state.awaitedParameter;
    m_state.awaitedParameter = 0;
    if (m_state.wrap && byte != ResetWrapMode && byte != Reset)
        answer({ byte });
    else if (awaiting == 0 || !takeParameter(awaiting, byte))
        takeCommand(byte);
    if (hasByte())
        ready().send({});
}

bool Ps2Mouse::takeParameter(uint8_t command, uint8_t parameter)
{
    if (command == SetResolution && parameter <= 3) {
        m_state.resolution = parameter;
        answer({ acknowledge });
        return true;
    }
    if (command == SetSampleRate && isSampleRate(parameter)) {
        m_state.sampleRate = parameter;
        std::rotate(m_state.lastRates.begin(), m_state.lastRates.begin() + 1, m_state.lastRates.end());
        m_state.lastRates.back() = parameter;
        if (m_state.lastRates == wheelKnock)
            m_state.hasWheel = true;
        answer({ acknowledge });
        return true;
    }
    return false;
}

void Ps2Mouse::takeCommand(uint8_t command)
{
    switch (command) {
    case Reset:
        setDefaults();
        m_state.hasWheel = false;
        m_state.lastRates = {};
        return answer({ acknowledge, testPassed, mouseType });
    case Resend:
        m_state.output = m_state.lastOutput;
        return;
    case SetDefaultValues:
        setDefaults();
        return answer({ acknowledge });
    case EnableReporting:
    case DisableReporting:
        m_state.sampleCount = 0;
        m_state.sentButtons = m_state.buttons;
        m_state.reporting = command == EnableReporting;
        return answer({ acknowledge });
    case SetSampleRate:
    case SetResolution:
        m_state.awaitedParameter = command;
        return answer({ acknowledge });
    case ReadDeviceType:
        return answer({ acknowledge, m_state.hasWheel ? wheelMouseType : mouseType });
    case SetRemoteMode:
    case SetStreamMode:
        m_state.sampleCount = 0;
        m_state.mode = command == SetRemoteMode ? Remote : Stream;
        return answer({ acknowledge });
    case SetWrapMode:
    case ResetWrapMode:
        m_state.sampleCount = 0;
        m_state.wrap = command == SetWrapMode;
        return answer({ acknowledge });
    case ReadData:
        answer({ acknowledge });
        putPacket(false); // scaling is for stream mode only
        m_state.lastOutput = m_state.output;
        return;
    case StatusRequest:
        return answerStatus();
    case SetDoubledScaling:
    case SetScaling:
        m_state.doubledScaling = command == SetDoubledScaling;
        return answer({ acknowledge });
    default:
        return answer({ Resend });
    }
}

void Ps2Mouse::answerStatus()
{
    const uint8_t buttons = m_state.buttons;
    const auto status = static_cast<uint8_t>((m_state.mode == Remote ? 1 << 6 : 0) | (m_state.reporting ? 1 << 5 : 0)
        | (m_state.doubledScaling ? 1 << 4 : 0) | (buttons & leftButton ? 1 << 2 : 0)
        | (buttons & middleButton ? 1 << 1 : 0) | (buttons & rightButton ? 1 << 0 : 0));
    answer({ acknowledge, status, m_state.resolution, m_state.sampleRate });
}

void Ps2Mouse::answer(std::initializer_list<uint8_t> bytes)
{
    for (const uint8_t byte : bytes)
        m_state.output.put(byte);
    m_state.lastOutput = m_state.output;
}

void Ps2Mouse::setDefaults()
{
    m_state.sampleCount = 0;
    m_state.sentButtons = m_state.buttons;
    m_state.mode = Stream;
    m_state.wrap = false;
    m_state.reporting = false;
    m_state.resolution = defaultResolution;
    m_state.sampleRate = defaultSampleRate;
    m_state.doubledScaling = false;
    m_sampling.cancel();
}

// A movement too large for one packet takes several, and the buttons that go with its end come with the last.
void Ps2Mouse::putPacket(bool scaled)
{
    Sample sample { 0, 0, 0, m_state.buttons };
    if (m_state.sampleCount > 0)
        sample = m_state.samples[0];
    int x = takeUpTo(sample.right, -largestMovement, largestMovement);
    int y = takeUpTo(sample.up, -largestMovement, largestMovement);
    const int wheel = takeUpTo(sample.wheel, largestWheelUp, largestWheelDown);
    if (sample.right != 0 || sample.up != 0 || sample.wheel != 0) {
        m_state.samples[0] = sample;
    } else {
        m_state.sentButtons = static_cast<uint8_t>(sample.buttons);
        if (m_state.sampleCount > 0) {
            std::move(
                m_state.samples.begin() + 1, m_state.samples.begin() + m_state.sampleCount, m_state.samples.begin());
            --m_state.sampleCount;
        }
    }
    if (scaled) {
        x = scaledMovement(x);
        y = scaledMovement(y);
    }

    m_state.output.put(
        static_cast<uint8_t>(alwaysOne | m_state.sentButtons | (x < 0 ? negativeX : 0) | (y < 0 ? negativeY : 0)));
    m_state.output.put(static_cast<uint8_t>(x));
    m_state.output.put(static_cast<uint8_t>(y));
    if (m_state.hasWheel)
        m_state.output.put(static_cast<uint8_t>(wheel));
}

// Stream mode: a packet per sample time while there is something to tell and no command is under way.
bool Ps2Mouse::packetWaits() const
{
    return m_state.mode == Stream && m_state.reporting && !m_state.wrap && m_state.sampleCount > 0
        && m_state.output.empty() && m_state.awaitedParameter == 0;
}

void Ps2Mouse::schedule()
{
    if (packetWaits())
        m_sampling.armAt(std::max(m_nextSample, m_timers.now()));
    else
        m_sampling.cancel();
}

void Ps2Mouse::sendPacketIfDue()
{
    if (!packetWaits())
        return;
    m_nextSample = m_timers.now() + samplePeriod();
    putPacket(m_state.doubledScaling);
    m_state.lastOutput = m_state.output;
    ready().send({});
}

GuestTime Ps2Mouse::samplePeriod() const
{
    return GuestTime(std::chrono::seconds(1)) / m_state.sampleRate;
}

void Ps2Mouse::reset()
{
    m_sampling.cancel();
    m_nextSample = {};
    m_state = powerOn();
}

void Ps2Mouse::save(StateWriter& state) const
{
    state.put(m_state.samples, m_state.sampleCount, m_state.buttons, m_state.sentButtons, m_state.mode, m_state.wrap,
        m_state.reporting, m_state.hasWheel, m_state.resolution, m_state.sampleRate, m_state.doubledScaling,
        m_state.awaitedParameter, m_state.lastRates, m_state.output, m_state.lastOutput);
}

Result<void> Ps2Mouse::restore(StateReader& reader)
{
    State state {};
    auto taken = reader.takeInto(state.samples, state.sampleCount, state.buttons, state.sentButtons, state.mode,
        state.wrap, state.reporting, state.hasWheel, state.resolution, state.sampleRate, state.doubledScaling,
        state.awaitedParameter, state.lastRates, state.output, state.lastOutput);
    if (!taken)
        return taken.error();

    const auto inBounds = [](int32_t counts) { return counts >= -largestBacklog && counts <= largestBacklog; };
    const auto possibleSample = [&](const Sample& sample) {
        return inBounds(sample.right) && inBounds(sample.up) && inBounds(sample.wheel) && sample.buttons <= buttonBits;
    };
    const uint8_t awaited = state.awaitedParameter;
    const bool possible = state.sampleCount <= largestSampleCount && std::ranges::all_of(state.samples, possibleSample)
        && state.buttons <= buttonBits && state.sentButtons <= buttonBits && state.mode <= Remote && state.wrap <= 1
        && state.reporting <= 1 && state.hasWheel <= 1 && state.resolution <= 3 && isSampleRate(state.sampleRate)
        && state.doubledScaling <= 1 && (awaited == 0 || awaited == SetSampleRate || awaited == SetResolution)
        && state.output.possible() && state.lastOutput.possible();
    if (!possible)
        return StateReader::impossible(name());

    m_state = state;
    m_nextSample = {};
    schedule();
    return {};
}

} // namespace namsan
