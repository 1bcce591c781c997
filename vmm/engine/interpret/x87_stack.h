// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/floating_point_access.h"

#include <cstring>

namespace namsan {

// The guest's x87 register stack, status and pointers inside its FXSAVE image. Intel SDM volume 1, chapter 8.
class X87 {
public:
    explicit X87(Processor& processor)
        : m_image(imageOf(processor.fxsave))
    {
    }

    FxsaveImage& image() { return m_image; }
    Register80& st(unsigned i) { return m_image.st[i]; }
    uint16_t control() const { return m_image.control; }
    uint16_t status() const { return m_image.status; }
    unsigned top() const { return (m_image.status & x87_status::topMask) >> x87_status::topShift; }

    bool empty(unsigned i) const { return !(m_image.validTags >> ((top() + i) & 7) & 1); }
    void markValid(unsigned i) { m_image.validTags |= static_cast<uint8_t>(1 << ((top() + i) & 7)); }
    void markEmpty(unsigned i) { m_image.validTags &= static_cast<uint8_t>(~(1 << ((top() + i) & 7))); }

    void setRegister(unsigned i, const Register80& value)
    {
        copy(m_image.st[i], value);
        markValid(i);
    }
    void push(const Register80& value)
    {
        turnDown();
        setRegister(0, value);
    }
    void pop()
    {
        markEmpty(0);
        turnUp();
    }

    // TOP plus and minus one, with the registers following it.
    void turnUp()
    {
        Register80 first;
        copy(first, m_image.st[0]);
        for (unsigned i = 0; i < 7; ++i)
            copy(m_image.st[i], m_image.st[i + 1]);
        copy(m_image.st[7], first);
        setTop(top() + 1);
    }
    void turnDown()
    {
        Register80 last;
        copy(last, m_image.st[7]);
        for (unsigned i = 7; i > 0; --i)
            copy(m_image.st[i], m_image.st[i - 1]);
        copy(m_image.st[0], last);
        setTop(top() - 1);
    }

    // Another TOP for the same physical registers.
    void turnTo(unsigned newTop)
    {
        while (top() != (newTop & 7))
            turnUp();
    }

    // What every MMX instruction does: TOP becomes 0, so MMX register i is at place i, and no register is empty.
    void enterMmx()
    {
        turnTo(0);
        m_image.validTags = 0xff;
    }

    void setTop(unsigned top)
    {
        m_image.status
            = static_cast<uint16_t>((m_image.status & ~x87_status::topMask) | ((top & 7) << x87_status::topShift));
    }

    // Takes the exception flags and those condition codes that the host's unit reported.
    void take(uint16_t hostStatus, uint16_t conditions)
    {
        m_image.status = static_cast<uint16_t>((m_image.status & ~conditions)
            | (hostStatus & (conditions | x87_status::exceptions | x87_status::stackFault)));
        summarize();
    }
    void setConditions(uint16_t mask, uint16_t value)
    {
        m_image.status = static_cast<uint16_t>((m_image.status & ~mask) | value);
    }
    void setStatus(uint16_t status)
    {
        m_image.status = status;
        summarize();
    }
    void setControl(uint16_t control)
    {
        m_image.control = static_cast<uint16_t>((control & x87ControlWritable) | x87ControlAlwaysOne);
        summarize();
    }

    // Of those exceptions, the ones that the control word does not mask.
    uint16_t unmasked(uint16_t exceptions) const
    {
        return static_cast<uint16_t>(exceptions & ~m_image.control & x87_status::exceptions);
    }

    // Stack faults: true if the invalid-operation exception is masked, so that a default NaN takes the place of the
    // operand; if not, nothing else happens. Intel SDM volume 1, 8.5.1.1.
    bool underflow() { return stackFault(0); }
    bool overflow() { return stackFault(x87_status::c1); }

    void reset()
    {
        m_image.control = x87ControlInitial;
        m_image.status = 0;
        m_image.validTags = 0;
        clearPointers();
    }
    void clearPointers()
    {
        m_image.opcode = 0;
        m_image.instructionOffset = 0;
        m_image.codeSegment = 0;
        m_image.dataOffset = 0;
        m_image.dataSegment = 0;
    }

    static constexpr Register80 indefinite { 0xc000000000000000, 0xffff, {} };

private:
    static void copy(Register80& to, const Register80& from)
    {
        to.significand = from.significand;
        to.signExponent = from.signExponent;
    }

    bool stackFault(uint16_t c1)
    {
        setConditions(x87_status::c1, c1);
        m_image.status |= x87_status::invalid | x87_status::stackFault;
        summarize();
        return m_image.control & x87_status::invalid;
    }

    // ES, and B which follows it, tell whether there is an exception that is not masked.
    void summarize()
    {
        constexpr uint16_t summary = x87_status::errorSummary | x87_status::busy;
        if (unmasked(m_image.status))
            m_image.status |= summary;
        else
            m_image.status &= static_cast<uint16_t>(~summary);
    }

    FxsaveImage& m_image;
};

// The pointers to the last instruction and its operand. Only after whatever can fault.
inline void notePointers(Processor& processor, const Instruction& instruction)
{
    FxsaveImage& image = imageOf(processor.fxsave);
    image.opcode = static_cast<uint16_t>((instruction.opcode & 7) << 8 | instruction.modRm);
    image.instructionOffset = processor.eip;
    image.codeSegment = processor.segments[Cs].state.selector;
    if (instruction.rmIsMemory) {
        image.dataOffset = processor.offsetOf(instruction);
        image.dataSegment = processor.segments[instruction.segment].state.selector;
    }
}

} // namespace namsan
