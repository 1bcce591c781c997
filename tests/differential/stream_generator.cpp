// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stream_generator.h"

#include "vmm/engine/interpret/fxsave_image.h"

#include <algorithm>
#include <cstring>

namespace namsan {

namespace {

constexpr uint32_t endOfMemory = nativeStreamMemory + nativeStreamMemoryBytes;
constexpr uint32_t sseStates = nativeStreamMemory; // values for LDMXCSR, to begin with
constexpr uint32_t fxsaveImage = nativeStreamMemory + 512; // for FXRSTOR, to begin with
constexpr uint32_t roomForLast = 40; // bytes at the code's end where nothing new is begun

bool isLeftOut(const InstructionEntry& entry)
{
    switch (entry.operation) {
    case Operation::Fnstenv: // these write pointers to the x87's last instruction, which processors keep differently
    case Operation::Fnsave:
    case Operation::Fxsave:
        return true;
    default:
        return !(entry.attributes & attribute::userTestable);
    }
}

std::vector<const InstructionEntry*> wantedOf(std::span<const InstructionEntry> entries)
{
    std::vector<const InstructionEntry*> wanted;
    for (const InstructionEntry& entry : entries)
        if (!isLeftOut(entry))
            wanted.push_back(&entry);
    return wanted;
}

bool changesSegment(Operation operation)
{
    return operation == Operation::MoveToSegment || operation == Operation::PopSegment
        || operation == Operation::PushSegment || operation == Operation::MoveFromSegment
        || operation == Operation::LoadFarPointer;
}

bool usesStack(const InstructionEntry& entry)
{
    switch (entry.operation) {
    case Operation::CallRelative:
    case Operation::CallIndirect:
    case Operation::RetNear:
    case Operation::Push:
    case Operation::Pop:
    case Operation::Pusha:
    case Operation::Popa:
    case Operation::Enter:
        return true;
    default:
        return false;
    }
}

} // namespace

StreamGenerator::StreamGenerator(StreamWorld::Kind kind, const FeatureSet& features)
    : m_isSystem(kind == StreamWorld::Kind::System)
    , m_stepped(m_isSystem ? kind : StreamWorld::Kind::Sealed, features)
    , m_general(wantedOf(generalInstructions()))
    , m_x87(wantedOf(x87Instructions()))
    , m_simd(wantedOf(simdInstructions()))
{
}

size_t StreamGenerator::entriesWanted() const
{
    return m_general.size() + m_x87.size() + m_simd.size();
}

std::optional<RandomStream> StreamGenerator::make(uint64_t seed, unsigned instructions)
{
    m_values = InterestingValues(seed);
    m_stream.seed = seed;
    m_stream.path.clear();
    m_stream.flags = {};
    m_used.reset();
    m_starts.reset();
    m_queue.clear();
    m_prepared = nullptr;
    m_fault.reset();
    makeState(m_stream.before);
    m_stepped.world.eraseCode(m_stream.before);
    m_stepped.load(m_stream.before);

    const unsigned most = 4 * instructions; // with what is run again
    for (;;) {
        const uint32_t eip = m_stepped.cpu.eip;
        m_stream.path.push_back(eip);
        if (m_stream.path.size() > most)
            return {};
        if (m_starts[offset(eip)]) {
            if (!runAgain())
                return {};
        } else {
            if (m_used[offset(eip)])
                return {}; // in the middle of an instruction
            if (m_stream.path.size() > instructions || offset(eip) + roomForLast > nativeStreamCodeBytes)
                break;
            constexpr unsigned tries = 100;
            Step step = Step::Refused;
            for (unsigned n = 0; n < tries && step == Step::Refused; ++n)
                step = addInstruction();
            if (step == Step::Refused)
                break;
        }
        if (m_fault)
            break;
        if (!inCode(m_stepped.cpu.eip))
            return {};
    }
    if (m_isSystem && !runWhole())
        return {};
    m_stream.after = m_stream.before;
    m_stepped.take(m_stream.after);
    noteEnd(m_fault, m_stepped.cpu, m_stream.after);
    m_stream.before.endsAt = m_stepped.cpu.eip;
    return m_stream;
}

// A stream that writes code may go another way than the one on which it was made: what was written later in the making
// was there from the beginning. So once more from there. False where it does not come to an end of which all is known.
bool StreamGenerator::runWhole()
{
    constexpr size_t most = 1000;
    m_stepped.world.eraseCode(m_stream.before);
    m_stepped.world.putCode(m_stream.before);
    m_stepped.load(m_stream.before);
    m_stream.after.codeAddress = m_stream.before.codeAddress;
    m_stream.path.clear();
    m_stream.flags = {};
    m_stream.last = nullptr;
    m_fault.reset();
    while (m_stream.path.size() < most) {
        const uint32_t eip = m_stepped.cpu.eip;
        if (!inCode(eip) || offset(eip) + roomForLast / 2 > nativeStreamCodeBytes)
            return false;
        m_stream.path.push_back(eip);
        if (*m_stepped.world.memory().host(eip) == 0xcc)
            return true;
        m_stepped.world.takeCode(m_stream.after);
        if (!runAgain())
            return false;
        if (m_fault)
            return true;
        if (m_stepped.world.codeDiffers(m_stream.after))
            m_stream.flags.codeChanged();
    }
    return false;
}

// -- the state before -------------------------------------------------------------------------------------------------

void StreamGenerator::makeState(NativeStream& before)
{
    std::memset(before.code, 0xcc, sizeof before.code);
    before.codeAddress = nativeStreamCodePage + 512 + m_values.below(2 * 4096);
    before.eip = before.codeAddress + m_values.below(64);
    for (uint32_t& value : before.gpr)
        value = m_values.integer32();
    for (const Gpr pointer : { Esp, Ebp, Esi, Edi })
        before.gpr[pointer] = nativeStreamMemory + 1024 + m_values.below(nativeStreamMemoryBytes - 2048);
    before.gpr[Esp] &= m_values.oneIn(8) ? ~0u : ~3u;
    constexpr uint32_t randomFlags = eflags::arithmetic | eflags::direction;
    before.eflags = (static_cast<uint32_t>(m_values.any()) & randomFlags) | eflags::interruptEnable | eflags::alwaysOne;
    for (uint32_t at = 0; at < nativeStreamMemoryBytes; at += 1024)
        m_values.fill({ before.memory + at, 1024 });
    makeFloatingPoint(before);
    std::memset(before.selectors, 0, sizeof before.selectors);
    before.pageRights = m_isSystem ? static_cast<uint32_t>(m_values.any()) & 0x3ff : 0;
    std::memcpy(before.memory + (fxsaveImage - nativeStreamMemory), before.fxsave, sizeof before.fxsave);
    for (uint32_t at = 0; at < 64; at += 4) {
        const uint32_t value = (static_cast<uint32_t>(m_values.any()) & mxcsr::writable) | mxcsr::masks;
        std::memcpy(before.memory + (sseStates - nativeStreamMemory) + at, &value, sizeof value);
    }
}

void StreamGenerator::makeFloatingPoint(NativeStream& before)
{
    std::memset(before.fxsave, 0, sizeof before.fxsave);
    auto& image = reinterpret_cast<FxsaveImage&>(before.fxsave);
    image.control = x87ControlInitial;
    if (m_values.oneIn(4))
        image.control = static_cast<uint16_t>((m_values.any() & x87ControlWritable) | x87ControlAlwaysOne);
    if (!m_values.oneIn(4))
        image.control |= x87_status::exceptions;
    const auto random = static_cast<uint16_t>(m_values.any());
    image.status = random & (x87_status::conditions | x87_status::topMask);
    const unsigned top = image.status >> x87_status::topShift & 7;
    image.validTags = m_values.oneIn(4) ? static_cast<uint8_t>(random >> 8)
                                        : static_cast<uint8_t>(0x0f0f >> ((8 - top) & 7)); // half of the stack
    for (Register80& value : image.st)
        value = m_values.extended();
    image.mxcsr = mxcsr::initial;
    image.mxcsrMask = mxcsr::writable;
    if (m_values.oneIn(2))
        image.mxcsr = static_cast<uint32_t>(m_values.any()) & mxcsr::writable;
    if (!m_values.oneIn(8))
        image.mxcsr |= mxcsr::masks;
    for (RegisterXmm& value : image.xmm)
        m_values.fill(std::span(reinterpret_cast<uint8_t*>(&value), sizeof value));
}

// -- where instructions reach and go
// ------------------------------------------------------------------------------------

uint32_t StreamGenerator::operandAddress(InterestingValues& values, unsigned room)
{
    if (m_preparedOperand)
        return *std::exchange(m_preparedOperand, {});
    if (room > 64)
        return values.oneIn(4) ? fxsaveImage : nativeStreamMemory + values.below(nativeStreamMemoryBytes - room);
    const uint32_t kind = values.below(32);
    if (m_isSystem && kind == 31) // somewhere in the code, mostly ahead
        return m_stepped.cpu.eip - 16 + values.below(128);
    if (kind == 0)
        return endOfMemory - values.below(20); // perhaps over the end
    if (kind < 4)
        return nativeStreamMemory + 4096 - values.below(20); // over the end of a page
    const uint32_t address = nativeStreamMemory + values.below(nativeStreamMemoryBytes - room);
    return values.oneIn(6) ? address : address & ~15u;
}

uint32_t StreamGenerator::jumpTarget(InterestingValues& values, uint32_t after, uint32_t reach, bool backward)
{
    if (backward) {
        const size_t back = 1 + values.below(12);
        if (back < m_stream.path.size()) {
            const uint32_t target = m_stream.path[m_stream.path.size() - 1 - back];
            if (after - target <= reach)
                return target;
        }
    }
    uint32_t target = after + (values.oneIn(3) ? 0 : values.below(24));
    while (inCode(target) && m_used[offset(target)] && !m_starts[offset(target)])
        ++target;
    return target;
}

bool StreamGenerator::inCode(uint32_t address) const
{
    return address >= m_stream.before.codeAddress && offset(address) < nativeStreamCodeBytes;
}

bool StreamGenerator::inMemory(uint32_t address, uint32_t room) const
{
    return address >= nativeStreamMemory + room && address < endOfMemory - room;
}

// -- choosing
// -----------------------------------------------------------------------------------------------------------

const InstructionEntry& StreamGenerator::chooseEntry()
{
    const uint32_t kind = m_values.below(10);
    const auto& part = kind < 6 ? m_general : kind < 8 ? m_x87 : m_simd;
    return *part[m_values.below(static_cast<uint32_t>(part.size()))];
}

void StreamGenerator::queue(std::initializer_list<uint32_t> opcode, std::initializer_list<uint32_t> values)
{
    Bytes& bytes = m_queue.emplace_back();
    for (const uint32_t byte : opcode)
        bytes.push_back(static_cast<uint8_t>(byte));
    for (uint32_t value : values)
        for (unsigned n = 0; n < 4; ++n, value >>= 8)
            bytes.push_back(static_cast<uint8_t>(value));
}

// What the registers must hold for the instruction to do anything is put into them by instructions before it.
void StreamGenerator::prepareFor(const InstructionEntry& entry)
{
    constexpr uint32_t movImmediate = 0xb8;
    const auto& gpr = m_stepped.cpu.gpr;
    const auto pointInto = [&](Gpr reg) {
        if (!inMemory(gpr[reg], 512))
            queue({ movImmediate + reg },
                { (nativeStreamMemory + 1024 + m_values.below(nativeStreamMemoryBytes - 2048)) & ~3u });
    };
    if (usesStack(entry))
        pointInto(Esp);
    if (entry.operation == Operation::Leave)
        pointInto(Ebp);
    if (entry.operation == Operation::Xlat)
        pointInto(Ebx);
    if (entry.attributes & attribute::repeatable) {
        pointInto(Esi);
        pointInto(Edi);
        if (m_values.oneIn(2))
            queue({ movImmediate + Ecx }, { m_values.below(20) });
    }
    if (entry.operation >= Operation::Loop && entry.operation <= Operation::Loopne && m_values.oneIn(2))
        queue({ movImmediate + Ecx }, { m_values.below(5) });
    if (entry.attributes & attribute::endsBlock)
        prepareJump(entry);
    if (entry.operation == Operation::Ldmxcsr)
        m_preparedOperand = sseStates + 4 * m_values.below(16);
    const FxsaveImage& image = imageOf(m_stepped.cpu.fxsave);
    if ((entry.attributes & (attribute::fpu | attribute::mmx)) && (image.status & x87_status::errorSummary))
        queue({ 0xdb, m_values.oneIn(2) ? 0xe2u : 0xe3u }, {}); // FNCLEX, FNINIT
}

// Which segments there are and what they hold: to a data segment that is flat, has a base, or ends early.
void StreamGenerator::changeSegment()
{
    constexpr uint32_t flat = StreamWorld::flatData;
    constexpr std::array<uint32_t, 4> all { flat, flat, StreamWorld::basedData, StreamWorld::limitedData };
    constexpr std::array<SegmentIndex, 4> registers { Es, Ds, Fs, Gs };
    const SegmentIndex index = registers[m_values.below(4)];
    uint32_t selector = all[m_values.below(4)];
    if (index >= Fs && m_values.oneIn(4))
        selector = 0;
    if (m_values.oneIn(3) && inMemory(m_stepped.cpu.gpr[Esp], 512)) {
        queue({ 0x68 }, { selector });
        if (index < Fs)
            queue({ index == Es ? 0x07u : 0x1fu }, {}); // pop es, pop ds
        else
            queue({ 0x0f, index == Fs ? 0xa1u : 0xa9u }, {}); // pop fs, pop gs
        return;
    }
    queue({ 0xb8 }, { selector });
    queue({ 0x8e, 0xc0u | static_cast<uint32_t>(index) << 3 }, {}); // mov sreg,eax
}

// The target goes to a register, to memory or onto the stack first.
void StreamGenerator::prepareJump(const InstructionEntry& entry)
{
    constexpr uint32_t pushImmediate = 0x68;
    const uint32_t eip = m_stepped.cpu.eip;
    const uint32_t target = jumpTarget(m_values, eip + 24, 400, false);
    if (entry.operation == Operation::RetNear)
        return queue({ pushImmediate }, { target });
    if (entry.operation != Operation::JmpIndirect && entry.operation != Operation::CallIndirect)
        return;
    const uint32_t place = nativeStreamMemory + 4 * m_values.below(nativeStreamMemoryBytes / 4);
    queue({ 0xc7, 0x05 }, { place, target });
    for (uint32_t reg = Eax; reg <= Ebx; ++reg) // whichever it will be
        queue({ 0xb8 + reg }, { target });
    m_preparedOperand = place;
}

// -- running
// ------------------------------------------------------------------------------------------------------------

StreamGenerator::Step StreamGenerator::addInstruction()
{
    if (!m_queue.empty()) {
        const Bytes bytes = std::move(m_queue.front());
        m_queue.pop_front();
        return tryBytes(bytes);
    }
    if (m_prepared) {
        const InstructionEntry& entry = *std::exchange(m_prepared, nullptr);
        return tryBytes(m_writer.write(entry, m_stepped.cpu.gpr, m_stepped.cpu.eip));
    }
    if (m_isSystem && m_values.oneIn(25)) {
        changeSegment();
        return addInstruction();
    }
    const InstructionEntry& entry = chooseEntry();
    m_preparedOperand.reset();
    prepareFor(entry);
    if (!m_queue.empty()) {
        m_prepared = &entry;
        return addInstruction();
    }
    return tryBytes(m_writer.write(entry, m_stepped.cpu.gpr, m_stepped.cpu.eip));
}

bool StreamGenerator::fits(size_t length) const
{
    const uint32_t at = offset(m_stepped.cpu.eip);
    for (size_t n = 0; n < length; ++n)
        if (at + n >= nativeStreamCodeBytes || m_used[at + n])
            return false;
    return true;
}

// Whether hosts agree on what it does here.
bool StreamGenerator::suits(const Instruction& instruction) const
{
    if (!m_stream.flags.maySee(instruction))
        return false;
    const Operation operation = instruction.entry->operation;
    // Code that was written over may be anything, and no great loss if left out.
    if (m_isSystem && !(instruction.entry->attributes & attribute::userTestable) && !changesSegment(operation))
        return false;
    // MXCSR's bits beyond SSE2: there are none, or some that nobody has.
    if (operation == Operation::Ldmxcsr || operation == Operation::Fxrstor) {
        const uint32_t at = m_stepped.cpu.offsetOf(instruction) + (operation == Operation::Fxrstor ? 24 : 0);
        if (at < nativeStreamMemory || at > endOfMemory - 4)
            return false;
        uint32_t value;
        std::memcpy(&value, m_stepped.world.hostMemory() + (at - nativeStreamMemory), sizeof value);
        return (value & ~mxcsr::writable) == 0;
    }
    // Whether a mask of zeros keeps a fault away is the processor's choice.
    if (operation == Operation::Maskmovq || operation == Operation::Maskmovdqu)
        return inMemory(m_stepped.cpu.gpr[Edi], 16);
    // Intel's processors report a pending x87 exception first, AMD's and this one do not.
    if (operation == Operation::Cvtpi2ps)
        return !(imageOf(m_stepped.cpu.fxsave).status & x87_status::errorSummary);
    return true;
}

// The native runner has pages of its own: only where it is known to have none is a page fault certain. How much an
// instruction that takes several values from the stack has done before its fault is the processor's choice.
bool StreamGenerator::faultIsTheHostsToo(const Fault& fault, Operation operation) const
{
    if (operation == Operation::Popa || operation == Operation::Pusha || operation == Operation::Enter)
        return m_isSystem;
    constexpr uint32_t around = 0x10000;
    const uint32_t cr2 = m_stepped.cpu.cr2;
    return m_isSystem || fault.exception != Exception::PageFault || cr2 < around
        || (cr2 >= nativeStreamMemory - around && cr2 < endOfMemory + around);
}

StreamGenerator::Step StreamGenerator::tryBytes(const Bytes& bytes)
{
    Processor& cpu = m_stepped.cpu;
    const uint32_t eip = cpu.eip;
    if (!fits(bytes.size()))
        return Step::Refused;
    std::array<uint8_t, 16> padded;
    padded.fill(0xcc);
    std::copy(bytes.begin(), bytes.end(), padded.begin());
    Instruction instruction;
    m_stepped.decode(padded, instruction);
    if (!suits(instruction))
        return Step::Refused;
    m_stepped.keep(*m_snapshot);
    const std::optional<Fault> fault = m_stepped.execute(instruction);
    const bool endsHere = fault && m_values.oneIn(40) && faultIsTheHostsToo(*fault, instruction.entry->operation);
    if ((fault && !endsHere) || (!fault && !inCode(cpu.eip))) {
        m_stepped.goBack(*m_snapshot);
        return Step::Refused;
    }
    std::copy(bytes.begin(), bytes.end(), m_stream.before.code + offset(eip));
    if (m_isSystem)
        m_stepped.world.memory().write(eip, bytes);
    for (size_t n = 0; n < bytes.size(); ++n)
        m_used.set(offset(eip) + n);
    m_starts.set(offset(eip));
    m_stream.last = instruction.entry;
    m_fault = fault;
    if (fault)
        return Step::Faulted;
    m_entriesRun.insert(instruction.entry);
    m_stream.flags.ran(instruction);
    return Step::Ran;
}

// A stream that writes code is in memory as it is now; others cannot change.
void StreamGenerator::decodeHere(Instruction& instruction) const
{
    const uint32_t at = offset(m_stepped.cpu.eip);
    const size_t size = std::min<size_t>(16, nativeStreamCodeBytes - at);
    if (m_isSystem)
        m_stepped.decode({ m_stepped.world.memory().host(m_stepped.cpu.eip), size }, instruction);
    else
        m_stepped.decode({ m_stream.before.code + at, size }, instruction);
}

// What was written before, with other registers now. Whether it suits them.
bool StreamGenerator::runAgain()
{
    Instruction instruction;
    decodeHere(instruction);
    if (!suits(instruction))
        return false;
    m_fault = m_stepped.execute(instruction);
    m_stream.last = instruction.entry;
    if (!m_fault)
        m_stream.flags.ran(instruction);
    return !m_fault || faultIsTheHostsToo(*m_fault, instruction.entry->operation);
}

} // namespace namsan
