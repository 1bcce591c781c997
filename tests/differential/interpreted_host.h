// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/native_case.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/time/clock.h"

#include <memory>

namespace namsan {

// What an instruction did: to be compared between the interpreter and the host.
struct Outcome {
    NativeState state;
    uint32_t trap; // as in NativeCase
    uint32_t errorCode;
    uint32_t cr2;
    uint32_t operand; // offset of ModRM's memory operand, if it has one
    uint32_t operandSize;
};

// The interpreter in the place of the host: the same pages at the same addresses, CPL 3, flat segments.
class InterpretedHost {
public:
    InterpretedHost();
    ~InterpretedHost();

    Outcome run(const NativeCase&);
    const InstructionEntry* decode(const NativeCase&) const; // the entry that the bytes are taken for

private:
    struct Bus;

    void mapPages();
    void enterUserMode();
    uint8_t* guestMemory();

    std::unique_ptr<Bus> m_bus;
    ManualClock m_clock;

protected:
    void give(const NativeState&);
    NativeState take();
    GuestBus& bus();

    std::unique_ptr<GuestMemory> m_memory;
    VcpuCounters m_counters;
    Decoder m_decoder;
    std::unique_ptr<Processor> m_processor;
};

} // namespace namsan
