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
} // namespace host_fault

} // namespace namsan
