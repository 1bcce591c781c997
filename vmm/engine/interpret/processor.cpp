// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/processor.h"

#include "vmm/engine/interpret/debug_registers.h"
#include "vmm/engine/interpret/descriptor.h"
#include "vmm/engine/interpret/eflags_access.h"

#include <algorithm>
#include <thread>

namespace namsan {

namespace {

constexpr unsigned userLevel = 3;

// In real mode the hidden part's type is not looked at: a far jump into real mode leaves a code type in CS, and
// stores through it are right.
bool mayRead(const SegmentState& segment, bool protectedMode)
{
    const uint32_t rights = segment.accessRights;
    return !protectedMode || !(rights & access_rights::code) || (rights & access_rights::readable);
}

bool mayWrite(const SegmentState& segment, bool protectedMode)
{
    const uint32_t rights = segment.accessRights;
    return !protectedMode || (!(rights & access_rights::code) && (rights & access_rights::writable));
}

bool isFlat(const SegmentState& segment)
{
    const uint32_t kind = segment.accessRights & (access_rights::code | access_rights::expandDown);
    return isUsable(segment) && segment.base == 0 && segment.limit == 0xffffffff && kind != access_rights::expandDown;
}

uint32_t linearOrFault(SegmentIndex index, const SegmentState& segment, bool allowed, uint32_t offset, unsigned size)
{
    if (allowed && isUsable(segment) && withinLimit(segment, offset, size)) [[likely]]
        return segment.base + offset;
    throw Fault { index == Ss ? Exception::StackFault : Exception::GeneralProtection, 0 };
}

} // namespace

ModelFacts::ModelFacts(const CpuModel& model)
    : cr4Bits(model.cr4Bits())
    , eferBits(model.has(Feature::Nx) ? efer::noExecuteEnable : 0)
    , paging { .physicalBits = model.physicalAddressBits(), .pse36 = model.has(Feature::Pse36) }
{
}

Processor::Processor(GuestMemory& guestMemory, GuestBus& guestBus, const Clock& boardClock, const CpuModel& cpuModel,
    VcpuCounters& vcpuCounters)
    : bus(guestBus)
    , clock(boardClock)
    , model(cpuModel)
    , modelFacts(cpuModel)
    , counters(vcpuCounters)
    , memory(guestMemory, guestBus, vcpuCounters, cr2)
{
    memory.setModel(modelFacts.paging);
    load(CpuState::afterReset(cpuModel));
}

void Processor::setSegment(SegmentIndex index, const SegmentState& state)
{
    // The flags are right in both modes: what real mode allows beyond them takes the checked way.
    segments[index] = { state, isFlat(state) && mayRead(state, true), isFlat(state) && mayWrite(state, true) };
    if (index == Cs)
        leaveBlock = true;
}

void Processor::setCpl(uint8_t level)
{
    cpl = level;
    memory.setPrivilege(level == userLevel ? LinearMemory::Privilege::User : LinearMemory::Privilege::Supervisor);
    updateAlignmentCheck();
}

void Processor::updateAlignmentCheck()
{
    const bool on = (cr0 & cr0::alignmentMask) && (otherFlags & eflags::alignmentCheck) && cpl == userLevel;
    if (on != memory.checksAlignment()) {
        memory.setAlignmentCheck(on);
        leaveBlock = true;
    }
}

uint32_t Processor::checkedLinearForRead(SegmentIndex index, uint32_t offset, unsigned size)
{
    const SegmentState& segment = segments[index].state;
    return linearOrFault(index, segment, mayRead(segment, protectedMode()), offset, size);
}

uint32_t Processor::checkedLinearForWrite(SegmentIndex index, uint32_t offset, unsigned size)
{
    const SegmentState& segment = segments[index].state;
    return linearOrFault(index, segment, mayWrite(segment, protectedMode()), offset, size);
}

void Processor::pause()
{
    if (!isOneOfSeveral())
        return;
    if (pausesLeft > 1) {
        --pausesLeft;
        return;
    }
    pausesLeft = pausesBetweenYields;
    counters.yields.add();
    std::this_thread::yield();
}

void Processor::initialize()
{
    CpuState state = save();
    state.initialize(model, place.index, memory.isMemory(CpuState::resetPage));
    load(state);
}

void Processor::startUp(uint8_t vector)
{
    if (!waitsForStartUp) // systems send a second one; it finds a processor that may be between two instructions
        return;
    CpuState state = save();
    state.startUp(vector);
    load(state);
}

CpuState Processor::save() const
{
    CpuState state;
    std::copy_n(gpr.begin(), state.gpr.size(), state.gpr.begin());
    state.eip = eip;
    state.eflags = eflags();
    for (size_t index = 0; index < segments.size(); ++index)
        state.segments[index] = segments[index].state;
    state.ldtr = ldtr;
    state.tr = tr;
    state.gdtr = gdtr;
    state.idtr = idtr;
    state.cr0 = cr0;
    state.cr2 = cr2;
    state.cr3 = cr3;
    state.cr4 = cr4;
    state.efer = efer;
    state.dr = dr;
    state.sysenterCs = sysenterCs;
    state.sysenterEsp = sysenterEsp;
    state.sysenterEip = sysenterEip;
    state.pat = pat;
    state.tscOffset = tscOffset;
    state.fxsave = fxsave;
    state.mpState = waitsForStartUp ? MpState::WaitForStartUp : halted ? MpState::Halted : MpState::Running;
    state.interruptShadow = interruptShadow;
    state.nmiBlocked = nmiBlocked;
    return state;
}

void Processor::load(const CpuState& state)
{
    std::copy(state.gpr.begin(), state.gpr.end(), gpr.begin());
    gpr[Instruction::noRegister] = 0;
    eip = state.eip;
    nextEip = state.eip;
    setEflags(state.eflags);
    cr0 = state.cr0;
    cr2 = state.cr2;
    cr3 = state.cr3;
    cr4 = state.cr4;
    efer = state.efer;
    for (size_t index = 0; index < segments.size(); ++index)
        setSegment(static_cast<SegmentIndex>(index), state.segments[index]);
    ldtr = state.ldtr;
    tr = state.tr;
    gdtr = state.gdtr;
    idtr = state.idtr;
    dr = state.dr;
    sysenterCs = state.sysenterCs;
    sysenterEsp = state.sysenterEsp;
    sysenterEip = state.sysenterEip;
    pat = state.pat;
    tscOffset = state.tscOffset;
    fxsave = state.fxsave;
    halted = state.mpState == MpState::Halted;
    waitsForStartUp = state.mpState == MpState::WaitForStartUp;
    interruptShadow = state.interruptShadow;
    nmiBlocked = state.nmiBlocked;

    trapShadow = false;
    pendingDebug = 0;

    // SS.DPL is the CPL in protected mode (SDM volume 3, 25.4.1); in real mode it may be left over from before.
    if (virtual8086())
        setCpl(userLevel);
    else
        setCpl(protectedMode() ? static_cast<uint8_t>(dplOf(segments[Ss].state)) : 0);
    const bool pae = (cr0 & cr0::paging) && (cr4 & cr4::physicalAddressExtension);
    pageDirectoryPointers
        = pae ? memory.readPageDirectoryPointers(cr3).value_or(PageDirectoryPointers {}) : PageDirectoryPointers {};
    memory.setControl({ cr0, cr3, cr4, efer, pageDirectoryPointers });
    memory.flushAll();
    updateAlignmentCheck();
    applyBreakpoints(*this);
    leaveBlock = true;
}

} // namespace namsan
