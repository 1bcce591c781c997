// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/session/session_rig.h"

namespace namsan {

// Faults that some hosts' KVM has, above all where it emulates or runs guests without the processor's help. Each is
// shown by a program of a few instructions and a few ioctls, without anything of the engine.
namespace host_fault {
extern const HostFault narrowWindowIsMissed;
extern const HostFault userModeCannotCallGates;
extern const HostFault paging32DoesNotWork;
extern const HostFault timeStampCounterIsTheHosts;
extern const HostFault cpuidIsTheHosts;
extern const HostFault anyPatIsTaken;
extern const HostFault adjustmentsTakeFlagsOfEax;
extern const HostFault shortEnterPushesTheLongWay;
extern const HostFault pagingPaeDoesNotWork;
extern const HostFault virtual8086ModeDoesNotWork;
extern const HostFault userModeCannotUseCallGates;
extern const HostFault taskGatesAreNone;
extern const HostFault dataBreakpointsAreNotHit;
extern const HostFault shadowHoldsNoTrapBack;
extern const HostFault repetitionIsOneStep;
extern const HostFault trapAfterPortAccessIsLost;
extern const HostFault noAlignmentChecks;
extern const HostFault splitLocksAreNotAtomic;
} // namespace host_fault

} // namespace namsan
