// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/interpret/control_registers.h"
#include "vmm/engine/interpret/descriptor.h"
#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/interpret/segment_loading.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace namsan {

// The rest of the machine, as a test sets it up: remembers what was asked of it.
class RecordingBus final : public GuestBus {
public:
    struct Access {
        uint64_t address;
        unsigned size;
        uint64_t value;

        bool operator==(const Access&) const = default;
    };

    uint32_t portIn(Port port, Width width) override
    {
        portReads.push_back({ port, bytesOf(width), 0 });
        return portValue;
    }
    void portOut(Port port, Width width, uint32_t value) override
    {
        portWrites.push_back({ port, bytesOf(width), value });
    }
    uint64_t mmioRead(PhysicalAddress address, unsigned size) override
    {
        mmioReads.push_back({ address, size, 0 });
        return mmioValue;
    }
    void mmioWrite(PhysicalAddress address, unsigned size, uint64_t value) override
    {
        mmioWrites.push_back({ address, size, value });
    }
    uint8_t acknowledgeInterrupt() override { return 0x20; }

    uint32_t portValue = 0x12345678;
    uint64_t mmioValue = 0x1122334455667788;
    std::vector<Access> portReads;
    std::vector<Access> portWrites;
    std::vector<Access> mmioReads;
    std::vector<Access> mmioWrites;
};

// A processor over memory of 16 MiB with nothing around it, fresh from reset, and the tables that an operating system
// would make for it.
//
// 1000 GDT (the selectors below), 2000 IDT, 3000 TSS, 4000 LDT; 8000 top of the level 0 stack, 9000 top of the level
// 3 stack; 10000 page directory, 11000 page table of the first 4 MiB.
class ProcessorBench {
public:
    static constexpr uint32_t gdt = 0x1000;
    static constexpr uint32_t idt = 0x2000;
    static constexpr uint32_t tss = 0x3000;
    static constexpr uint32_t ldt = 0x4000;
    static constexpr uint32_t kernelStack = 0x8000;
    static constexpr uint32_t userStack = 0x9000;
    static constexpr uint32_t pageDirectory = 0x10000;
    static constexpr uint32_t pageTable = 0x11000;

    static constexpr uint16_t kernelCode = 0x08;
    static constexpr uint16_t kernelData = 0x10;
    static constexpr uint16_t userCode = 0x1b;
    static constexpr uint16_t userData = 0x23;
    static constexpr uint16_t taskState = 0x28;
    static constexpr uint16_t localTable = 0x30;
    static constexpr uint16_t spare = 0x38; // for the test; the table ends after two more
    static constexpr uint16_t spare2 = 0x40;
    static constexpr uint16_t outside = 0x48; // beyond the GDT's limit

    // Access bytes of descriptors.
    static constexpr uint8_t code0 = 0x9a;
    static constexpr uint8_t data0 = 0x92;
    static constexpr uint8_t code3 = 0xfa;
    static constexpr uint8_t data3 = 0xf2;
    static constexpr uint8_t conformingCode0 = 0x9e;
    static constexpr uint8_t executeOnly0 = 0x98;
    static constexpr uint8_t readOnlyData0 = 0x90;
    static constexpr uint8_t expandDown0 = 0x96;
    static constexpr uint8_t notPresent = 0x80; // to be taken away

    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(16 << 20));
    RecordingBus bus;
    ManualClock clock;
    VcpuCounters counters;
    Processor cpu { *memory, bus, clock, CpuModel::standard(), counters };

    // -- physical memory

    template <class T> void put(uint64_t address, T value)
    {
        memory->write(address, { reinterpret_cast<const uint8_t*>(&value), sizeof value });
    }
    template <class T> T get(uint64_t address) const
    {
        T value {};
        memory->read(address, { reinterpret_cast<uint8_t*>(&value), sizeof value });
        return value;
    }
    uint32_t get32(uint64_t address) const { return get<uint32_t>(address); }

    // -- tables

    // flags: bit 3 G, bit 2 D/B
    static uint64_t makeDescriptor(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags = 0xc)
    {
        return (limit & 0xffff) | uint64_t { base & 0xffffff } << 16 | uint64_t { access } << 40
            | uint64_t { limit >> 16 & 0xf } << 48 | uint64_t { flags } << 52 | uint64_t { base >> 24 } << 56;
    }
    static uint64_t makeGate(uint16_t selector, uint32_t offset, uint8_t access, uint8_t parameters = 0)
    {
        return (offset & 0xffff) | uint64_t { selector } << 16 | uint64_t { parameters } << 32
            | uint64_t { access } << 40 | uint64_t { offset >> 16 } << 48;
    }
    void setDescriptor(uint16_t selector, uint64_t descriptor) { put(gdt + (selector & 0xfff8u), descriptor); }
    void setGate(uint8_t vector, uint64_t gate) { put(idt + vector * 8u, gate); }

    void enterProtectedMode()
    {
        setDescriptor(kernelCode, makeDescriptor(0, 0xfffff, code0));
        setDescriptor(kernelData, makeDescriptor(0, 0xfffff, data0));
        setDescriptor(userCode, makeDescriptor(0, 0xfffff, code3));
        setDescriptor(userData, makeDescriptor(0, 0xfffff, data3));
        setDescriptor(taskState, makeDescriptor(tss, 0xff, 0x89, 0));
        setDescriptor(localTable, makeDescriptor(ldt, 0x1f, 0x82, 0));
        cpu.gdtr = { gdt, outside - 1 };
        cpu.idtr = { idt, 0x7ff };
        writeCr0(cpu, cr0::protectionEnable);
        cpu.setSegment(Cs, { kernelCode, 0xc09b, 0, 0xffffffff });
        for (const SegmentIndex index : { Es, Ss, Ds, Fs, Gs })
            loadSegment(cpu, index, kernelData);
        cpu.gpr[Esp] = kernelStack;
        cpu.eip = 0x5000;
        put<uint32_t>(tss + 4, kernelStack);
        put<uint16_t>(tss + 8, kernelData);
        put<uint16_t>(tss + 102, 0xffff); // no I/O map
        cpu.tr = { taskState, 0x8b, tss, 0xff };
    }

    void enterLevel3()
    {
        cpu.setCpl(3);
        cpu.setSegment(Cs, { userCode, 0xc0fb, 0, 0xffffffff });
        for (const SegmentIndex index : { Es, Ss, Ds, Fs, Gs })
            loadSegment(cpu, index, userData);
        cpu.gpr[Esp] = userStack;
    }

    // Maps the first 4 MiB onto themselves, for everybody; page tables included.
    void enablePaging()
    {
        put<uint32_t>(pageDirectory, pageTable | 7);
        for (uint32_t page = 0; page < 1024; ++page)
            put<uint32_t>(pageTable + 4 * page, page << 12 | 7);
        writeCr3(cpu, pageDirectory);
        writeCr0(cpu, cpu.cr0 | cr0::paging);
    }
    static uint32_t tableEntry(uint32_t linear) { return pageTable + (linear >> 12 & 0x3ff) * 4; }
    void setPage(uint32_t linear, uint32_t entry)
    {
        put<uint32_t>(tableEntry(linear), entry);
        cpu.memory.invalidatePage(linear);
    }

    // -- running

    // Runs one instruction, which need not be in memory. EIP moves only where it does not fault.
    void step(std::initializer_list<uint8_t> bytes)
    {
        Instruction instruction;
        const std::vector<uint8_t> code(bytes);
        m_decoder->decode(code, cpu.code32(), instruction);
        cpu.nextEip = cpu.eip + instruction.length;
        instruction.execute(cpu, instruction);
        cpu.eip = cpu.nextEip;
    }

    // The fault that an action ends in, if it does.
    template <class Action> static std::optional<Fault> faultOf(Action&& action)
    {
        try {
            action();
        } catch (const Fault& fault) {
            return fault;
        }
        return {};
    }
    std::optional<Fault> faultOfStep(std::initializer_list<uint8_t> bytes)
    {
        return faultOf([&] { step(bytes); });
    }

private:
    static const Decoder& decoder()
    {
        static const Decoder decoder;
        return decoder;
    }
    const Decoder* m_decoder = &decoder();
};

inline bool operator==(const Fault& left, const Fault& right)
{
    return left.exception == right.exception && left.errorCode == right.errorCode;
}

// Readable in a failed expectation: "exception 13, error code 8".
inline void PrintTo(const Fault& fault, std::ostream* stream)
{
    *stream << "exception " << static_cast<unsigned>(fault.exception);
    if (fault.errorCode)
        *stream << ", error code 0x" << std::hex << *fault.errorCode << std::dec;
}

inline std::optional<Fault> generalProtection(uint32_t errorCode = 0)
{
    return Fault { Exception::GeneralProtection, errorCode };
}
inline std::optional<Fault> invalidOpcode()
{
    return Fault { Exception::InvalidOpcode, {} };
}
inline std::optional<Fault> pageFault(uint32_t errorCode)
{
    return Fault { Exception::PageFault, errorCode };
}
inline std::optional<Fault> fault(Exception exception, uint32_t errorCode)
{
    return Fault { exception, errorCode };
}

} // namespace namsan
