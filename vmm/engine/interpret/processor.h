// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/cpu_model.h"
#include "vmm/engine/cpu_state.h"
#include "vmm/engine/decode/instruction.h"
#include "vmm/engine/interpret/fault.h"
#include "vmm/engine/paging/linear_memory.h"
#include "vmm/session/vm_session.h"
#include "vmm/time/clock.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

namespace namsan {

// A segment register as the interpreter uses it: the architectural state and what follows from it for speed.
struct Segment {
    SegmentState state;
    bool flatReadable = false; // base 0, limit 4 GiB - 1, data readable: an offset is a linear address, no check needed
    bool flatWritable = false; // the same, and writable
};

// Which of how many processors one is.
struct ProcessorPlace {
    unsigned index = 0;
    unsigned count = 1;
};

// A local APIC's model-specific registers, and whether it is on. Of the processor's thread.
class ApicRegisters {
public:
    virtual ~ApicRegisters() = default;

    virtual std::optional<uint64_t> readMsr(uint32_t number) = 0; // nothing: #GP
    virtual bool writeMsr(uint32_t number, uint64_t value) = 0; // false: #GP
    virtual bool isEnabled() const = 0;
    virtual void setTscOffset(uint64_t) = 0;
};

// What the processor's model has that decides which bits of control registers exist. Intel SDM volume 3, 2.5.
struct ModelFacts {
    explicit ModelFacts(const CpuModel&);

    uint32_t cr4Bits = 0;
    uint64_t eferBits = 0; // 0: there is no IA32_EFER
    PageWalk::Model paging;
};

// A vCPU's registers and its ways to memory, as the instruction handlers see them. An open structure: handlers are many
// and small, and each keeps the rules that stand beside the members. Of the vCPU's thread alone.
struct Processor {
    Processor(GuestMemory&, GuestBus&, const Clock&, const CpuModel&, VcpuCounters&);

    // -- registers --------------------------------------------------------------------------------------------------

    std::array<uint32_t, 9> gpr {}; // by Gpr; [8] is always 0: "no register" in addresses
    uint32_t eip = 0; // of the instruction that runs; changed only by the loop
    uint32_t nextEip = 0; // where the loop goes on: preset to the following instruction, changed by control transfers

    // The six arithmetic flags as LAHF and SETO leave them in AX: AH = SF ZF 0 AF 0 PF 1 CF, AL = OF (0 or 1).
    uint16_t arithmeticFlags = 0x0200;
    uint32_t otherFlags = eflags::alwaysOne; // EFLAGS without its arithmetic bits
    uint32_t eflags() const; // both together (eflags_access.h)
    void setEflags(uint32_t); // any bits, no checks; effects (IF, TF) are seen at once

    std::array<Segment, 6> segments {}; // by SegmentIndex; changed by setSegment() only
    SegmentState ldtr;
    SegmentState tr;
    DescriptorTableState gdtr;
    DescriptorTableState idtr;
    uint8_t cpl = 0; // changed by setCpl() only

    uint32_t cr0 = 0; // changed by the functions of control_registers.h only
    uint32_t cr2 = 0;
    uint32_t cr3 = 0;
    uint32_t cr4 = 0;
    uint64_t efer = 0;
    PageDirectoryPointers pageDirectoryPointers {}; // with CR4.PAE
    std::array<uint32_t, 8> dr {}; // changed by the functions of debug_registers.h only
    uint32_t sysenterCs = 0;
    uint32_t sysenterEsp = 0;
    uint32_t sysenterEip = 0;
    uint64_t pat = 0;
    uint64_t tscOffset = 0;

    alignas(16) FxsaveArea fxsave; // x87, MMX and SSE registers live here, in FXSAVE's layout

    bool interruptShadow = false; // set by STI, MOV SS, POP SS; cleared by the loop after the following instruction
    bool nmiBlocked = false;
    bool halted = false; // HLT was executed: the loop returns
    bool waitsForStartUp = false; // after INIT: the loop returns until a SIPI comes

    bool trapShadow = false; // with interruptShadow, where debug traps wait as well: after MOV SS and POP SS
    bool breakpointsArmed = false; // DR7 enables some: instructions are looked at one by one
    uint32_t pendingDebug = 0; // bits of DR6 whose trap comes before the next instruction
    bool eventDelivered = false; // set by deliveries and task switches: after those no single-step trap is due

    // -- the rest of the machine --------------------------------------------------------------------------------------

    GuestBus& bus;
    const Clock& clock;
    const CpuModel& model;
    const ModelFacts modelFacts;
    VcpuCounters& counters;
    LinearMemory memory;
    ProcessorPlace place; // set once
    ApicRegisters* apic = nullptr; // set once; nullptr: the model has none
    bool isOneOfSeveral() const { return place.count > 1; }

    // PAUSE: the guest spins. Its rival may be waiting for this very host CPU. SDM volume 2, PAUSE.
    void pause();
    // Translated code counts down by itself, and calls when nothing is left. Often enough that a spinner doesn't use up
    // its time slice, and seldom enough to cost little where nobody waits.
    static constexpr uint32_t pausesBetweenYields = 128;
    uint32_t pausesLeft = pausesBetweenYields;
    // The guest reads its clock. Who does so between PAUSEs waits for time and for nobody: to give the host CPU away
    // would let delays take as long as others like to compute, and calibrations of such delays go wrong.
    void looksAtClock() { pausesLeft = pausesBetweenYields; }
    // All of this processor's stores before are seen by others before its loads after.
    void fence() const
    {
        if (isOneOfSeveral())
            std::atomic_thread_fence(std::memory_order_seq_cst);
    }

    // Makes the loop leave the current block after this instruction: for whatever changes how instructions are decoded
    // or fetched, may let an interrupt in (CR writes, STI, POPF, segment loads of CS, stores into the code that runs),
    // or changes what the loop looks at before an instruction: halts, shadows, TF, RF, breakpoints and their traps.
    bool leaveBlock = false;

    // -- modes
    // ----------------------------------------------------------------------------------------------------------

    bool protectedMode() const { return cr0 & cr0::protectionEnable; }
    bool virtual8086() const { return otherFlags & eflags::virtual8086; } // never without protected mode
    // Selectors are paragraph numbers: real mode and virtual-8086 mode.
    bool paragraphSegments() const { return !protectedMode() || virtual8086(); }
    bool code32() const { return segments[Cs].state.accessRights & 1 << 14; } // CS.D
    bool stack32() const { return segments[Ss].state.accessRights & 1 << 14; } // SS.B

    void setSegment(SegmentIndex, const SegmentState&); // no checks: the hidden part as given
    void setCpl(uint8_t);

    // Whether instructions of now have effects that only the interpreter sees to: breakpoints, alignment checks. TF and
    // RF are not part of it.
    bool isObserved() const { return breakpointsArmed || memory.checksAlignment(); }

    // To be called when CR0.AM, EFLAGS.AC or the privilege level may have changed other than by functions here.
    void updateAlignmentCheck();

    // -- memory operands
    // -----------------------------------------------------------------------------------------------

    uint32_t offsetOf(const Instruction& instruction) const
    {
        return (gpr[instruction.base] + (gpr[instruction.index] << instruction.scale) + instruction.displacement)
            & instruction.addressMask;
    }

    // The linear address of size bytes at segment:offset for an access of that kind. Limit, type and null-selector
    // violations throw #GP(0), or #SS(0) for SS. Intel SDM volume 3, 5.3 to 5.5.
    uint32_t linearForRead(SegmentIndex segment, uint32_t offset, unsigned size)
    {
        if (segments[segment].flatReadable) [[likely]]
            return offset;
        return checkedLinearForRead(segment, offset, size);
    }
    uint32_t linearForWrite(SegmentIndex segment, uint32_t offset, unsigned size)
    {
        if (segments[segment].flatWritable) [[likely]]
            return offset;
        return checkedLinearForWrite(segment, offset, size);
    }

    template <class T> T read(SegmentIndex segment, uint32_t offset)
    {
        return memory.read<T>(linearForRead(segment, offset, sizeof(T)));
    }
    template <class T> void write(SegmentIndex segment, uint32_t offset, T value)
    {
        memory.write<T>(linearForWrite(segment, offset, sizeof(T)), value);
    }
    template <class T> T readOperand(const Instruction& instruction)
    {
        return read<T>(static_cast<SegmentIndex>(instruction.segment), offsetOf(instruction));
    }
    template <class T> void writeOperand(const Instruction& instruction, T value)
    {
        write<T>(static_cast<SegmentIndex>(instruction.segment), offsetOf(instruction), value);
    }

    uint32_t checkedLinearForRead(SegmentIndex, uint32_t offset, unsigned size);
    uint32_t checkedLinearForWrite(SegmentIndex, uint32_t offset, unsigned size);

    // -- whole state
    // ----------------------------------------------------------------------------------------------------

    CpuState save() const;
    void load(const CpuState&); // flushes all that was derived

    // INIT, and the SIPI after it: CpuState's.
    void initialize();
    void startUp(uint8_t vector);
};

} // namespace namsan
