// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/outcome_comparison.h"

#include "vmm/engine/interpret/fxsave_image.h"

#include <cstring>
#include <fmt/format.h>

namespace namsan {

namespace {

constexpr uint32_t breakpoint = 3;
constexpr uint32_t pageFault = 14;
constexpr uint32_t simdException = 19;

class Comparison {
public:
    Comparison(const InstructionEntry& entry, const NativeCase& host, const Outcome& interpreter)
        : m_entry(entry)
        , m_host(host)
        , m_interpreter(interpreter)
    {
    }

    std::string run()
    {
        compareEnd();
        if (m_text.empty()) {
            compareGeneral();
            compareX87();
            compareSse();
            compareMemory();
        }
        return m_text;
    }

private:
    // After a jump to where nothing is, the host's fault is the target's: the instruction itself was completed.
    bool hostFailedToFetch() const
    {
        return m_host.trap == pageFault && m_host.cr2 == m_host.after.eip && m_host.after.eip != m_host.before.eip;
    }

    void compareEnd()
    {
        if (hostFailedToFetch())
            return number("trap", breakpoint, m_interpreter.trap);
        number("trap", m_host.trap, m_interpreter.trap);
        if (m_host.trap == breakpoint)
            return;
        number("error code", m_host.errorCode, m_interpreter.errorCode);
        // Structures are read and written in pieces and in an order of the processor's choice.
        const uint32_t compared = m_entry.operands[0] == Operand::Memory ? 0xfffff000 : 0xffffffff;
        if (m_host.trap == pageFault)
            number("CR2", m_host.cr2 & compared, m_interpreter.cr2 & compared);
    }

    void compareGeneral()
    {
        static constexpr const char* names[] = { "EAX", "ECX", "EDX", "EBX", "ESP", "EBP", "ESI", "EDI" };
        for (int i = 0; i < 8; ++i)
            number(names[i], m_host.after.gpr[i], m_interpreter.state.gpr[i]);
        number("EIP", m_host.after.eip, m_interpreter.state.eip);
        const uint32_t compared = (eflags::arithmetic | eflags::direction | eflags::ioPrivilege | eflags::nestedTask
                                      | eflags::alignmentCheck | eflags::identification)
            & ~(m_host.trap == breakpoint ? m_entry.flagsUndefined : 0);
        number("EFLAGS", m_host.after.eflags & compared, m_interpreter.state.eflags & compared);
    }

    void compareX87()
    {
        // Whether an SSE instruction that faults has switched to MMX before differs between processors.
        constexpr uint16_t both = attribute::simd | attribute::mmx;
        if (m_host.trap == simdException && (m_entry.attributes & both) == both)
            return;
        const FxsaveImage& host = image(m_host.after);
        const FxsaveImage& interpreter = image(m_interpreter.state);
        number("FCW", host.control, interpreter.control);
        number<uint16_t>("FSW", host.status & comparedStatus(), interpreter.status & comparedStatus());
        number("tags", host.validTags, interpreter.validTags);
        for (unsigned i = 0; i < 8; ++i) {
            number(fmt::format("ST({}) significand", i), host.st[i].significand, interpreter.st[i].significand);
            number(fmt::format("ST({}) exponent", i), host.st[i].signExponent, interpreter.st[i].signExponent);
        }
    }

    // The compares that set EFLAGS clear C1 on Intel's processors and leave it alone on AMD's.
    uint16_t comparedStatus() const
    {
        switch (m_entry.operation) {
        case Operation::Fcomi:
        case Operation::Fcomip:
        case Operation::Fucomi:
        case Operation::Fucomip:
            return static_cast<uint16_t>(~x87_status::c1);
        default:
            return 0xffff;
        }
    }

    // Whether a result that an unmasked overflow or underflow suppressed would have been exact is not kept: the
    // interpreter's host had those exceptions masked.
    uint32_t comparedMxcsr() const
    {
        const uint32_t raised = image(m_host.after).mxcsr;
        const bool suppressed = raised & ~(raised >> mxcsr::maskShift) & (mxcsr::overflow | mxcsr::underflow);
        return m_host.trap == simdException && suppressed ? ~mxcsr::precision : ~0u;
    }

    void compareSse()
    {
        const FxsaveImage& host = image(m_host.after);
        const FxsaveImage& interpreter = image(m_interpreter.state);
        number("MXCSR", host.mxcsr & comparedMxcsr(), interpreter.mxcsr & comparedMxcsr());
        for (unsigned i = 0; i < 8; ++i)
            for (unsigned half = 0; half < 2; ++half)
                number(fmt::format("XMM{}[{}]", i, half), host.xmm[i].quads[half], interpreter.xmm[i].quads[half]);
    }

    void compareMemory()
    {
        for (uint32_t i = 0; i < nativeMemoryBytes; ++i)
            if (!isPointer(i))
                number(fmt::format("memory at {:x}", nativeMemory + i), m_host.after.memory[i],
                    m_interpreter.state.memory[i]);
    }

    // Whether that byte of memory was written with a pointer or the mask of MXCSR, which differs between hosts.
    bool isPointer(uint32_t place) const
    {
        if (m_host.trap != breakpoint)
            return false;
        const uint32_t at = place - (m_interpreter.operand - nativeMemory);
        switch (m_entry.operation) {
        case Operation::Fxsave:
            return (at >= 6 && at < 24) || (at >= 28 && at < 32);
        case Operation::Fnstenv:
        case Operation::Fnsave:
            return m_interpreter.operandSize == 4 ? at >= 12 && at < 28 : at >= 6 && at < 14;
        default:
            return false;
        }
    }

    static const FxsaveImage& image(const NativeState& state)
    {
        return reinterpret_cast<const FxsaveImage&>(state.fxsave);
    }

    template <class T> void number(const std::string& name, T host, T interpreter)
    {
        if (host != interpreter)
            m_text += fmt::format("  {}: host {:x}, interpreter {:x}\n", name, host, interpreter);
    }

    const InstructionEntry& m_entry;
    const NativeCase& m_host;
    const Outcome& m_interpreter;
    std::string m_text;
};

} // namespace

std::string differences(const InstructionEntry& entry, const NativeCase& host, const Outcome& interpreter)
{
    return Comparison(entry, host, interpreter).run();
}

} // namespace namsan
