// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/session/soft/soft_session.h"
#include "vmm/time/clock.h"

#include <bit>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace namsan {

// A bus with nothing on it: reads float high, writes are remembered.
class EmptyGuestBus : public GuestBus {
public:
    struct Write {
        uint64_t address;
        unsigned size;
        uint64_t value;
        bool operator==(const Write&) const = default;
    };

    uint32_t portIn(Port, Width width) override { return allOnes(width); }
    void portOut(Port port, Width width, uint32_t value) override
    {
        portWrites.push_back({ port, bytesOf(width), value });
    }
    uint64_t mmioRead(PhysicalAddress, unsigned size) override { return ~uint64_t { 0 } >> (64 - 8 * size); }
    void mmioWrite(PhysicalAddress address, unsigned size, uint64_t value) override
    {
        mmioWrites.push_back({ address, size, value });
    }
    uint8_t acknowledgeInterrupt() override
    {
        ++acknowledged;
        return vector;
    }

    std::vector<Write> portWrites;
    std::vector<Write> mmioWrites;
    uint8_t vector = 0x20;
    unsigned acknowledged = 0;
};

// A few bytes of machine code on a processor of their own, without paging: from a state where everything is flat (or
// real mode) to HLT. Every exception and interrupt has a handler that is one HLT, so what was raised can be told.
class GuestProgram {
public:
    enum class Mode { Flat32, Real16 };

    static constexpr uint32_t codeAddress = 0x10000; // real mode: 1000:0000
    static constexpr uint32_t dataAddress = 0x20000;
    static constexpr uint32_t stackTop = 0x90000; // real mode: 8000:FFF0
    static constexpr uint32_t handlersAddress = 0x3000; // 16 bytes for each vector
    static constexpr uint32_t memorySize = 2 << 20;

    explicit GuestProgram(Mode mode = Mode::Flat32)
        : m_mode(mode)
    {
        for (unsigned vector = 0; vector < 256; ++vector) {
            const uint32_t handler = handlersAddress + 16 * vector;
            write<uint8_t>(handler, 0xf4);
            if (mode == Mode::Flat32)
                write<uint64_t>(idtAddress + 8 * vector,
                    uint64_t { handler >> 16 } << 48 | uint64_t { 0x8e00 } << 32 | codeSelector << 16
                        | (handler & 0xffff));
            else
                write<uint32_t>(4 * vector, handler); // 0000:handler
        }
        write<uint64_t>(gdtAddress + codeSelector, 0x00cf9b000000ffff);
        write<uint64_t>(gdtAddress + dataSelector, 0x00cf93000000ffff);
        state = mode == Mode::Flat32 ? flatState() : realState();
    }

    // Puts code where the program begins, and HLT behind it.
    GuestProgram& code(std::initializer_list<uint8_t> bytes)
    {
        store(codeAddress, bytes);
        write<uint8_t>(codeAddress + static_cast<uint32_t>(bytes.size()), 0xf4);
        return *this;
    }
    GuestProgram& store(uint32_t address, std::initializer_list<uint8_t> bytes)
    {
        memory().write(address, std::span(bytes.begin(), bytes.size()));
        return *this;
    }
    template <class T> GuestProgram& write(uint32_t address, T value)
    {
        memory().write(address, { reinterpret_cast<const uint8_t*>(&value), sizeof value });
        return *this;
    }
    template <class T> T read(uint32_t address)
    {
        T value;
        memory().read(address, { reinterpret_cast<uint8_t*>(&value), sizeof value });
        return value;
    }

    // The state to begin with, then the one at the end of run().
    CpuState state;
    uint32_t& reg(Gpr gpr) { return state.gpr[gpr]; }

    // Loads the state, runs until the processor has something to tell, and fetches the state.
    VcpuExit::Reason run()
    {
        vcpu().load(state);
        return goOn();
    }
    VcpuExit::Reason goOn()
    {
        const VcpuExit exit = vcpu().run();
        state = vcpu().save();
        return exit.reason;
    }

    // The exception or interrupt in whose handler the processor stands.
    std::optional<unsigned> raised() const
    {
        const uint32_t linear = state.segments[Cs].base + state.eip - 1;
        if (linear < handlersAddress || linear >= handlersAddress + 16 * 256 || linear % 16)
            return {};
        return (linear - handlersAddress) / 16;
    }

    // What an exception without error code (index 0: EIP) or with one (index 1: EIP) has pushed.
    uint32_t pushed(unsigned index)
    {
        const uint32_t stack = state.segments[Ss].base + state.gpr[Esp];
        return m_mode == Mode::Flat32 ? read<uint32_t>(stack + 4 * index) : read<uint16_t>(stack + 2 * index);
    }

    GuestMemory& memory() { return *m_memory; }
    EmptyGuestBus& bus() { return m_bus; }
    ManualClock& clock() { return m_clock; }
    SoftSession& session() { return m_session; }
    Vcpu& vcpu() { return m_session.vcpu(0); }

private:
    static constexpr uint32_t gdtAddress = 0x1000;
    static constexpr uint32_t idtAddress = 0x2000;
    static constexpr uint16_t codeSelector = 8;
    static constexpr uint16_t dataSelector = 16;

    static CpuState flatState()
    {
        CpuState state = CpuState::afterReset();
        state.cr0 = (state.cr0 & ~(cr0::cacheDisable | cr0::notWriteThrough)) | cr0::protectionEnable;
        state.gdtr = { gdtAddress, 0xff };
        state.idtr = { idtAddress, 256 * 8 - 1 };
        for (SegmentState& segment : state.segments)
            segment = { dataSelector, 0xc093, 0, 0xffffffff };
        state.segments[Cs] = { codeSelector, 0xc09b, 0, 0xffffffff };
        state.eip = codeAddress;
        state.gpr[Esp] = stackTop;
        return state;
    }

    static CpuState realState()
    {
        CpuState state = CpuState::afterReset();
        state.idtr = { 0, 0x3ff };
        for (SegmentState& segment : state.segments)
            segment = { dataAddress >> 4, 0x93, dataAddress, 0xffff };
        state.segments[Cs] = { codeAddress >> 4, 0x9b, codeAddress, 0xffff };
        state.segments[Ss] = { 0x8000, 0x93, 0x80000, 0xffff };
        state.eip = 0;
        state.gpr[Esp] = 0xfff0;
        return state;
    }

    Mode m_mode;
    ManualClock m_clock;
    EmptyGuestBus m_bus;
    std::unique_ptr<GuestMemory> m_memory = std::move(*GuestMemory::create(memorySize));
    SoftSession m_session { *m_memory, m_clock, CpuModel::standard(), m_bus };
};

} // namespace namsan
