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
    CpuState state;
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

} // namespace namsan
