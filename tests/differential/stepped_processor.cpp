// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stepped_processor.h"

#include <algorithm>

namespace namsan {

SteppedProcessor::SteppedProcessor(StreamWorld::Kind kind, const FeatureSet& features)
    : world(kind)
    , m_decoder(features)
    , cpu(world.memory(), m_bus, m_clock, CpuModel::standard(), m_counters)
{
    load(NativeStream {});
}

void SteppedProcessor::load(const NativeStream& stream)
{
    world.putMemory(stream);
    world.putRights(stream);
    cpu.load(world.stateBefore(stream));
}

void SteppedProcessor::take(NativeStream& stream) const
{
    std::copy_n(cpu.gpr.begin(), 8, stream.gpr);
    stream.eip = cpu.eip;
    stream.eflags = cpu.eflags();
    std::copy_n(cpu.fxsave.bytes.begin(), 512, stream.fxsave);
    world.takeMemory(stream);
    if (world.kind() == StreamWorld::Kind::System)
        world.takeCode(stream);
    for (unsigned index = Es; index <= Gs; ++index)
        stream.selectors[index] = cpu.segments[index].state.selector;
}

std::optional<Fault> SteppedProcessor::execute(const Instruction& instruction)
{
    const bool repeats
        = (instruction.rep || instruction.repne) && (instruction.entry->attributes & attribute::repeatable);
    for (;;) {
        const std::optional<Fault> fault = attempt(instruction, repeats);
        if (!fault || !putRight(*fault))
            return fault;
    }
}

bool SteppedProcessor::putRight(const Fault& fault)
{
    if (fault.exception != Exception::PageFault || !world.putRight(cpu.cr2))
        return false;
    cpu.memory.invalidatePage(cpu.cr2);
    return true;
}

std::optional<Fault> SteppedProcessor::attempt(const Instruction& instruction, bool repeats)
{
    try {
        // A repeated string instruction may stop between two repetitions, to let interrupts in.
        do {
            cpu.nextEip = cpu.eip + instruction.length;
            instruction.execute(cpu, instruction);
        } while (repeats && cpu.nextEip == cpu.eip);
    } catch (const Fault& fault) {
        return fault;
    }
    cpu.eip = cpu.nextEip;
    return {};
}

void SteppedProcessor::keep(Snapshot& snapshot) const
{
    snapshot.gpr = cpu.gpr;
    snapshot.eip = cpu.eip;
    snapshot.eflags = cpu.eflags();
    snapshot.fxsave = cpu.fxsave;
    std::copy_n(world.hostMemory(), nativeStreamMemoryBytes, snapshot.memory.begin());
}

void SteppedProcessor::goBack(const Snapshot& snapshot)
{
    cpu.gpr = snapshot.gpr;
    cpu.eip = snapshot.eip;
    cpu.setEflags(snapshot.eflags);
    cpu.fxsave = snapshot.fxsave;
    std::copy_n(snapshot.memory.begin(), nativeStreamMemoryBytes, world.hostMemory());
}

void noteEnd(const std::optional<Fault>& fault, const Processor& cpu, NativeStream& stream)
{
    constexpr uint32_t breakpoint = 3;
    stream.trap = fault ? static_cast<uint32_t>(fault->exception) : breakpoint;
    stream.errorCode = fault ? fault->errorCode.value_or(0) : 0;
    stream.cr2 = fault && fault->exception == Exception::PageFault ? cpu.cr2 : 0;
    stream.done = 1;
}

} // namespace namsan
