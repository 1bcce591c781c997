// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/fault_redirection.h"

#include "vmm/engine/translate/code_region.h"
#include "vmm/engine/translate/fault_sites.h"

#include <csignal>
#include <ucontext.h>

namespace namsan {

namespace {

thread_local FaultRedirection* current = nullptr;

struct Handlers {
    bool installed = false;
    struct sigaction formerSegv { };
    struct sigaction formerBus { };
};

const Handlers& handlers();

// As if this handler were not there. The default action is taken when the instruction faults again, or the signal comes
// again where somebody has sent it.
void passOn(int signal, siginfo_t* information, void* context)
{
    const struct sigaction& former = signal == SIGBUS ? handlers().formerBus : handlers().formerSegv;
    if (former.sa_flags & SA_SIGINFO)
        former.sa_sigaction(signal, information, context);
    else if (former.sa_handler == SIG_DFL || former.sa_handler == SIG_IGN) {
        sigaction(signal, &former, nullptr);
        if (information->si_code <= 0)
            raise(signal);
    } else
        former.sa_handler(signal);
}

void handle(int signal, siginfo_t* information, void* context)
{
    greg_t& instruction = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
    FaultRedirection* redirection = FaultRedirection::ofThisThread();
    const uintptr_t target = redirection ? redirection->redirect(static_cast<uintptr_t>(instruction)) : 0;
    if (target)
        instruction = static_cast<greg_t>(target);
    else
        passOn(signal, information, context);
}

Handlers installHandlers()
{
    Handlers installed;
    struct sigaction action { };
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK; // whoever gave the thread a stack of its own for signals had a reason
    sigemptyset(&action.sa_mask);
    installed.installed = sigaction(SIGSEGV, &action, &installed.formerSegv) == 0
        && sigaction(SIGBUS, &action, &installed.formerBus) == 0;
    return installed;
}

const Handlers& handlers()
{
    static const Handlers installed = installHandlers();
    return installed;
}

} // namespace

FaultRedirection::FaultRedirection(const CodeRegion& region, const FaultSites& sites, Counter& faults)
    : m_region(region)
    , m_sites(sites)
    , m_faults(faults)
    , m_outer(current)
{
    current = this;
}

FaultRedirection::~FaultRedirection()
{
    current = m_outer;
}

bool FaultRedirection::install()
{
    return handlers().installed;
}

FaultRedirection* FaultRedirection::ofThisThread()
{
    return current;
}

uintptr_t FaultRedirection::redirect(uintptr_t instruction)
{
    const auto begin = reinterpret_cast<uintptr_t>(m_region.executable(m_region.writable()));
    const uintptr_t offset = instruction - begin;
    if (offset >= m_region.size())
        return 0;
    const FaultSites::Site* site = m_sites.find(static_cast<uint32_t>(offset));
    if (!site)
        return 0;
    m_faults.add();
    return begin + site->slow;
}

} // namespace namsan
