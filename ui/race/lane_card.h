// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/lane_track.h"
#include "app/lab/race.h"
#include "ui/timing/timing_history.h"

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QMenu;
class QToolButton;
class QVBoxLayout;

namespace namsan {

class ConsoleView;
class LaneBar;
class LaneCpus;
class LaneMark;

// One lane of a race: its placement on the host's CPUs, its guest's picture, its figures and a bar.
class LaneCard final : public QFrame {
    Q_OBJECT

public:
    explicit LaneCard(size_t lane, QWidget* parent = nullptr);

    // The columns to choose from; those that are not possible here tell why. While a race goes on, none can be chosen.
    struct Choice {
        Column column;
        QString trouble; // empty: it is possible
    };
    void setChoices(std::vector<Choice>);
    void setChoosable(bool);

    void setLane(const Column&, const Topology&, const Placement&);
    void setFilesKnown(bool); // whether the workload may tell of its progress: otherwise there is no bar
    void machineMade(); // a new one: what the last one showed is gone
    void addSample(const MachineSample&);
    void setHostLoad(const std::map<LogicalCpu, double>&);
    void showRun(const LaneRun&, const LaneTrack&);

    ConsoleView& console() { return *m_console; }
    LaneCpus& cpus() { return *m_cpus; }
    const TimingHistory& history() const { return m_history; }
    bool seenWhereAsked() const; // as far as it has been seen at all

    QString caption() const; // what its lane does: "Booting", "Guest time", ...
    QString time() const;
    QString files() const;
    QString speed() const;

signals:
    void columnChosen(const namsan::Column& column);

protected:
    void paintEvent(QPaintEvent*) override;
    void changeEvent(QEvent*) override;

private:
    QHBoxLayout* buildHead();
    QVBoxLayout* buildFigures();
    void fillMenu();
    void dimCaptions();
    void describe();

    const size_t m_lane;
    Column m_column;
    Placement m_placement;
    std::vector<Choice> m_choices;
    bool m_choosable = true;
    TimingHistory m_history;
    std::map<LogicalCpu, double> m_hostLoad;

    LaneMark* m_mark;
    QToolButton* m_name;
    QMenu* m_menu;
    QLabel* m_summary;
    LaneCpus* m_cpus;
    ConsoleView* m_console;
    QLabel* m_timeCaption;
    QLabel* m_time;
    QLabel* m_filesCaption;
    QLabel* m_files;
    QLabel* m_speedCaption;
    QLabel* m_speed;
    LaneBar* m_bar;
};

} // namespace namsan
