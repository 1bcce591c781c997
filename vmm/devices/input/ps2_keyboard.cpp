// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/input/ps2_keyboard.h"

#include "vmm/base/bits.h"
#include "vmm/devices/input/hid_scan_codes.h"
#include "vmm/devices/input/scan_code_set_1.h"

namespace namsan {

namespace {
enum Command : uint8_t {
    SetLights = 0xed,
    Echo = 0xee,
    SelectScanCodeSet = 0xf0,
    ReadId = 0xf2,
    SetTypematic = 0xf3,
    Enable = 0xf4,
    DefaultDisable = 0xf5,
    SetDefault = 0xf6,
    SetAllTypematic = 0xf7, // to SetAllTypematicMakeBreak: what each key of set 3 does
    SetAllTypematicMakeBreak = 0xfa,
    SetKeyTypematic = 0xfb, // to SetKeyMake: the same for keys whose codes follow
    SetKeyMake = 0xfd,
    Resend = 0xfe,
    Reset = 0xff,
};
constexpr uint8_t firstCommand = SetLights;

constexpr uint8_t acknowledge = 0xfa;
constexpr uint8_t testPassed = 0xaa;
constexpr uint8_t keyboardId1 = 0xab;
constexpr uint8_t keyboardId2 = 0x83;
constexpr uint8_t overrunSet1 = 0xff;
constexpr uint8_t overrunSet2 = 0x00;
constexpr uint8_t extendedPrefix = 0xe0;

constexpr uint8_t defaultTypematic = 0x2b; // 10.9 characters per second after 500 ms
} // namespace

Ps2Keyboard::State Ps2Keyboard::powerOn()
{
    State state {};
    state.scanning = true;
    state.scanCodeSet = 2;
    state.typematic = defaultTypematic;
    return state;
}

Ps2Keyboard::Ps2Keyboard(Timers& timers)
    : m_timers(timers)
    , m_typematic(timers, [this] { repeat(); })
    , m_state(powerOn())
{
}

bool Ps2Keyboard::pressed(HidUsage usage) const
{
    return bit(m_state.pressed[usage / 8], usage % 8);
}

void Ps2Keyboard::setPressed(HidUsage usage, bool down)
{
    uint8_t& byte = m_state.pressed[usage / 8];
    byte = withBit(byte, usage % 8, down);
}

void Ps2Keyboard::keyEvent(KeyEvent event)
{
    if (pressed(event.usage) == event.pressed)
        return;
    setPressed(event.usage, event.pressed);
    if (!m_state.scanning)
        return;

    if (event.pressed) {
        const auto code = scanCodeOf(event.usage);
        const bool repeats = event.usage == printScreenUsage || (code && !code->makeOnly);
        m_state.repeating = repeats ? event.usage : 0;
        if (repeats)
            m_typematic.armIn(typematicDelay());
        else
            m_typematic.cancel();
    } else if (m_state.repeating == event.usage) {
        m_state.repeating = 0;
        m_typematic.cancel();
    }
    sendKey(event.usage, event.pressed);
}

// "Typematic": the key that was pressed last repeats. While the system does not take what is there, only the first code
// is kept, which keeps a held key from filling the buffer.
void Ps2Keyboard::repeat()
{
    m_typematic.armIn(typematicPeriod());
    if (m_state.scanCodes.empty())
        sendKey(m_state.repeating, true);
}

void Ps2Keyboard::sendKey(HidUsage usage, bool down)
{
    if (usage == printScreenUsage)
        return sendPrintScreen(down);
    if (usage == pauseUsage) {
        // All of it at once when pressed; with Control it is Break.
        static constexpr std::array<uint8_t, 8> pauseCodes { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };
        static constexpr std::array<uint8_t, 5> breakCodes { 0xe0, 0x7e, 0xe0, 0xf0, 0x7e };
        if (down && (pressed(leftControlUsage) || pressed(rightControlUsage)))
            sendScanCodes(breakCodes);
        else if (down)
            sendScanCodes(pauseCodes);
        return;
    }

    const auto code = scanCodeOf(usage);
    if (!code || (code->makeOnly && !down))
        return;
    std::array<uint8_t, 3> bytes {};
    size_t count = 0;
    if (code->extended)
        bytes[count++] = extendedPrefix;
    if (!down)
        bytes[count++] = breakPrefix;
    bytes[count++] = code->code;
    sendScanCodes(std::span(bytes).first(count));
}

// With Alt it is SysRq; with Control or Shift it comes without the Shift that it else pretends ("Scan code tables").
void Ps2Keyboard::sendPrintScreen(bool down)
{
    static constexpr std::array<uint8_t, 4> pressedAlone { 0xe0, 0x12, 0xe0, 0x7c };
    static constexpr std::array<uint8_t, 6> releasedAlone { 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12 };
    static constexpr std::array<uint8_t, 1> pressedSysRq { 0x84 };
    static constexpr std::array<uint8_t, 2> releasedSysRq { 0xf0, 0x84 };

    if (down)
        m_state.printScreenAsSysRq = pressed(leftAltUsage) || pressed(rightAltUsage);
    const bool shifted = pressed(leftControlUsage) || pressed(rightControlUsage) || pressed(leftShiftUsage)
        || pressed(rightShiftUsage);
    if (m_state.printScreenAsSysRq)
        sendScanCodes(down ? std::span<const uint8_t>(pressedSysRq) : releasedSysRq);
    else if (shifted)
        sendScanCodes(down ? std::span(pressedAlone).last(2) : std::span(releasedAlone).first(3));
    else
        sendScanCodes(down ? std::span<const uint8_t>(pressedAlone) : releasedAlone);
}

// A sequence goes into the buffer in whole, or else an overrun code stands for it and for all that follows until there
// is room ("Keyboard buffer").
void Ps2Keyboard::sendScanCodes(std::span<const uint8_t> set2)
{
    if (m_state.overrun)
        return;
    const bool wasSilent = !hasByte();
    const bool set1 = m_state.scanCodeSet == 1;
    if (set2.size() > room()) {
        m_state.overrun = true;
        m_state.scanCodes.put(set1 ? overrunSet1 : overrunSet2);
    } else {
        uint8_t released = 0;
        for (const uint8_t byte : set2) {
            if (set1 && byte == breakPrefix) {
                released = releasedBit;
                continue;
            }
            m_state.scanCodes.put(set1 ? scanCodeSet1Of(byte) | released : byte);
            released = 0;
        }
    }
    if (wasSilent)
        ready().send({});
}

uint8_t Ps2Keyboard::takeByte()
{
    if (!m_state.answers.empty()) {
        m_state.lastByte = m_state.answers.take();
        return m_state.lastByte;
    }
    const uint8_t byte = m_state.scanCodes.take();
    m_state.lastByte = byte;
    if (m_state.scanCodes.empty()) {
        m_state.overrun = false;
        m_drained.send({});
    }
    return byte;
}

void Ps2Keyboard::command(uint8_t byte)
{
    // A new byte interrupts what the keyboard was about to answer.
    const bool hadScanCodes = !m_state.scanCodes.empty();
    const bool wasScanning = m_state.scanning;
    m_state.answers.clear();
    const uint8_t awaiting = m_state.awaitedParameter;
    m_state.awaitedParameter = 0;
    if (awaiting == 0 || byte >= firstCommand || !takeParameter(awaiting, byte))
        takeCommand(byte);
    if (hasByte())
        ready().send({});
    if (m_state.scanning && m_state.scanCodes.empty() && (hadScanCodes || !wasScanning))
        m_drained.send({});
}

bool Ps2Keyboard::takeParameter(uint8_t command, uint8_t parameter)
{
    switch (command) {
    case SetLights:
        m_state.lights = parameter & 7;
        answer({ acknowledge });
        return true;
    case SetTypematic:
        m_state.typematic = parameter & 0x7f;
        answer({ acknowledge });
        return true;
    case SelectScanCodeSet:
        if (parameter == 0) {
            answer({ acknowledge, m_state.scanCodeSet });
        } else if (parameter <= 2) {
            m_state.scanCodeSet = parameter;
            clearScanCodes();
            answer({ acknowledge });
        } else {
            answer({ Resend });
        }
        return true;
    default: // key codes of FB to FD, any number of them
        m_state.awaitedParameter = command;
        answer({ acknowledge });
        return true;
    }
}

void Ps2Keyboard::takeCommand(uint8_t command)
{
    switch (command) {
    case SetLights:
    case SelectScanCodeSet:
    case SetTypematic:
        m_state.awaitedParameter = command;
        return answer({ acknowledge });
    case Echo:
        return answer({ Echo });
    case ReadId:
        return answer({ acknowledge, keyboardId1, keyboardId2 });
    case Enable:
        clearScanCodes();
        m_state.scanning = true;
        return answer({ acknowledge });
    case DefaultDisable:
        setDefaults();
        m_state.scanning = false;
        return answer({ acknowledge });
    case SetDefault:
        setDefaults();
        return answer({ acknowledge });
    case Resend:
        return answer({ m_state.lastByte });
    case Reset:
        setDefaults();
        m_state.scanning = true;
        m_state.lights = 0;
        return answer({ acknowledge, testPassed });
    default:
        if (command >= SetAllTypematic && command <= SetAllTypematicMakeBreak)
            return answer({ acknowledge });
        if (command >= SetKeyTypematic && command <= SetKeyMake) {
            m_state.awaitedParameter = command;
            return answer({ acknowledge });
        }
        return answer({ Resend });
    }
}

void Ps2Keyboard::answer(std::initializer_list<uint8_t> bytes)
{
    for (const uint8_t byte : bytes)
        m_state.answers.put(byte);
}

void Ps2Keyboard::setDefaults()
{
    clearScanCodes();
    m_state.scanCodeSet = 2;
    m_state.typematic = defaultTypematic;
}

void Ps2Keyboard::clearScanCodes()
{
    m_state.scanCodes.clear();
    m_state.overrun = false;
    m_state.repeating = 0;
    m_typematic.cancel();
}

// "Set Typematic Rate/Delay (Hex F3)": bits 5 and 6 are the delay, 0 to 4 the period.
GuestTime Ps2Keyboard::typematicDelay() const
{
    return std::chrono::milliseconds(250) * (1 + (m_state.typematic >> 5 & 3));
}

GuestTime Ps2Keyboard::typematicPeriod() const
{
    const int mantissa = 8 + (m_state.typematic & 7);
    return std::chrono::microseconds(4170) * (mantissa << (m_state.typematic >> 3 & 3));
}

void Ps2Keyboard::reset()
{
    m_typematic.cancel();
    m_state = powerOn();
}

void Ps2Keyboard::save(StateWriter& state) const
{
    const GuestTime left = m_typematic.armed() ? m_typematic.deadline() - m_timers.now() : GuestTime(0);
    state.put(m_state, std::max(left, GuestTime(0)).count());
}

Result<void> Ps2Keyboard::restore(StateReader& reader)
{
    State state;
    int64_t repeatIn = 0;
    if (auto taken = reader.takeInto(state, repeatIn); !taken)
        return taken.error();

    const uint8_t awaited = state.awaitedParameter;
    const bool awaitedPossible = awaited == 0 || awaited == SetLights || awaited == SetTypematic
        || awaited == SelectScanCodeSet || (awaited >= SetKeyTypematic && awaited <= SetKeyMake);
    const bool possible = state.answers.possible() && state.scanCodes.possible() && awaitedPossible
        && state.scanning <= 1 && (state.scanCodeSet == 1 || state.scanCodeSet == 2) && state.typematic <= 0x7f
        && state.lights <= 7 && state.overrun <= 1 && state.printScreenAsSysRq <= 1
        && (state.overrun || state.scanCodes.size() <= bufferSize) && (!state.overrun || !state.scanCodes.empty());
    if (!possible || repeatIn < 0 || GuestTime(repeatIn) > std::chrono::seconds(2))
        return StateReader::impossible(name());

    m_state = state;
    if (m_state.repeating)
        m_typematic.armIn(GuestTime(repeatIn));
    else
        m_typematic.cancel();
    return {};
}

} // namespace namsan
