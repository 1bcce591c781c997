// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/apic/local_apic_state.h"

#include <array>
#include <cstdint>
#include <optional>

namespace namsan {

class CpuModel;

// Indices of CpuState::gpr: the encoding order of Intel SDM volume 2, table 2-2.
enum Gpr : uint8_t { Eax, Ecx, Edx, Ebx, Esp, Ebp, Esi, Edi };

// Indices of CpuState::segments: the encoding order of Intel SDM volume 2, table B-8.
enum SegmentIndex : uint8_t { Es, Cs, Ss, Ds, Fs, Gs };

// Bits of EFLAGS. Intel SDM volume 1, 3.4.3.
namespace eflags {
constexpr uint32_t carry = 1 << 0;
constexpr uint32_t alwaysOne = 1 << 1;
constexpr uint32_t parity = 1 << 2;
constexpr uint32_t auxiliary = 1 << 4;
constexpr uint32_t zero = 1 << 6;
constexpr uint32_t sign = 1 << 7;
constexpr uint32_t trap = 1 << 8;
constexpr uint32_t interruptEnable = 1 << 9;
constexpr uint32_t direction = 1 << 10;
constexpr uint32_t overflow = 1 << 11;
constexpr uint32_t ioPrivilege = 3 << 12;
constexpr uint32_t nestedTask = 1 << 14;
constexpr uint32_t resume = 1 << 16;
constexpr uint32_t virtual8086 = 1 << 17;
constexpr uint32_t alignmentCheck = 1 << 18;
constexpr uint32_t virtualInterrupt = 1 << 19;
constexpr uint32_t virtualInterruptPending = 1 << 20;
constexpr uint32_t identification = 1 << 21;
constexpr uint32_t arithmetic = carry | parity | auxiliary | zero | sign | overflow;
} // namespace eflags

// Bits of control register 0 and 4. Intel SDM volume 3, 2.5.
namespace cr0 {
constexpr uint32_t protectionEnable = 1 << 0;
constexpr uint32_t monitorCoprocessor = 1 << 1;
constexpr uint32_t emulation = 1 << 2;
constexpr uint32_t taskSwitched = 1 << 3;
constexpr uint32_t extensionType = 1 << 4;
constexpr uint32_t numericError = 1 << 5;
constexpr uint32_t writeProtect = 1 << 16;
constexpr uint32_t alignmentMask = 1 << 18;
constexpr uint32_t notWriteThrough = 1 << 29;
constexpr uint32_t cacheDisable = 1 << 30;
constexpr uint32_t paging = 1u << 31;
} // namespace cr0
namespace cr4 {
constexpr uint32_t virtual8086Extensions = 1 << 0;
constexpr uint32_t protectedVirtualInterrupts = 1 << 1;
constexpr uint32_t timeStampDisable = 1 << 2;
constexpr uint32_t debuggingExtensions = 1 << 3;
constexpr uint32_t pageSizeExtensions = 1 << 4;
constexpr uint32_t physicalAddressExtension = 1 << 5;
constexpr uint32_t machineCheckEnable = 1 << 6;
constexpr uint32_t pageGlobalEnable = 1 << 7;
constexpr uint32_t performanceCounterEnable = 1 << 8;
constexpr uint32_t fxsave = 1 << 9; // OSFXSR
constexpr uint32_t simdExceptions = 1 << 10; // OSXMMEXCPT
} // namespace cr4

// Bits of IA32_EFER. Intel SDM volume 3, 2.2.1.
namespace efer {
constexpr uint64_t noExecuteEnable = 1 << 11; // NXE
} // namespace efer

// A segment register with its hidden part.
struct SegmentState {
    uint16_t selector = 0;
    // Bits 0-3 type, 4 S, 5-6 DPL, 7 P, 12 AVL, 14 D/B, 15 G, 16 unusable (a null selector): the layout of Intel SDM
    // volume 3, table 25-2 (VMCS access rights), which is that of a descriptor's upper half moved down by 8 bits.
    uint32_t accessRights = 0;
    uint32_t base = 0;
    uint32_t limit = 0; // in bytes, whatever G says: the last valid offset (expand-down: the last invalid one)

    bool operator==(const SegmentState&) const = default;
};

struct DescriptorTableState {
    uint32_t base = 0;
    uint16_t limit = 0;

    bool operator==(const DescriptorTableState&) const = default;
};

enum class MpState : uint8_t {
    Running,
    Halted, // HLT was executed; an interrupt goes on after it
    WaitForStartUp, // after INIT, other than the boot processor: only a SIPI goes on
};

// An event that was accepted but whose delivery has not begun.
struct PendingEvent {
    uint8_t vector = 0;
    bool hasErrorCode = false;
    uint32_t errorCode = 0;

    bool operator==(const PendingEvent&) const = default;
};

// x87, MMX, SSE: the 512 bytes of FXSAVE in its 32-bit form. Intel SDM volume 1, table 10-2.
struct alignas(16) FxsaveArea {
    std::array<uint8_t, 512> bytes {};

    bool operator==(const FxsaveArea&) const = default;
};

// Everything that makes a 32-bit processor go on exactly where it was. All engines understand it.
struct CpuState {
    std::array<uint32_t, 8> gpr {};
    uint32_t eip = 0;
    uint32_t eflags = eflags::alwaysOne;

    std::array<SegmentState, 6> segments {}; // by SegmentIndex
    SegmentState ldtr;
    SegmentState tr;
    DescriptorTableState gdtr;
    DescriptorTableState idtr;

    uint32_t cr0 = 0;
    uint32_t cr2 = 0;
    uint32_t cr3 = 0;
    uint32_t cr4 = 0;
    uint64_t efer = 0; // with PAE paging, the page directory pointers are read anew from where CR3 points
    std::array<uint32_t, 8> dr {}; // 4 and 5 unused

    uint32_t sysenterCs = 0;
    uint32_t sysenterEsp = 0;
    uint32_t sysenterEip = 0;
    uint64_t pat = 0x0007040600070406;
    uint64_t tscOffset = 0; // guest TSC = the board clock's tsc() + tscOffset

    FxsaveArea fxsave;

    MpState mpState = MpState::Running;
    bool interruptShadow = false; // the instruction after STI, MOV SS or POP SS has not run yet
    bool nmiBlocked = false; // until IRET
    bool nmiPending = false;
    LocalApicState apic; // where the model has one
    std::optional<PendingEvent> pendingEvent;

    bool operator==(const CpuState&) const = default;

    // What a processor holds after its reset pin was pulled: Intel SDM volume 3, table 10-1.
    static CpuState afterReset(const CpuModel&);
    static CpuState afterReset(); // of the standard model
    // Of one of several: all but number 0 wait to be started up.
    static CpuState afterReset(const CpuModel&, unsigned number);

    // INIT, and the SIPI after it, which only a processor takes that waits for one. Intel SDM volume 3, 9.1.1
    // and 9.4.3; table 9-1 tells what INIT leaves as it is. The local APIC sees to itself.
    static constexpr uint64_t resetPage = 0xfffff000;
    void initialize(const CpuModel&, unsigned number, bool memoryAtResetPage);
    void startUp(uint8_t vector);
};

} // namespace namsan
