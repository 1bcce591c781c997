// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/native_stream.h"
#include "vmm/board/guest_memory.h"
#include "vmm/engine/cpu_state.h"
#include "vmm/session/vm_session.h"

#include <memory>

namespace namsan {

// Devices that nothing asks for anything.
struct SilentBus final : GuestBus {
    uint32_t portIn(Port, Width) override { return 0xffffffff; }
    void portOut(Port, Width, uint32_t) override { }
    uint64_t mmioRead(PhysicalAddress, unsigned) override { return ~uint64_t { 0 }; }
    void mmioWrite(PhysicalAddress, unsigned, uint64_t) override { }
    uint8_t acknowledgeInterrupt() override { return 0; }
};

// The native runner's address space as a guest: a stream's pages at the same addresses, CPL 3, flat segments; and a
// kernel of nothing but gates, each of which leads to a HLT.
class StreamWorld {
public:
    enum class Kind {
        Native, // as the native runner's
        Sealed, // the same, but nobody can read the code
        // Code can be written; pages may be away or read-only, and the kernel puts that right at the first page fault;
        // there are segments that are not flat.
        System,
        Bare, // CPL 0, no paging; a stream ends at a HLT
    };
    static constexpr uint16_t flatData = 0x23, basedData = 0x33, limitedData = 0x3b; // the latter of the System kind
    static constexpr uint32_t base = 0x1000;
    static constexpr uint32_t handlers = 0x3f8000; // 16 bytes for each vector
    static constexpr uint32_t kernelStack = 0x3f7000; // its top

    explicit StreamWorld(Kind);

    Kind kind() const { return m_kind; }

    GuestMemory& memory() { return *m_memory; }
    const GuestMemory& memory() const { return *m_memory; }
    uint8_t* hostMemory() const { return m_memory->host(nativeStreamMemory); } // of the two pages
    void putMemory(const NativeStream&);
    void takeMemory(NativeStream&) const;
    void putCode(const NativeStream&);
    void eraseCode(const NativeStream&);

    void putRights(const NativeStream&);
    void takeCode(NativeStream&) const;
    bool codeDiffers(const NativeStream&) const; // from what was taken
    // What the kernel does at a page fault. Whether that was all that is needed.
    bool putRight(uint32_t linear);

    CpuState stateBefore(const NativeStream&) const;
    // From the state in which a gate's handler has halted to what the native runner tells.
    void takeEnd(const CpuState&, NativeStream&) const;

private:
    static constexpr uint32_t pages = nativeStreamCodePages + nativeStreamMemoryBytes / 4096;
    static uint32_t addressOfPage(uint32_t number);

    void map(uint32_t address, uint32_t rights);
    void makePageFaultHandler();
    void makeTables();

    const Kind m_kind;
    std::unique_ptr<GuestMemory> m_memory;
};

} // namespace namsan
