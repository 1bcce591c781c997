// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/state_stream.h"

#include <cstdint>
#include <optional>

namespace namsan {

// One of the three counters of an Intel 8254 (data sheet 231164, 1993), as a function of time: nothing happens at a
// clock pulse, all that can be read is computed from the number of the current pulse, which the caller passes as `now`
// and which never goes back.
//
// A written count is loaded at the pulse after the write, as the data sheet draws it; elapsed pulses are counted from
// there. Where the data sheet leaves a count undefined (1 in modes 2 and 3) the output stays high.
class ProgrammableCounter {
public:
    using Tick = int64_t; // number of a pulse at the CLK input

    enum class Access : uint8_t { LowByte = 1, HighByte = 2, LowThenHigh = 3 };

    // A control word for this counter: bits 5-4 access (not 0: that is latchCount), 3-1 mode, 0 BCD.
    void program(uint8_t controlWord);
    void latchCount(Tick now);
    void latchStatus(Tick now);
    void write(uint8_t byte, Tick now);
    uint8_t read(Tick now);
    void setGate(bool level, Tick now);

    bool gate() const { return m_gate; }
    bool output(Tick now);
    unsigned mode() const { return m_mode; }
    bool periodic() const { return m_mode == 2 || m_mode == 3; }

    // How often the output has risen by counting since the count was loaded, not counting rises by a control word.
    uint64_t risesUntil(Tick now);
    // Changes when a count is loaded by a write or a trigger, so that rises are counted from 0 again.
    uint32_t loads() const { return m_loads; }
    // The pulse of rise number n (from 1), or, where a new count takes over before, the pulse of that. Empty when it
    // will never come.
    std::optional<Tick> tickOfRise(uint64_t n) const;
    // Pulses between two rises; empty when not counting periodically.
    std::optional<Tick> period() const;
    // The same for the count that was written last, which may still wait for the end of the cycle.
    std::optional<Tick> writtenPeriod() const;

    void save(StateWriter&, Tick now) const;
    Result<void> restore(StateReader&, Tick now, std::string_view device);

private:
    struct Takeover { // a count that waits for the end of a (half) cycle in modes 2 and 3
        uint32_t count;
        Tick at;
        bool startsLow;
    };

    Tick elapsed(Tick now) const { return m_paused ? m_pausedAt : now - m_loadTick; }
    bool rests() const { return periodic() && m_initialCount == 1; }
    uint32_t highTicks(uint32_t count) const { return m_mode == 3 ? (count + 1) / 2 : count - 1; }
    uint32_t modulus() const { return m_bcd ? 10000 : 0x10000; }
    void settle(Tick now);
    void writeCount(uint16_t written, Tick now);
    void load(uint32_t count, Tick at);
    void scheduleTakeover(uint32_t count, Tick now);
    bool triggerable() const { return m_mode == 1 || m_mode == 5; }
    uint16_t count(Tick now);
    uint16_t encoded(uint32_t value) const;
    uint8_t status(Tick now);
    bool nullCount(Tick now) const;
    bool plausible() const;

    Access m_access = Access::LowThenHigh;
    uint8_t m_mode = 0;
    bool m_bcd = false;
    bool m_gate = true;

    bool m_loaded = false;
    uint32_t m_initialCount = 0;
    Tick m_loadTick = 0;
    bool m_paused = false; // by a low gate
    Tick m_pausedAt = 0; // elapsed pulses
    uint64_t m_risesBefore = 0; // by counts that were taken over since the last load
    uint32_t m_loads = 0;

    std::optional<uint32_t> m_awaitingTrigger; // modes 1 and 5
    std::optional<Takeover> m_takeover;

    bool m_writeHighNext = false;
    uint8_t m_writtenLow = 0;
    bool m_readHighNext = false;
    std::optional<uint16_t> m_latchedCount;
    std::optional<uint8_t> m_latchedStatus;
};

} // namespace namsan
