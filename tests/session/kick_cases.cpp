// SPDX-License-Identifier: GPL-3.0-or-later
// Kicks and requests from other threads, at any moment.
#include "tests/session/session_rig.h"

#include <atomic>
#include <random>
#include <thread>

namespace namsan {

namespace {

using End = SessionRig::End;

constexpr unsigned rounds = 200;

// Does something on another thread, after a moment that is another one each time: up to 200 microseconds.
template <class Action> std::thread soon(unsigned round, Action action)
{
    return std::thread([round, action] {
        std::minstd_rand random(round + 1);
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 200);
        while (std::chrono::steady_clock::now() < until) { }
        action();
    });
}

void kickBeforeRun(SessionRig& rig, Verdict& verdict)
{
    // inc ebx
    rig.flat32({ 0x43 });
    rig.vcpu().load(rig.state);
    rig.vcpu().kick();
    rig.vcpu().kick();
    verdict.ends(rig, rig.goOn(), End::Kicked);
    verdict.equal("EBX after the kick", rig.reg(Ebx), 0u);
    verdict.halts(rig, rig.goOn());
    verdict.equal("EBX", rig.reg(Ebx), 1u);
    verdict.equal("kicks counted", rig.vcpu().counters().kicks.value(), 1u);
}

void kickWhileItSpins(SessionRig& rig, Verdict& verdict)
{
    // jmp $
    rig.flat32({ 0xeb, 0xfe });
    rig.vcpu().load(rig.state);
    for (unsigned round = 0; round < rounds; ++round) {
        std::thread kicker = soon(round, [&rig] { rig.vcpu().kick(); });
        const End end = rig.goOn();
        kicker.join();
        verdict.ends(rig, end, End::Kicked);
        if (!verdict.text().empty())
            return;
    }
    verdict.equal("EIP", rig.state.eip, SessionRig::codeAddress);
    verdict.equal("kicks counted", rig.vcpu().counters().kicks.value(), rounds);
}

void kickWhileItTalksToDevices(SessionRig& rig, Verdict& verdict)
{
    // again: inc ebx; mov [a0000h],ebx; out 10h,al; jmp again
    rig.flat32({ 0x43, 0x89, 0x1d, 0x00, 0x00, 0x0a, 0x00, 0xe6, 0x10, 0xeb, 0xf5 });
    rig.vcpu().load(rig.state);
    for (unsigned round = 0; round < rounds; ++round) {
        std::thread kicker = soon(round, [&rig] { rig.vcpu().kick(); });
        const End end = rig.goOn();
        kicker.join();
        verdict.ends(rig, end, End::Kicked);
        // What was done is in the state: the write of EBX, and where the guest stands.
        const auto writes = static_cast<uint32_t>(rig.bus.mmioWrites.size());
        const auto outs = static_cast<uint32_t>(rig.bus.portWrites.size());
        const uint32_t step = rig.state.eip - SessionRig::codeAddress;
        verdict.equal("device writes", writes, step == 1 ? rig.reg(Ebx) - 1 : rig.reg(Ebx));
        verdict.equal("port writes", outs, step == 1 || step == 7 ? rig.reg(Ebx) - 1 : rig.reg(Ebx));
        if (!verdict.text().empty())
            return;
    }
}

void kickWhileHalted(SessionRig& rig, Verdict& verdict)
{
    // sti; hlt
    rig.flat32({ 0xfb, 0xf4 });
    rig.vcpu().load(rig.state);
    for (unsigned round = 0; round < rounds; ++round) {
        std::thread kicker = soon(round, [&rig] { rig.vcpu().kick(); });
        End end = rig.goOn();
        kicker.join();
        if (end == End::Halted) // it was sooner, and the kick is for the next run
            end = rig.goOn();
        verdict.ends(rig, end, End::Kicked);
    }
    verdict.ends(rig, rig.goOn(), End::Halted);
    verdict.equal("EIP", rig.state.eip, SessionRig::codeAddress + 2);
}

void requestsFromAnotherThread(SessionRig& rig, Verdict& verdict)
{
    // sti; again: cmp dword [5000h],ebx; je again; cli; hlt
    rig.flat32({ 0xfb, 0x39, 0x1d, 0x00, 0x50, 0x00, 0x00, 0x74, 0xf8, 0xfa });
    // inc dword [5000h]; iretd
    rig.store(SessionRig::handlersAddress + 16 * 0x40, { 0xff, 0x05, 0x00, 0x50, 0x00, 0x00, 0xcf });
    const CpuState begin = rig.state;
    for (unsigned round = 0; round < rounds; ++round) {
        rig.state = begin;
        rig.state.gpr[Ebx] = round;
        rig.vcpu().load(rig.state); // which would take back a local APIC's input that came before
        std::thread requester = soon(round, [&rig] { rig.vcpu().setInterruptRequest(true); });
        const End end = rig.goOn();
        requester.join();
        verdict.ends(rig, end, End::Halted);
        verdict.equal("interrupts handled", rig.read<uint32_t>(0x5000), round + 1);
        if (!verdict.text().empty())
            return;
    }
}

void nmisFromAnotherThread(SessionRig& rig, Verdict& verdict)
{
    // jmp $; the NMI's handler is HLT
    rig.flat32({ 0xeb, 0xfe });
    const CpuState begin = rig.state;
    for (unsigned round = 0; round < rounds / 4; ++round) {
        rig.state = begin;
        rig.vcpu().load(rig.state); // which would take back an NMI that came before
        std::thread requester = soon(round, [&rig] { rig.vcpu().raiseNmi(); });
        const End end = rig.goOn();
        requester.join();
        verdict.raises(rig, end, 2);
        if (!verdict.text().empty())
            return;
    }
}

} // namespace

std::vector<ConformanceCase> kickCases()
{
    return {
        { "a kick before run()", kickBeforeRun },
        { "200 kicks while it spins", kickWhileItSpins },
        { "200 kicks while it talks to devices", kickWhileItTalksToDevices },
        { "200 kicks around HLT", kickWhileHalted },
        { "200 requests from another thread", requestsFromAnotherThread },
        { "50 NMIs from another thread", nmisFromAnotherThread },
    };
}

} // namespace namsan
