// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/vcpu_thread.h"

#include <fmt/format.h>
#include <pthread.h>

namespace namsan {

VcpuThread::VcpuThread(Motherboard& board, Vcpu& vcpu, unsigned index, OnStandstill onStandstill)
    : m_board(board)
    , m_index(index)
    , m_onStandstill(std::move(onStandstill))
    , m_vcpu(&vcpu)
{
}

VcpuThread::~VcpuThread()
{
    quit();
    join();
}

void VcpuThread::start(std::function<void()> onStart)
{
    m_thread = std::thread([this, onStart = std::move(onStart)] {
        pthread_setname_np(pthread_self(), fmt::format("namsan vCPU {}", m_index).c_str());
        onStart();
        run();
    });
}

void VcpuThread::release()
{
    const std::lock_guard guard(m_mutex);
    m_released = true;
    m_changed.notify_all();
}

void VcpuThread::park()
{
    const std::lock_guard guard(m_mutex);
    m_released = false;
    if (m_vcpu)
        m_vcpu->kick();
    m_changed.notify_all();
}

void VcpuThread::waitUntilParked()
{
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_parked || m_quit; });
}

void VcpuThread::quit()
{
    const std::lock_guard guard(m_mutex);
    m_quit = true;
    m_released = false;
    if (m_vcpu)
        m_vcpu->kick();
    m_changed.notify_all();
}

void VcpuThread::join()
{
    if (m_thread.joinable())
        m_thread.join();
    const std::lock_guard guard(m_mutex);
    m_parked = true;
}

void VcpuThread::setInterruptInput(unsigned, bool level)
{
    const std::lock_guard guard(m_mutex);
    m_interruptRequest = level;
    if (m_vcpu)
        m_vcpu->setInterruptRequest(level);
    if (level && m_asleep)
        m_board.wakeWhenLeft(*this);
}

void VcpuThread::wakeUp()
{
    m_changed.notify_all();
}

void VcpuThread::raiseNmi()
{
    const std::lock_guard guard(m_mutex);
    m_nmi = true;
    if (m_vcpu)
        m_vcpu->raiseNmi();
    m_changed.notify_all();
}

void VcpuThread::replaceVcpu(Vcpu* vcpu)
{
    const std::lock_guard guard(m_mutex);
    m_vcpu = vcpu;
    if (m_vcpu)
        m_vcpu->setInterruptRequest(m_interruptRequest);
}

void VcpuThread::run()
{
    while (Vcpu* vcpu = waitForRelease()) {
        const VcpuExit exit = vcpu->run();
        switch (exit.reason) {
        case VcpuExit::Reason::Kicked:
            break;
        case VcpuExit::Reason::Halted:
            if (const CpuState state = vcpu->save(); state.eflags & eflags::interruptEnable || state.nmiPending)
                sleepWhileHalted();
            else
                standStill(exit);
            break;
        case VcpuExit::Reason::TripleFault:
        case VcpuExit::Reason::Failed:
            standStill(exit);
            break;
        }
    }
}

Vcpu* VcpuThread::waitForRelease()
{
    std::unique_lock lock(m_mutex);
    while (!m_released && !m_quit) {
        m_parked = true;
        m_changed.notify_all();
        m_changed.wait(lock);
    }
    m_parked = m_quit;
    return m_quit ? nullptr : m_vcpu;
}

void VcpuThread::sleepWhileHalted()
{
    std::unique_lock lock(m_mutex);
    m_asleep = true;
    m_changed.wait(lock, [this] { return m_interruptRequest || m_nmi || !m_released; });
    m_asleep = false;
    m_nmi = false;
}

void VcpuThread::standStill(const VcpuExit& exit)
{
    {
        const std::lock_guard guard(m_mutex);
        m_released = false;
    }
    m_onStandstill(exit);
}

} // namespace namsan
