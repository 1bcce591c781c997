// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/translate/assembler.h"
#include "vmm/engine/translate/fault_sites.h"
#include "vmm/engine/translate/guest_unit.h"
#include "vmm/engine/translate/kept_bases.h"
#include "vmm/engine/translate/liveness.h"
#include "vmm/engine/translate/memory_form.h"
#include "vmm/engine/translate/thunks.h"
#include "vmm/engine/translate/unit_store.h"

#include "vmm/base/inline_function.h"

#include <deque>
#include <unordered_set>
#include <vector>

// Included by the .cpp files of this folder only.
namespace namsan {

// Emits the code of units, one after the other.
//
// Every instruction of the guest changes registers only after the last thing in it that can fault, so that it can be
// begun again from the state that Processor then holds. The arithmetic flags are the host's, or lie in
// Processor::arithmeticFlags, or both; at the beginning and at each exit of a unit they lie there, unless they are dead
// there. A fault may find older values of flags that are dead.
class UnitEmitter {
public:
    struct Surroundings {
        Assembler& assembler;
        const Thunks& thunks;
        const MemoryForm& memoryForm;
        ProcessorOffsets offsets;
        UnitStore& units;
        FaultSites& faultSites;
        bool keepsBases; // where the form of memory does not ask
    };

    // Everything must outlive it.
    explicit UnitEmitter(const Surroundings&);

    // Emits at the assembler's place.
    TranslatedUnit emit(const GuestUnit&);

    // In units of that mode the instruction there looks for itself what its base register points to.
    void keepNoMore(PhysicalAddress instruction, uint32_t mode);
    void forgetKeptNoMore() { m_keptNoMore.clear(); }

private:
    using Step = GuestUnit::Step;
    using Emission = InlineFunction<40>;
    using ColdEmission = InlineFunction<104>;

    // What is known where the emitter stands. A cold path begins with what was known where it was added.
    struct State {
        bool flagsInHost = false;
        bool flagsInMemory = true;
        bool floatingPointInHost = false; // for sure
        const Step* lastX87 = nullptr; // whose pointers are still to be written
        const Step* lastX87Operand = nullptr;
    };
    struct Snippets {
        explicit Snippets(const ProcessorOffsets&);

        Snippet entryCheck;
        Snippet saveFlags;
        Snippet loadFlags;
        Snippet compareWithTable;
        Snippet jumpByTable;
    };
    enum class AfterHandler { GoOn, GoBack, Leave }; // at its place; from a cold path; in any case

    // -- the frame of a unit: unit_emitter.cpp
    void emitStep(const Step&);
    void emitColdPaths();
    HandlerSite& emitHandler(const Step&, AfterHandler = AfterHandler::GoOn);
    bool emitSpecial(const Step&);

    // -- flags: unit_emitter.cpp
    bool flagsMustBeSaved(uint32_t live) const { return live && m_state.flagsInHost && !m_state.flagsInMemory; }
    void saveFlags();
    void saveFlagsIfLive(uint32_t live);
    void loadFlags();
    void loadFlagsIfLive(uint32_t live);
    void noteFlagEffect(const FlagEffect&);

    // -- memory operands: emit_memory.cpp
    struct ColdPath {
        State state;
        JumpLabel start;
        JumpLabel back;
        ColdEmission emit;
        Emission operation; // of an access
        KeptBases bases; // at back
        uint32_t begin = 0; // in the code region, when it has been emitted
    };
    struct FaultSite { // places in the code region
        uint32_t lookup;
        uint32_t begin;
        ColdPath* cold;
        uint32_t eip;
        uint8_t executedBefore;
        uint8_t size;
        bool writes;
        uint8_t host = 10;
        bool isKept = false;
        bool usesKept = false;
        bool canAsk = true;
        bool byWrites = false;
    };
    // What a slow way has to know of the lookup that it stands in for.
    struct SlowWay {
        bool keepsFlags; // they are in the host
        uint32_t site; // its number
    };
    void saveFlagsBeforeLookup(uint32_t live);
    SlowWay emitLookup(const Step&, MemoryAccess, unsigned size, ColdPath&);
    void emitOffset(const Instruction&, const Xbyak::Reg32& to, uint32_t espMoved = 0);
    void emitAddress(const Instruction&, uint32_t espMoved = 0);
    // The lookup of the address in r8d. afterRead comes back to behind the lookup.
    void emitReadLookup(const Step&, unsigned size);
    // The lookup, and what writes (and perhaps reads) the operand, once for RAM and once for the slow way. What is
    // emitted twice must not change the emitter's state.
    void emitWrite(const Step&, unsigned size, bool alsoReads, const Emission& operation);
    void emitSlowCall(const uint8_t* thunk, uint32_t site);

    // -- accesses whose places may be kept: emit_kept.cpp
    enum class AccessKind { Read, Write, ReadAndWrite };
    struct Access {
        AccessKind kind = AccessKind::Read;
        unsigned size = 4;
        uint8_t base = Instruction::noRegister; // where it is all there is beside the displacement
        uint32_t displacement = 0;
        uint32_t espMoved = 0; // for emitOffset()
        bool byInstruction = false; // its operand in ModRM, with all its parts
        bool addressIsThere = false; // in r8d, and is wanted there by the operation
        bool last = false; // what is kept is of no use to anybody afterwards
    };
    static Access stackAccess(AccessKind kind, uint32_t displacement)
    {
        return { .kind = kind, .base = Esp, .displacement = displacement };
    }
    Access operandAccess(const Step&, AccessKind) const;
    // Carries out the operation on m_operand: the access, and what the instruction does with it. It is emitted twice.
    void emitAccess(const Step&, const Access&, const Emission& operation);
    void emitAccessAddress(const Step&, const Access&);
    std::optional<unsigned> placeToKeep(const Step&, const Access&) const;
    Assembler::Place emitPlace(const Step&, const Access&, FaultSite&);
    void emitSlowAccess(const Step&, const Access&, ColdPath&, SlowWay);
    void emitBasesAgain(const KeptBases&);
    static uint64_t keyOf(PhysicalAddress instruction, uint32_t mode)
    {
        return instruction << unit_mode::bits | (mode & ~unit_mode::anyPage);
    }
    bool keepsNoMore(PhysicalAddress instruction) const;
    void beginStep(const Step&);
    void endStep(const Step&);
    const BaseUse& useOf(const Step& step) const { return m_uses[indexOf(step)]; }

    // -- operations: emit_operations.cpp
    void emitOrdinary(const Step&);
    void emitEncoded(const Instruction&, bool locked = false);
    void emitOrdinaryByAccess(const Step&, bool needsFlags);
    void emitExchange(const Step&);
    void emitDivision(const Step&);
    void emitBitTest(const Step&);

    // -- one of several processors: emit_locked.cpp
    bool emitForSeveral(const Step&);
    void emitLocked(const Step&);
    void emitPause(const Step&);
    void emitHandlerInstead(const Step&, ColdPath&);

    // -- x87, MMX and SSE: emit_floating_point.cpp
    void emitFloatingPoint(const Step&);
    void emitFloatingPointWithMemory(const Step&, bool pointers, const FlagEffect&);
    void emitFloatingPointEncoded(const Instruction&);
    void emitLoadOfControlWord(const Step&);
    void emitAlignmentCheck(const Step&);
    void requireFloatingPoint(const Step&);
    void keepFloatingPoint();
    void flushX87Pointers();
    void emitX87OperandPointer(const Step&);
    void noteX87OperandPointer(const Step&, bool emitted);

    // -- strings: emit_strings.cpp
    void emitString(const Step&);
    void emitStringElement(const Step&);
    void emitStringEncoded(const Instruction&);
    void emitRepeatedMove(const Step&, ColdPath&);
    void emitRepeatedComparison(const Step&, ColdPath&);
    void emitSureLookup(MemoryAccess, ColdPath&);

    // -- the flags as a whole: emit_flags.cpp
    void emitPushFlags(const Step&);
    void emitPopFlags(const Step&);
    void emitOtherFlag(uint32_t flag, bool set);
    void emitLeaveIfAttention(const Step&);

    // -- stack and jumps: emit_transfers.cpp
    void emitPush(const Step&);
    void emitPushValue(const Step&, const Emission& storeValue);
    void emitPop(const Step&);
    void emitLeave(const Step&);
    void emitCall(const Step&);
    void emitJumpIndirect(const Step&);
    void emitReturn(const Step&);
    void emitConditionalJump(const Step&);
    void emitTargetToValue(const Step&);
    void emitExitTo(uint32_t target, uint32_t fromEip, uint32_t live, unsigned executed);
    void emitExitToValue(unsigned executed);
    void countExecuted(unsigned executed);
    // Of an address as the unit has it the linear address that it is now. Changes no flags; the second changes r9.
    void emitLinear(const Xbyak::Reg32& to, uint32_t address);
    void emitStoreLinear(int processorOffset, uint32_t address);

    void emitExitByTable();

    bool servesAnyPage() const { return m_unit->mode & unit_mode::anyPage; }
    static Assembler::Place framePlace(size_t offset)
    {
        return { .base = static_cast<uint8_t>(register_map::frame.getIdx()),
            .displacement = static_cast<int32_t>(offset) };
    }
    unsigned indexOf(const Step& step) const { return static_cast<unsigned>(&step - m_unit->steps.data()); }
    uint32_t here() const { return static_cast<uint32_t>(m_assembler.getSize()); }
    Assembler::Place stackPlace(int32_t displacement) const
    {
        return { .base = register_map::hostOfGuest[Esp], .displacement = displacement };
    }
    ColdPath& addColdPath();

    Assembler& m_assembler;
    const Thunks& m_thunks;
    const MemoryForm& m_memoryForm;
    const bool m_asks; // that form
    const ProcessorOffsets m_offsets;
    UnitStore& m_units;
    FaultSites& m_allFaultSites;
    const bool m_keepsBases;
    const Snippets m_snippets;
    std::unordered_set<uint64_t> m_keptNoMore; // instructions, by keyOf()

    // Of the unit that is emitted. The memory is used again for the next.
    const GuestUnit* m_unit = nullptr;
    State m_state;
    std::deque<ColdPath> m_coldPaths; // as many as any unit has had
    size_t m_coldPathCount = 0;
    std::vector<FaultSite> m_faultSites;
    std::vector<BaseUse> m_uses; // by step
    KeptBases m_bases;
    bool m_keeps = false; // what is kept outlasts the instruction that is emitted
    Assembler::Place m_operand = Assembler::operandPlace();
};

} // namespace namsan
