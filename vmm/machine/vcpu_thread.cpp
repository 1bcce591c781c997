// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/vcpu_thread.h"

#include <fmt/format.h>
#include <pthread.h>

namespace namsan {

VcpuThread::VcpuThread(Motherboard& board, Vcpu& vcpu, unsigned index, bool isOneOfSeveral, OnStandstill onStandstill)
    : m_board(board)
    , m_index(index)
    , m_oneOfSeveral(isOneOfSeveral)
    , m_onStandstill(std::move(onStandstill))
    , m_vcpu(&vcpu)
{
    vcpu.setSleeper(this);
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
    vcpuHasWork();
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
    vcpuHasWork();
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
    if (level && m_asleep.load())
        m_board.wakeWhenLeft(*this);
}

void VcpuThread::wakeUp()
{
    vcpuHasWork();
}

void VcpuThread::raiseNmi()
{
    const std::lock_guard guard(m_mutex);
    if (m_vcpu)
        m_vcpu->raiseNmi();
    vcpuHasWork();
}

// The work was noted before, and the sleeper says that it sleeps before it looks for work: one of the two sees the
// other. The sleeper has a lock of its own, since a pin's callers come here with m_mutex held.
void VcpuThread::vcpuHasWork()
{
    if (!m_asleep.load())
        return;
    {
        const std::lock_guard guard(m_sleepMutex);
    }
    m_workCame.notify_all();
}

void VcpuThread::replaceVcpu(Vcpu* vcpu)
{
    const std::lock_guard guard(m_mutex);
    if (m_vcpu)
        m_vcpu->setSleeper(nullptr);
    m_vcpu = vcpu;
    if (!m_vcpu)
        return;
    m_vcpu->setSleeper(this);
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
            if (!vcpu->canWakeItself() && !m_oneOfSeveral) {
                standStill(exit);
                break;
            }
            if (m_oneOfSeveral && !vcpu->canWakeItself() && !vcpu->hasWork()) {
                m_deaf = true;
                m_onStandstill(exit);
            }
            sleepWhileHalted(*vcpu);
            m_deaf = false;
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

void VcpuThread::sleepWhileHalted(Vcpu& vcpu)
{
    std::unique_lock lock(m_sleepMutex);
    m_asleep.store(true);
    m_workCame.wait(lock, [this, &vcpu] { return vcpu.hasWork() || !m_released; });
    m_asleep.store(false);
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
