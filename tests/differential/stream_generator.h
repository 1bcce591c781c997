// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/defined_flags.h"
#include "tests/differential/instruction_writer.h"
#include "tests/differential/stepped_processor.h"

#include <bitset>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace namsan {

// A stream, what the interpreter's handlers made of it one by one, and what of that may be compared.
struct RandomStream {
    uint64_t seed = 0;
    NativeStream before;
    NativeStream after;
    std::vector<uint32_t> path; // where each instruction was that ran, and where the stream ended
    DefinedFlags flags;
    const InstructionEntry* last = nullptr; // the one that ran last, or faulted

    uint8_t byteAt(uint32_t eip) const { return before.code[eip - before.codeAddress]; }
};

// Makes random streams while it runs them: each instruction is chosen to suit the registers as they are when it is come
// to, is taken back where it faults (mostly), and code that is come to again is run again. So streams are long, reach
// memory, jump to and fro, and end at an INT3 or a fault.
class StreamGenerator final : private Surroundings {
public:
    // Native makes streams for the native runner, System such that meet page faults, write code and change segments.
    // features: what the processor has that the streams are for; what it lacks is #UD.
    explicit StreamGenerator(StreamWorld::Kind, const FeatureSet& features = FeatureSet::everything());

    // The same seed gives the same stream. Nothing where it went round in circles.
    std::optional<RandomStream> make(uint64_t seed, unsigned instructions);

    const std::set<const InstructionEntry*>& entriesRun() const { return m_entriesRun; }
    size_t entriesWanted() const;

private:
    using Bytes = std::vector<uint8_t>;

    void makeState(NativeStream&);
    void makeFloatingPoint(NativeStream&);
    bool runWhole();

    uint32_t operandAddress(InterestingValues&, unsigned room) override;
    uint32_t segmentBase(SegmentIndex index) const override { return m_stepped.cpu.segments[index].state.base; }
    bool usesOtherSegments() const override { return m_isSystem; }
    uint32_t jumpTarget(InterestingValues&, uint32_t after, uint32_t reach, bool backward) override;

    const InstructionEntry& chooseEntry();
    void prepareFor(const InstructionEntry&);
    void changeSegment();
    void prepareJump(const InstructionEntry&);
    void queue(std::initializer_list<uint32_t> opcode, std::initializer_list<uint32_t> values);

    enum class Step { Ran, Refused, Faulted };
    Step addInstruction();
    Step tryBytes(const Bytes&);
    bool runAgain();
    void decodeHere(Instruction&) const;
    bool suits(const Instruction&) const;
    bool faultIsTheHostsToo(const Fault&, Operation) const;
    bool fits(size_t length) const;
    bool inCode(uint32_t address) const;
    bool inMemory(uint32_t address, uint32_t room) const;
    uint32_t offset(uint32_t address) const { return address - m_stream.before.codeAddress; }

    const bool m_isSystem;
    SteppedProcessor m_stepped;
    std::vector<const InstructionEntry*> m_general, m_x87, m_simd;
    InterestingValues m_values { 0 };
    InstructionWriter m_writer { m_values, *this };
    std::unique_ptr<SteppedProcessor::Snapshot> m_snapshot = std::make_unique<SteppedProcessor::Snapshot>();

    RandomStream m_stream;
    std::bitset<nativeStreamCodeBytes> m_used; // bytes of instructions
    std::bitset<nativeStreamCodeBytes> m_starts;
    std::deque<Bytes> m_queue; // instructions that prepare for m_prepared
    const InstructionEntry* m_prepared = nullptr;
    std::optional<uint32_t> m_preparedOperand;
    std::optional<Fault> m_fault;
    std::set<const InstructionEntry*> m_entriesRun;
};

} // namespace namsan
