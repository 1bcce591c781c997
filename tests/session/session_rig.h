// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_model.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace namsan {

// An engine under test: how its session is made.
struct Engine {
    using Maker
        = std::function<Result<std::unique_ptr<VmSession>>(GuestMemory&, const Clock&, const CpuModel&, GuestBus&)>;
    std::string name;
    Maker make;
};

// Everything around a session: remembers what the guest does, and answers as it was told to.
class RigBus final : public GuestBus {
public:
    struct Access {
        uint64_t address;
        unsigned size;
        uint64_t value;
        bool operator==(const Access&) const = default;
    };

    uint32_t portIn(Port port, Width width) override;
    void portOut(Port port, Width width, uint32_t value) override;
    uint64_t mmioRead(PhysicalAddress, unsigned size) override;
    void mmioWrite(PhysicalAddress, unsigned size, uint64_t value) override;
    uint8_t acknowledgeInterrupt() override;

    std::vector<Access> portReads, portWrites, mmioReads, mmioWrites;
    std::function<void(Port, uint32_t)> onPortOut; // on the vCPU's thread, as a device would act
    std::function<uint32_t(Port)> onPortIn;
    std::function<void()> onAcknowledge; // takes the request back, unless a test says otherwise
    uint8_t vector = 0x40;
    unsigned acknowledged = 0;
};

// A guest of 4 MiB on one engine, with a GDT, and an IDT whose handlers are one HLT each, so that it can be told what
// was raised. Programs are machine code, from a state where everything is set up, to HLT.
class SessionRig {
public:
    static constexpr uint32_t codeAddress = 0x10000; // real mode: 1000:0000
    static constexpr uint32_t dataAddress = 0x20000; // real mode: DS = ES = 2000h
    static constexpr uint32_t stackTop = 0x90000; // real mode: 8000:FFF0
    static constexpr uint32_t handlersAddress = 0x3000; // 16 bytes for each vector
    static constexpr uint32_t pageDirectory = 0x30000; // two page tables behind it: the first 8 MiB
    static constexpr uint32_t memorySize = 4 << 20;
    static constexpr PhysicalAddress trackedBase = 0xe0000000; // 16 pages
    static constexpr uint16_t userCode = 0x1b, userData = 0x23;

    explicit SessionRig(const Engine&);

    void flat32(std::vector<uint8_t> code); // protected mode, CPL 0, flat segments; no paging
    void paged32(std::vector<uint8_t> code); // the same with the first 8 MiB mapped to themselves, for users too
    void real16(std::vector<uint8_t> code);

    void store(uint32_t address, std::vector<uint8_t> bytes) { memory->write(address, bytes); }
    template <class T> void write(uint32_t address, T value)
    {
        memory->write(address, { reinterpret_cast<const uint8_t*>(&value), sizeof value });
    }
    template <class T> T read(uint32_t address)
    {
        T value;
        memory->read(address, { reinterpret_cast<uint8_t*>(&value), sizeof value });
        return value;
    }
    void setPage(uint32_t linear, uint32_t entry); // of the page tables; also while paging is off

    // Loads the state, runs, and fetches the state. A guest that does not end within a while is stopped: TimeOut.
    enum class End { Kicked, Halted, TripleFault, Failed, TimeOut };
    End run();
    End goOn(); // from where it is
    std::string failure; // of the last Failed

    std::optional<unsigned> raised() const; // in whose handler the processor stands
    uint32_t pushed(unsigned index); // of what lies on the stack, in units of the mode's gates

    Vcpu& vcpu() { return session->vcpu(0); }
    uint32_t reg(Gpr gpr) const { return state.gpr[gpr]; }

    CpuState state;
    ManualClock clock;
    RigBus bus;
    std::unique_ptr<GuestMemory> memory;
    std::unique_ptr<VmSession> session;
    std::string trouble; // why there is no session

private:
    static constexpr auto longEnough = std::chrono::seconds(60); // on a busy host, under a sanitizer

    void makeTables(bool realMode);
    bool m_real = false;
};

// What a case found wrong, in words.
class Verdict {
public:
    template <class A, class B> void equal(std::string_view what, const A& found, const B& wanted)
    {
        if (!(found == static_cast<A>(wanted)))
            add(fmt::format("{} is {:#x}, not {:#x}", what, found, static_cast<A>(wanted)));
    }
    void holds(std::string_view what, bool condition)
    {
        if (!condition)
            add(std::string(what));
    }
    void ends(SessionRig& rig, SessionRig::End found, SessionRig::End wanted);
    // The program ended in the handler of that vector.
    void raises(SessionRig&, SessionRig::End found, unsigned vector);
    // The program ended by its own HLT.
    void halts(SessionRig&, SessionRig::End found);

    const std::string& text() const { return m_text; }

private:
    void add(const std::string& complaint) { m_text += m_text.empty() ? complaint : "; " + complaint; }

    std::string m_text;
};

// A fault of the host's own KVM, shown by a program that uses none of our engine. Tells whether this host has it.
struct HostFault {
    const char* name;
    bool (*present)();
};

struct ConformanceCase {
    std::string name;
    void (*run)(SessionRig&, Verdict&);
    const HostFault* hostFault = nullptr; // that spoils it, if the host has it
};

// The table, in parts.
std::vector<ConformanceCase> accessCases();
std::vector<ConformanceCase> interruptCases();
std::vector<ConformanceCase> exceptionCases();
std::vector<ConformanceCase> pagingCases();
std::vector<ConformanceCase> memoryCases();
std::vector<ConformanceCase> processorCases();
std::vector<ConformanceCase> kickCases();
std::vector<ConformanceCase> modeCases();
std::vector<ConformanceCase> debugCases();

} // namespace namsan
