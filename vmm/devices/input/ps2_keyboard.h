// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/devices/input/input_event.h"
#include "vmm/devices/input/ps2_byte_queue.h"
#include "vmm/devices/input/ps2_device.h"
#include "vmm/time/timers.h"

#include <span>

namespace namsan {

// The guest has taken all scan codes, or has switched the keyboard on: there is room for more keys.
struct KeyboardDrained { };

// A 105-key PS/2 keyboard with scan code sets 1 and 2 (2 after reset).
// IBM Personal System/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-Key)".
class Ps2Keyboard final : public Device, public Ps2Device {
public:
    static constexpr uint8_t bufferSize
        = 16; // bytes of scan codes; what does not fit is lost and one overrun code sent

    explicit Ps2Keyboard(Timers&);

    // A key goes down or up. A key that is already there does nothing: the keyboard repeats by itself.
    void keyEvent(KeyEvent);

    // For those who type faster than a person: keys are lost where fewer than bytesOfLongestKey are free, and all of
    // them while the guest has switched the keyboard off.
    static constexpr uint8_t bytesOfLongestKey = 8; // Pause
    bool takesKey() const { return m_state.scanning && room() >= bytesOfLongestKey; }
    uint8_t room() const { return static_cast<uint8_t>(bufferSize - std::min(bufferSize, m_state.scanCodes.size())); }
    Channel<KeyboardDrained>& drained() { return m_drained; }

    // Bit 0 Scroll Lock, 1 Num Lock, 2 Caps Lock.
    uint8_t lights() const { return m_state.lights; }

    bool hasByte() const override { return !m_state.answers.empty() || !m_state.scanCodes.empty(); }
    uint8_t takeByte() override;
    void command(uint8_t) override;

    std::string_view name() const override { return "PS/2 keyboard"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    struct State {
        Ps2ByteQueue<4> answers; // to commands; go before scan codes
        Ps2ByteQueue<bufferSize + 1> scanCodes; // and an overrun code
        std::array<uint8_t, 32> pressed; // one bit per usage
        uint8_t scanning;
        uint8_t scanCodeSet;
        uint8_t typematic; // rate and delay as F3 takes them
        uint8_t lights;
        uint8_t awaitedParameter; // the command that wants one, or 0
        uint8_t lastByte;
        uint8_t overrun; // the overrun code is waiting
        uint8_t repeating; // usage, or 0
        uint8_t printScreenAsSysRq; // how it was pressed is how it must be released
    };

    static State powerOn();

    bool pressed(HidUsage) const;
    void setPressed(HidUsage, bool);
    void setDefaults();
    void clearScanCodes();
    void answer(std::initializer_list<uint8_t>);
    bool takeParameter(uint8_t command, uint8_t parameter);
    void takeCommand(uint8_t);

    void sendKey(HidUsage, bool down);
    void sendPrintScreen(bool down);
    void sendScanCodes(std::span<const uint8_t> set2);
    void repeat();
    GuestTime typematicDelay() const;
    GuestTime typematicPeriod() const;

    Timers& m_timers;
    Timer m_typematic;
    Channel<KeyboardDrained> m_drained;
    State m_state;
};

} // namespace namsan
