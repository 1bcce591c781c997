// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"
#include "vmm/board/device.h"
#include "vmm/board/messages.h"
#include "vmm/board/port_bus.h"

namespace namsan {

class IntervalTimer;

// System control port B: the speaker, the gate and output of timer counter 2, and memory errors (which this board's
// memory has none of). IBM PC/AT Technical Reference (1984), "Port B"; Intel PIIX4 (290562), 4.5.1.
class SystemControlPortB final : public Device, public PortHandler {
public:
    static constexpr Port address = 0x61;

    SystemControlPortB(PortBus&, IntervalTimer&);

    // Sent when the speaker starts, stops or changes its tone.
    Channel<SpeakerChange>& speakerChanges() { return m_speakerChanges; }

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "system control port B"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    void driveSpeaker();

    IntervalTimer& m_timer;
    uint8_t m_value = 0; // the bits that can be written
    SpeakerChange m_speaker { false, 0 };
    Channel<SpeakerChange> m_speakerChanges;
};

} // namespace namsan
