// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/host_load.h"
#include "app/running/machine_controller.h"
#include "ui/placement/placement_view.h"

#include <QDockWidget>
#include <QTimer>

#include <array>

class QAction;
class QGridLayout;
class QToolButton;

namespace namsan {

class MessageBanner;
class ThreadTable;
class TimingHistory;

// Where the VM's threads run: asked, observed, and the means to change it while it runs.
class PlacementDock final : public QDockWidget {
    Q_OBJECT

public:
    PlacementDock(const Topology&, unsigned vcpus, const TimingHistory&, QWidget* parent = nullptr);

    void setMachine(MachineController*); // nullptr: none
    void refresh(); // after a new sample

    PlacementView& view() { return *m_view; }
    QString message() const;
    QToolButton* preset(const QString& name) const; // "1(s)", "1(d)", "Free"; nullptr: no such preset
    QAction* undoAction() const { return m_undo; }
    QAction* redoAction() const { return m_redo; }

protected:
    void showEvent(QShowEvent*) override;
    void hideEvent(QHideEvent*) override;

private:
    struct Preset {
        QString name;
        QToolButton* button;
        Result<Placement> placement;
    };

    void build(const Topology&);
    void addPreset(const Topology&, QGridLayout&, int column, PlacementPolicy, const QString& name);
    void request(const Placement&, const QString& news);
    void move(unsigned thread, std::optional<LogicalCpu>);
    void travel(std::vector<Placement>& from, std::vector<Placement>& to, const QString& what);
    void showPlacement(const Placement&);
    void showHint(const QString&);
    void showState();
    std::vector<PlacementView::Seen> seen() const;

    const TimingHistory& m_history;
    unsigned m_vcpus;
    MachineController* m_machine = nullptr;
    HostLoad m_hostLoad;
    QTimer m_hostLoadTimer;
    std::vector<Preset> m_presets;
    std::vector<Placement> m_undoSteps;
    std::vector<Placement> m_redoSteps;
    std::vector<double> m_askedSince; // host time of the VM, per thread
    Placement m_shown;
    QString m_news; // what the last change did
    QString m_refusal; // why the last change was not possible
    PlacementView* m_view;
    ThreadTable* m_table;
    MessageBanner* m_information;
    MessageBanner* m_warning;
    QAction* m_undo;
    QAction* m_redo;
};

} // namespace namsan
