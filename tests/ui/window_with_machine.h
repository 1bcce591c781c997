// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/support/fake_machine.h"
#include "ui/shell/main_window.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>

#include <atomic>
#include <memory>

namespace namsan {

inline Topology fourCoresWithTwoThreads()
{
    Topology topology { "Intel Core i7-4770", {} };
    for (unsigned cpu = 0; cpu < 8; ++cpu)
        topology.cpus.push_back({ cpu, cpu % 4, 0, 0, true });
    return topology;
}

// A sample at a moment of host time. Each thread used its share of a CPU all the time since the start, on its place.
struct SampleMaker {
    double mips = 400;
    std::vector<double> loads { 0.1, 0.85 };
    std::vector<LogicalCpu> places { 0, 1 };
    double guestSecondsPerHostSecond = 1;
    MachineSample sample;

    SampleMaker()
    {
        sample.threads.resize(2);
        sample.threads[0].role = "VMM";
        sample.threads[1].role = "vCPU 0";
        sample.vcpus.resize(1);
    }

    const MachineSample& after(double seconds)
    {
        const auto time = [](double value) { return std::chrono::nanoseconds(static_cast<int64_t>(value * 1e9)); };
        sample.hostTime += time(seconds);
        sample.guestTime += time(seconds * guestSecondsPerHostSecond);
        for (size_t i = 0; i < sample.threads.size(); ++i) {
            sample.threads[i].cpuTime += time(seconds * loads[i]);
            sample.threads[i].observed[places[i]] += static_cast<uint64_t>(seconds * 100);
        }
        VcpuFigures& vcpu = sample.vcpus[0];
        vcpu.instructions += static_cast<uint64_t>(mips * 1e6 * seconds);
        vcpu.mmioWrites += static_cast<uint64_t>(1204 * seconds);
        vcpu.interrupts += static_cast<uint64_t>(1012 * seconds);
        vcpu.portWrites += static_cast<uint64_t>(812 * seconds);
        vcpu.portReads += static_cast<uint64_t>(390 * seconds);
        vcpu.mmioReads += static_cast<uint64_t>(206 * seconds);
        vcpu.kicks += static_cast<uint64_t>(88 * seconds);
        vcpu.halts += static_cast<uint64_t>(36 * seconds);
        return sample;
    }
};

// The whole window around a machine without a guest.
class WindowTest : public ::testing::Test {
protected:
    WindowTest() { open(fourCoresWithTwoThreads()); }

    void open(const Topology& topology)
    {
        window.reset();
        MachineConfig config;
        config.name = "Tiny Linux";
        window = std::make_unique<MainWindow>(topology, make(config), [this, config] { return remake(config); });
        window->show();
        settle();
    }

    std::unique_ptr<MachineController> make(const MachineConfig& config)
    {
        auto controller = remake(config);
        EXPECT_TRUE(controller.ok());
        return std::move(controller.value());
    }

    Result<std::unique_ptr<MachineController>> remake(const MachineConfig& config)
    {
        return MachineController::create(config, RunOrders {},
            [this](const MachineConfig& wanted, MachineListener* listener) -> Result<std::unique_ptr<Machine>> {
                if (makeFails)
                    return Error { "There is no kernel any more." };
                auto fake = std::make_unique<FakeMachine>(wanted, listener);
                machine = fake.get();
                ++machinesMade;
                return std::unique_ptr<Machine>(std::move(fake));
            });
    }

    // Lets every message that is on its way arrive.
    static void settle()
    {
        for (int i = 0; i < 5; ++i) {
            QApplication::sendPostedEvents();
            QApplication::processEvents();
        }
    }

    static void key(QWidget& widget, int qtKey, const QString& text = {}, Qt::KeyboardModifiers modifiers = {})
    {
        QKeyEvent press(QEvent::KeyPress, qtKey, modifiers, text);
        QKeyEvent release(QEvent::KeyRelease, qtKey, modifiers, text);
        QApplication::sendEvent(&widget, &press);
        QApplication::sendEvent(&widget, &release);
    }

    // By the key's place, as X11 and Wayland tell it.
    static void scanCode(QWidget& widget, QEvent::Type type, quint32 linuxCode, bool autoRepeat = false)
    {
        QKeyEvent event(type, Qt::Key_unknown, Qt::NoModifier, linuxCode + 8, 0, 0, QString(), autoRepeat);
        QApplication::sendEvent(&widget, &event);
    }

    static void mouse(QWidget& widget, QEvent::Type type, QPoint at, Qt::MouseButtons held = Qt::LeftButton)
    {
        const Qt::MouseButton button = type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton;
        QMouseEvent event(type, at, widget.mapToGlobal(QPointF(at)), button, held, Qt::NoModifier);
        QApplication::sendEvent(&widget, &event);
    }

    static void click(QWidget& widget)
    {
        mouse(widget, QEvent::MouseButtonPress, widget.rect().center());
        mouse(widget, QEvent::MouseButtonRelease, widget.rect().center(), Qt::NoButton);
    }

    static void dragBy(QWidget& widget, QPoint way)
    {
        const QPoint start = widget.rect().center();
        mouse(widget, QEvent::MouseButtonPress, start);
        // The widget follows the pointer, so that the pointer stays near the widget's centre.
        mouse(widget, QEvent::MouseMove, start + way);
        mouse(widget, QEvent::MouseButtonRelease, start, Qt::NoButton);
    }

    FakeMachine* machine = nullptr; // the newest
    std::atomic<int> machinesMade = 0;
    std::atomic<bool> makeFails = false;
    std::unique_ptr<MainWindow> window;
};

} // namespace namsan
