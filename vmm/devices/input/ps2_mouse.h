// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/devices/input/input_event.h"
#include "vmm/devices/input/ps2_byte_queue.h"
#include "vmm/devices/input/ps2_device.h"
#include "vmm/time/timers.h"

namespace namsan {

// A PS/2 mouse with three buttons and, once it was knocked for, a wheel.
// IBM Personal System/2 Hardware Interface Technical Reference, "Mouse"; "Windows Hardware Design: IntelliMouse wheel
// support" (Microsoft, 1997) for the knock of sample rates 200, 100, 80 and the fourth byte.
//
// What happens faster than the guest samples is kept in order: movements are added up, but never over a change of
// buttons, so that clicks land where they were made.
class Ps2Mouse final : public Device, public Ps2Device {
public:
    static constexpr int largestBacklog = 4096; // counts that one movement adds up to; more is lost
    static constexpr size_t largestSampleCount = 16; // changes of buttons that wait; more are merged

    explicit Ps2Mouse(Timers&);

    void move(PointerMove);
    void button(PointerButtonEvent);
    void wheel(PointerWheel);

    bool hasByte() const override { return !m_state.output.empty(); }
    uint8_t takeByte() override;
    void command(uint8_t) override;

    std::string_view name() const override { return "PS/2 mouse"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    enum Mode : uint8_t { Stream, Remote };

    // Movement, and the buttons after it.
    struct Sample {
        int32_t right;
        int32_t up;
        int32_t wheel; // towards the user
        uint32_t buttons;
    };

    struct State {
        std::array<Sample, largestSampleCount> samples; // the oldest first
        uint8_t sampleCount;
        uint8_t buttons; // as they are now, in packet's bits
        uint8_t sentButtons;
        uint8_t mode;
        uint8_t wrap;
        uint8_t reporting;
        uint8_t hasWheel;
        uint8_t resolution; // as E8 takes it: 2 to the n counts per mm
        uint8_t sampleRate; // per second
        uint8_t doubledScaling;
        uint8_t awaitedParameter; // the command that wants one, or 0
        std::array<uint8_t, 3> lastRates; // the newest last
        Ps2ByteQueue<5> output;
        Ps2ByteQueue<5> lastOutput; // what Resend sends again
    };

    static State powerOn();

    bool listening() const;
    Sample& sampleForMovement();
    void setDefaults();
    void answer(std::initializer_list<uint8_t>);
    bool takeParameter(uint8_t command, uint8_t parameter);
    void takeCommand(uint8_t);
    void answerStatus();
    void putPacket(bool scaled);
    bool packetWaits() const;
    void schedule();
    void sendPacketIfDue();
    GuestTime samplePeriod() const;

    Timers& m_timers;
    Timer m_sampling;
    GuestTime m_nextSample {};
    State m_state;
};

} // namespace namsan
