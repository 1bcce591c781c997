// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/guest_program.h"
#include "vmm/session/soft/soft_session.h"
#include "vmm/session/vm_session.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace namsan {

// Machine code, put together instruction by instruction. Labels are offsets into it.
class Code {
public:
    Code& bytes(std::initializer_list<uint8_t> more)
    {
        for (const uint8_t byte : more)
            m_bytes.push_back(byte);
        return *this;
    }
    Code& word32(uint32_t value)
    {
        for (unsigned shift = 0; shift < 32; shift += 8)
            m_bytes.push_back(static_cast<uint8_t>(value >> shift));
        return *this;
    }
    Code& append(const Code& more)
    {
        for (const uint8_t byte : more.m_bytes)
            m_bytes.push_back(byte);
        return *this;
    }
    // A jump or call with an 8-bit or 32-bit distance to an offset in this code.
    Code& shortJump(uint8_t opcode, size_t target)
    {
        const auto distance = static_cast<int>(target) - static_cast<int>(m_bytes.size()) - 2;
        return bytes({ opcode, static_cast<uint8_t>(distance) });
    }
    Code& nearJump(uint8_t condition, size_t target)
    {
        bytes({ 0x0f, condition });
        return word32(static_cast<uint32_t>(target - m_bytes.size() - 4));
    }
    size_t size() const { return m_bytes.size(); }
    const std::vector<uint8_t>& done() const { return m_bytes; }

private:
    std::vector<uint8_t> m_bytes;
};

// A board that answers nothing, and acts as a test says. On the thread of whichever vCPU asks.
class SeveralBus final : public EmptyGuestBus {
public:
    void portOut(Port, Width, uint32_t value) override
    {
        if (onPortOut)
            onPortOut(value);
    }
    uint8_t acknowledgeInterrupt() override { return onAcknowledge ? onAcknowledge() : uint8_t { 0 }; }

    std::function<void(uint32_t)> onPortOut;
    std::function<uint8_t()> onAcknowledge;
};

// Several virtual processors of an engine, each on a thread of its own, in flat 32-bit protected mode with
// interrupts off, and without a board.
class SeveralRig {
public:
    static constexpr uint32_t memorySize = 8 << 20;
    static constexpr uint32_t codeAddress = 0x10000; // 4 KiB for each
    static constexpr uint32_t stackTop = 0x60000; // 4 KiB for each

    enum class Engine { Interpreter, Translator, TranslatorWithTables, Kvm };

    // Those that this host can serve.
    static std::vector<Engine> engines();
    static std::string nameOf(Engine);
    friend void PrintTo(Engine engine, std::ostream* stream) { *stream << nameOf(engine); } // for GoogleTest

    SeveralRig(unsigned count, Engine, const CpuModel& = CpuModel::standard().withLocalApic());

    unsigned count() const { return session->vcpuCount(); }
    void program(unsigned index, const Code&);
    void store(uint32_t address, const Code& code) { memory->write(address, code.done()); }
    template <class T> T read(uint32_t address) const
    {
        T value;
        memory->read(address, { reinterpret_cast<uint8_t*>(&value), sizeof value });
        return value;
    }
    template <class T> void write(uint32_t address, T value)
    {
        memory->write(address, { reinterpret_cast<const uint8_t*>(&value), sizeof value });
    }

    // Runs all until those in `awaited` (one bit each; all by default) have halted with interrupts off; then stops the
    // others. False: not within a minute, or one of them failed. With `enough`: until that comes true.
    bool run(uint32_t awaited = ~0u, const std::function<bool()>& enough = {});

    // Takes the processors as they are to another engine.
    void moveTo(Engine);

    // Gives all of them a GDT and an IDT, and a vector its handler.
    void makeTables();
    void handle(uint8_t vector, const Code& handler);

    std::vector<CpuState> states; // loaded by run(), and what it ends with
    SeveralBus bus;
    ManualClock clock;
    const CpuModel model;
    std::string failure; // of the last run() that gave false, or why there is no session
    std::unique_ptr<GuestMemory> memory;
    std::unique_ptr<VmSession> session;

private:
    std::unique_ptr<VmSession> make(unsigned count, Engine);
};

} // namespace namsan
