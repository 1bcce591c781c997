// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/operand_access.h"
#include "vmm/engine/interpret/processor.h"

#include <cstdint>

// PUSH and POP as parts of other instructions. SS.B says whether ESP or SP moves. Intel SDM volume 1, 6.2.3.
namespace namsan {

inline uint32_t stackOffset(const Processor& processor, uint32_t stackPointer)
{
    return processor.stack32() ? stackPointer : stackPointer & 0xffff;
}

inline void setStackPointer(Processor& processor, uint32_t stackPointer)
{
    if (processor.stack32()) [[likely]]
        processor.gpr[Esp] = stackPointer;
    else
        writeRegister<uint16_t>(processor, Esp, static_cast<uint16_t>(stackPointer));
}

template <class T> inline void push(Processor& processor, T value)
{
    const uint32_t pushed = processor.gpr[Esp] - static_cast<uint32_t>(sizeof(T));
    processor.write<T>(Ss, stackOffset(processor, pushed), value);
    setStackPointer(processor, pushed);
}

// What POP would give, with the stack pointer where it is.
template <class T> inline T peek(Processor& processor, uint32_t distance = 0)
{
    return processor.read<T>(Ss, stackOffset(processor, processor.gpr[Esp] + distance));
}

} // namespace namsan
