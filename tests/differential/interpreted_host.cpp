// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/interpreted_host.h"

#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/interpret/fxsave_image.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace namsan {

namespace {

constexpr uint32_t pageDirectory = 0x1000;
constexpr uint32_t pageTable = 0x2000;
constexpr uint32_t presentWritableUser = 7;
constexpr uint32_t accessedAndDirty = 0x60;
constexpr uint32_t breakpoint = 3;

// A flat segment of user mode, present, 4 GiB; data is writable, code readable, both accessed.
SegmentState flatUserSegment(uint16_t selector, bool code)
{
    const uint32_t type = code ? 0xb : 0x3;
    return { selector, 0xc0f0 | type, 0, 0xffffffff };
}

} // namespace

struct InterpretedHost::Bus final : GuestBus {
    uint32_t portIn(Port, Width) override { return 0xffffffff; }
    void portOut(Port, Width, uint32_t) override { }
    uint64_t mmioRead(PhysicalAddress, unsigned) override { return ~uint64_t { 0 }; }
    void mmioWrite(PhysicalAddress, unsigned, uint64_t) override { }
    uint8_t acknowledgeInterrupt() override { return 0; }
};

InterpretedHost::InterpretedHost()
    : m_bus(std::make_unique<Bus>())
{
    auto memory = GuestMemory::create(4 << 20);
    if (!memory)
        throw std::runtime_error(memory.error().message);
    m_memory = std::move(*memory);
    m_processor = std::make_unique<Processor>(*m_memory, *m_bus, m_clock, CpuModel::standard(), m_counters);
    mapPages();
    enterUserMode();
}

InterpretedHost::~InterpretedHost() = default;

void InterpretedHost::mapPages()
{
    const auto put = [this](PhysicalAddress at, uint32_t value) { std::memcpy(m_memory->host(at), &value, 4); };
    put(pageDirectory, pageTable | presentWritableUser | accessedAndDirty);
    const auto mapPage = [&](uint32_t address) {
        put(pageTable + address / 4096 * 4, address | presentWritableUser | accessedAndDirty);
    };
    for (uint32_t i = 0; i < nativeCodePages; ++i)
        mapPage(nativeCodePage + i * 4096);
    mapPage(nativeDataPage);
}

void InterpretedHost::enterUserMode()
{
    CpuState state;
    state.cr0 = cr0::protectionEnable | cr0::monitorCoprocessor | cr0::extensionType | cr0::numericError
        | cr0::writeProtect | cr0::paging;
    state.cr3 = pageDirectory;
    state.cr4 = cr4::fxsave | cr4::simdExceptions;
    state.segments.fill(flatUserSegment(0x2b, false));
    state.segments[Cs] = flatUserSegment(0x23, true);
    m_processor->load(state);
}

GuestBus& InterpretedHost::bus()
{
    return *m_bus;
}

uint8_t* InterpretedHost::guestMemory()
{
    return m_memory->host(nativeMemory);
}

void InterpretedHost::give(const NativeState& state)
{
    Processor& processor = *m_processor;
    std::copy_n(state.gpr, 8, processor.gpr.begin());
    processor.eip = state.eip;
    processor.setEflags(state.eflags | eflags::interruptEnable | eflags::alwaysOne);
    processor.cr2 = 0;
    std::copy_n(state.fxsave, 512, processor.fxsave.bytes.begin());
    std::copy_n(state.memory, nativeMemoryBytes, guestMemory());
}

NativeState InterpretedHost::take()
{
    const Processor& processor = *m_processor;
    NativeState state {};
    std::copy_n(processor.gpr.begin(), 8, state.gpr);
    state.eip = processor.eip;
    state.eflags = processor.eflags();
    std::copy_n(processor.fxsave.bytes.begin(), 512, state.fxsave);
    std::copy_n(guestMemory(), nativeMemoryBytes, state.memory);
    return state;
}

const InstructionEntry* InterpretedHost::decode(const NativeCase& test) const
{
    Instruction instruction;
    m_decoder.decode(test.code, true, instruction);
    return instruction.entry;
}

Outcome InterpretedHost::run(const NativeCase& test)
{
    Processor& processor = *m_processor;
    give(test.before);
    Instruction instruction;
    m_decoder.decode(test.code, true, instruction);
    const uint32_t operand = processor.offsetOf(instruction);
    const uint32_t size = instruction.operandSize;
    try {
        // A repeated string instruction may stop between two repetitions, to let interrupts in.
        do {
            processor.nextEip = processor.eip + instruction.length;
            instruction.execute(processor, instruction);
        } while (processor.nextEip == processor.eip);
        processor.eip = processor.nextEip;
        return { take(), breakpoint, 0, 0, operand, size };
    } catch (const Fault& fault) {
        const uint32_t cr2 = fault.exception == Exception::PageFault ? processor.cr2 : 0;
        return { take(), static_cast<uint32_t>(fault.exception), fault.errorCode.value_or(0), cr2, operand, size };
    }
}

} // namespace namsan
