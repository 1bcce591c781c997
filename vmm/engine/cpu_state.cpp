// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_state.h"

#include "vmm/engine/cpu_model.h"

namespace namsan {

CpuState CpuState::afterReset()
{
    return afterReset(CpuModel::standard());
}

CpuState CpuState::afterReset(const CpuModel& model)
{
    return afterReset(model, 0);
}

CpuState CpuState::afterReset(const CpuModel& model, unsigned number)
{
    CpuState state;
    state.mpState = number == 0 ? MpState::Running : MpState::WaitForStartUp;
    if (model.has(Feature::Apic))
        state.apic = LocalApicState::afterReset(number);
    state.gpr[Edx] = model.signature();
    state.eip = 0xfff0;

    constexpr uint32_t realModeData = 0x93; // present, writable, accessed
    constexpr uint32_t realModeCode = 0x9b; // present, readable code, accessed
    state.segments.fill({ 0, realModeData, 0, 0xffff });
    // The base is not the selector's: the first instruction lies 16 bytes below 4 GiB.
    state.segments[Cs] = { 0xf000, realModeCode, 0xffff0000, 0xffff };
    state.ldtr = { 0, 0x82, 0, 0xffff };
    state.tr = { 0, 0x8b, 0, 0xffff };
    state.gdtr = { 0, 0xffff };
    state.idtr = { 0, 0xffff };

    state.cr0 = cr0::cacheDisable | cr0::notWriteThrough | cr0::extensionType;
    state.dr[6] = 0xffff0ff0;
    state.dr[7] = 0x400;

    // FCW = 0040h, all registers valid (+0.0), MXCSR = 1F80h.
    state.fxsave.bytes[0] = 0x40;
    state.fxsave.bytes[4] = 0xff;
    state.fxsave.bytes[24] = 0x80;
    state.fxsave.bytes[25] = 0x1f;
    return state;
}

void CpuState::initialize(const CpuModel& model, unsigned number, bool memoryAtResetPage)
{
    CpuState state = afterReset(model, number);
    constexpr uint32_t keptInCr0 = cr0::cacheDisable | cr0::notWriteThrough;
    state.cr0 = (state.cr0 & ~keptInCr0) | (cr0 & keptInCr0);
    state.fxsave = fxsave;
    state.tscOffset = tscOffset;
    state.sysenterCs = sysenterCs;
    state.sysenterEsp = sysenterEsp;
    state.sysenterEip = sysenterEip;
    state.pat = pat;
    state.nmiPending = nmiPending;
    state.apic = apic;
    // Where no ROM lies below 4 GiB, the firmware's copy below 1 MiB answers: chipsets show it in both places.
    if (!memoryAtResetPage)
        state.segments[Cs].base = 0xf0000;
    *this = state;
}

void CpuState::startUp(uint8_t vector)
{
    if (mpState != MpState::WaitForStartUp)
        return;
    mpState = MpState::Running;
    segments[Cs].selector = static_cast<uint16_t>(vector << 8);
    segments[Cs].base = static_cast<uint32_t>(vector) << 12;
    eip = 0;
}

} // namespace namsan
