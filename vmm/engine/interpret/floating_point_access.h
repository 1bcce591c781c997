// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/fxsave_image.h"
#include "vmm/engine/interpret/processor.h"

namespace namsan {

// Whether floating-point instructions may run now: every rule of CR0.EM, CR0.MP, CR0.TS, CR4.OSFXSR and pending x87
// exceptions is here. Intel SDM volume 3, 2.5, tables 12-1 and 13-1, and 6.15, interrupts 7 and 16.

[[noreturn]] inline void throwDeviceNotAvailable()
{
    throw Fault { Exception::DeviceNotAvailable, {} };
}

// An x87 exception that is not masked waits for the next x87 or MMX instruction. With CR0.NE clear a PC reports it by
// FERR# and IRQ 13 instead (SDM volume 1, 8.7.2); this board has no FERR# wire, so it is #MF in both cases, which is
// what every system that sets NE expects and what those that do not can still handle.
inline void raisePendingX87(const Processor& processor)
{
    if (imageOf(processor.fxsave).status & x87_status::errorSummary) [[unlikely]]
        throw Fault { Exception::FloatingPoint, {} };
}

// x87 instructions that do not wait: FNINIT, FNSTSW, ...
inline void requireX87(const Processor& processor)
{
    if (processor.cr0 & (cr0::emulation | cr0::taskSwitched)) [[unlikely]]
        throwDeviceNotAvailable();
}

// All other x87 instructions.
inline void requireWaitingX87(const Processor& processor)
{
    requireX87(processor);
    raisePendingX87(processor);
}

inline void requireWait(const Processor& processor)
{
    constexpr uint32_t both = cr0::monitorCoprocessor | cr0::taskSwitched;
    if ((processor.cr0 & both) == both)
        throwDeviceNotAvailable();
    raisePendingX87(processor);
}

inline void requireMmx(const Processor& processor)
{
    if (processor.cr0 & cr0::emulation) [[unlikely]]
        throwInvalidOpcode();
    if (processor.cr0 & cr0::taskSwitched) [[unlikely]]
        throwDeviceNotAvailable();
    raisePendingX87(processor);
}

inline void requireSse(const Processor& processor)
{
    if (processor.cr0 & cr0::emulation || !(processor.cr4 & cr4::fxsave)) [[unlikely]]
        throwInvalidOpcode();
    if (processor.cr0 & cr0::taskSwitched) [[unlikely]]
        throwDeviceNotAvailable();
}

// SSE instructions that also use an MMX register.
inline void requireSseAndMmx(const Processor& processor)
{
    requireSse(processor);
    raisePendingX87(processor);
}

} // namespace namsan
