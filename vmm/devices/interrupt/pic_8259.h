// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/state_stream.h"

#include <cstdint>
#include <optional>

namespace namsan {

// One programmable interrupt controller: eight inputs, one interrupt output, two bytes of address space.
// Intel 8259A data sheet (1988), order number 231468; edge or level per input as in the Intel PIIX4 (290562), 4.2.
//
// A chip without wires: whoever owns it passes inputs on and looks at interruptOutput() after each call. Two things
// are as in the PIIX4: the processor is always an 8086 (ICW4's uPM counts as set), and ICW1's LTIM is replaced by the
// edge/level register.
//
// An edge, once seen, stays requested until it is acknowledged, even if the input falls before. (The 8259A would answer
// with its lowest input then. Sources that pulse their line rely on the latch.)
class Pic8259 {
public:
    enum class Position { Master, Slave }; // the SP/EN pin

    explicit Pic8259(Position position)
        : m_position(position)
    {
    }

    static constexpr unsigned inputs = 8;

    void setInput(unsigned input, bool level);
    bool interruptOutput() const { return requested().has_value(); }

    // Bit n: input n is level-triggered.
    uint8_t levelTriggered() const { return m_levelTriggered; }
    void setLevelTriggered(uint8_t mask) { m_levelTriggered = mask; }

    // The INTA cycle: takes the request of highest priority into service and returns its input, or the lowest input
    // (7) without anything in service where the request has gone.
    unsigned acknowledge();
    uint8_t vectorOf(unsigned input) const { return static_cast<uint8_t>((m_vectorBase & 0xf8) | input); }

    // Whether a master was told of a slave on this input (ICW3).
    bool hasSlave(unsigned input) const
    {
        return m_position == Position::Master && !m_single && ((m_icw3 >> input) & 1);
    }
    // The input of the master that a slave takes itself to be on (ICW3).
    unsigned slaveIdentity() const { return m_icw3 & 7; }

    // A0 = 0: ICW1, OCW2, OCW3; IRR or ISR. A0 = 1: ICW2 to ICW4, OCW1; IMR.
    // Reading is an acknowledge cycle after a poll command.
    uint8_t readCommand();
    uint8_t readData();
    void writeCommand(uint8_t value);
    void writeData(uint8_t value);

    void reset();
    void save(StateWriter&) const;
    Result<void> restore(StateReader&, std::string_view device);

private:
    enum class Expected : uint8_t { Ocw1, Icw2, Icw3, Icw4 }; // what a write with A0 = 1 is

    uint8_t requestRegister() const
    {
        return static_cast<uint8_t>((m_edges & ~m_levelTriggered) | (m_inputs & m_levelTriggered));
    }
    std::optional<unsigned> requested() const;
    std::optional<unsigned> highestOf(uint8_t levels) const;
    unsigned priorityOf(unsigned input) const { return (input - m_lowest - 1) & 7; } // 0 is the highest
    void startInitialization(uint8_t icw1);
    void operationCommand2(uint8_t ocw2);
    void operationCommand3(uint8_t ocw3);
    void endOfInterrupt(std::optional<unsigned> input, bool rotate);
    uint8_t poll();

    Position m_position;
    uint8_t m_inputs = 0;
    uint8_t m_edges = 0; // low-to-high transitions that wait for their acknowledgement
    uint8_t m_levelTriggered = 0;
    uint8_t m_masked = 0; // IMR
    uint8_t m_inService = 0; // ISR
    uint8_t m_lowest = 7; // the input of lowest priority
    uint8_t m_vectorBase = 0; // ICW2
    uint8_t m_icw3 = 0;
    Expected m_expected = Expected::Ocw1;
    bool m_single = false;
    bool m_icw4Follows = false;
    bool m_automaticEnd = false; // AEOI
    bool m_rotateOnAutomaticEnd = false;
    bool m_speciallyNested = false;
    bool m_specialMask = false;
    bool m_readInService = false;
    bool m_poll = false;
};

} // namespace namsan
