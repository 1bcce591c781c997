// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/session/vcpu_counters.h"

#include <cstdint>

namespace namsan {

class CodeRegion;
class FaultSites;

// Turns SIGSEGV and SIGBUS at a known place in translated code into a jump to that access's slow way.
//
// Signal handlers belong to the process and the one here stays once it is installed; what is none of translated code,
// on the thread that runs it, goes to the handler that was there before.
class FaultRedirection {
public:
    // While it lives, faults of this thread in that region's code are looked up there. It may be one of several that
    // live inside each other. The counter counts them.
    FaultRedirection(const CodeRegion&, const FaultSites&, Counter& faults);
    ~FaultRedirection();
    FaultRedirection(const FaultRedirection&) = delete;
    FaultRedirection& operator=(const FaultRedirection&) = delete;

    // Installs the handler; once for all, and safe to call again. False where the host refuses.
    static bool install();

    // For the handler: where to go on instead of at this address; 0 where nobody knows.
    uintptr_t redirect(uintptr_t instruction);
    static FaultRedirection* ofThisThread();

private:
    const CodeRegion& m_region;
    const FaultSites& m_sites;
    Counter& m_faults;
    FaultRedirection* m_outer;
};

} // namespace namsan
