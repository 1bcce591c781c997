// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/descriptor.h"
#include "vmm/engine/interpret/processor.h"

#include <cstdint>
#include <optional>

namespace namsan {

// Hardware task switches, between task state segments of 16 and 32 bits. Intel SDM volume 3, 7.3.
//
// A fault before the new task is entered leaves everything as it was. One that comes after is the new task's: eip is
// already its first instruction, so that whoever delivers it finds the return address there.
enum class TaskSwitchCause : uint8_t {
    Jump,
    Call,
    Return, // IRET with NT set
    Event, // an interrupt or exception through a task gate
};

struct OutgoingTask {
    uint32_t eip; // where it is to go on
    uint32_t eflags;
};

// tssSelector: from a direct jump or call, a task gate or a back link; the rights to use those are the caller's.
// An error code is pushed onto the new task's stack.
void switchTask(
    Processor&, uint16_t tssSelector, TaskSwitchCause, const OutgoingTask&, std::optional<uint32_t> errorCode = {});

// IRET with NT set: to the task that the current TSS links to.
void returnToPreviousTask(Processor&, const OutgoingTask&);

inline bool isTss(const Descriptor& descriptor)
{
    constexpr uint32_t sizeAndBusy = system_type::bit32 | system_type::busyBit;
    return descriptor.isSystem() && (descriptor.type() & ~sizeAndBusy) == system_type::availableTss16;
}

} // namespace namsan
