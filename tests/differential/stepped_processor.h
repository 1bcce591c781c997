// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/stream_world.h"
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/time/clock.h"

#include <optional>
#include <span>

namespace namsan {

// The interpreter's handlers in a stream's world, one instruction at a time, with the possibility to take a step back.
class SteppedProcessor {
public:
    explicit SteppedProcessor(StreamWorld::Kind, const FeatureSet& = FeatureSet::everything());

    void load(const NativeStream&);
    void take(NativeStream&) const; // registers and memory; not how it ended

    void decode(std::span<const uint8_t> bytes, Instruction& instruction) const
    {
        m_decoder.decode(bytes, true, instruction);
    }
    // Carries the instruction out at EIP; after a fault EIP is still there. Page faults that the world's kernel puts
    // right are none.
    std::optional<Fault> execute(const Instruction&);

    struct Snapshot {
        std::array<uint32_t, 9> gpr;
        uint32_t eip;
        uint32_t eflags;
        FxsaveArea fxsave;
        std::array<uint8_t, nativeStreamMemoryBytes> memory;
    };
    void keep(Snapshot&) const;
    void goBack(const Snapshot&);

    StreamWorld world;

private:
    std::optional<Fault> attempt(const Instruction&, bool repeats);
    bool putRight(const Fault&);

    SilentBus m_bus;
    ManualClock m_clock;
    VcpuCounters m_counters;
    Decoder m_decoder;

public:
    Processor cpu;
};

// Writes into a stream how it ended: by a fault, or else by the INT3 at EIP.
void noteEnd(const std::optional<Fault>&, const Processor&, NativeStream&);

} // namespace namsan
