// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/race_setup.h"
#include "tests/support/fake_machine.h"
#include "tests/support/synthetic_topology.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QThread>

#include <array>
#include <atomic>
#include <mutex>

namespace namsan {

// Lanes of a race without guests: the test says what each of them does.
class RaceOfFakes {
public:
    RaceSetup setup(const RaceSettings& settings)
    {
        const Topology host = synthesize({ .coresPerSocket = 4 });
        RaceSetup setup;
        setup.settings = settings;
        setup.host = host;
        setup.plan = *planLanes(host, settings.lanes);
        setup.limit = std::chrono::hours(1);
        for (size_t lane = 0; lane < settings.lanes.size(); ++lane) {
            MachineConfig config;
            config.name = std::string(1, laneLetter(lane));
            config.vcpus = settings.lanes[lane].vcpus;
            setup.machines.push_back(config);
        }
        setup.factory
            = [this](const MachineConfig& config, MachineListener* listener) { return make(config, listener); };
        return setup;
    }

    // The lane's newest, which lives as long as its lane runs.
    FakeMachine& machine(size_t lane)
    {
        const std::lock_guard guard(m_mutex);
        return *m_machines[lane];
    }

    // Threads of the machine's making, and messages between threads, take a moment.
    template <class Condition> static bool waitFor(Condition condition)
    {
        constexpr int patience = 20'000; // ms
        QElapsedTimer timer;
        timer.start();
        while (!condition() && timer.elapsed() < patience) {
            QCoreApplication::processEvents(QEventLoop::AllEvents, 10);
            QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
            QThread::yieldCurrentThread();
        }
        return condition();
    }

    std::array<std::string, 4> trouble; // why a lane's machine can't be made
    std::atomic<unsigned> made = 0;

private:
    Result<std::unique_ptr<Machine>> make(const MachineConfig& config, MachineListener* listener)
    {
        const auto lane = static_cast<size_t>(config.name[0] - 'A');
        if (!trouble[lane].empty())
            return Error { trouble[lane] };
        auto fake = std::make_unique<FakeMachine>(config, listener);
        MachineSample sample;
        sample.threads.resize(config.vcpus + 1);
        sample.threads[0].role = "VMM";
        for (unsigned vcpu = 0; vcpu < config.vcpus; ++vcpu)
            sample.threads[vcpu + 1].role = "vCPU " + std::to_string(vcpu);
        sample.vcpus.resize(config.vcpus);
        fake->setSample(sample);
        const std::lock_guard guard(m_mutex);
        m_machines[lane] = fake.get();
        ++made;
        return std::unique_ptr<Machine>(std::move(fake));
    }

    std::mutex m_mutex;
    std::array<FakeMachine*, 4> m_machines {};
};

} // namespace namsan
