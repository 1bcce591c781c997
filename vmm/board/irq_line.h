// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace namsan {

// Where interrupt wires end: an interrupt controller's numbered inputs, or a processor's INTR pin (input 0).
class InterruptSink {
public:
    virtual ~InterruptSink() = default;

    // Called at each change of level, under the board lock.
    virtual void setInterruptInput(unsigned input, bool level) = 0;
};

// One wire from a device to an interrupt controller. The device owns its end; the sink outlives it.
// All calls under the board lock.
class IrqLine {
public:
    IrqLine(InterruptSink& sink, unsigned input)
        : m_sink(sink)
        , m_input(input)
    {
    }

    void set(bool level)
    {
        if (level == m_level)
            return;
        m_level = level;
        m_sink.setInterruptInput(m_input, level);
    }
    void raise() { set(true); }
    void lower() { set(false); }

    // A low-high edge, whatever the level was: for edge-triggered sources.
    void pulse()
    {
        lower();
        raise();
        lower();
    }

    bool level() const { return m_level; }

private:
    InterruptSink& m_sink;
    unsigned m_input;
    bool m_level = false;
};

} // namespace namsan
