// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/paint/race_plot.h"
#include "app/running/host_load.h"
#include "app/running/race_runner.h"

#include <QMainWindow>
#include <QTimer>

#include <functional>
#include <memory>
#include <vector>

class QCheckBox;
class QComboBox;
class QHBoxLayout;
class QLabel;
class QSpinBox;

namespace namsan {

class EngineBadge;
class LaneCard;
class MessageBanner;
class RacePlotView;
class RoundsTable;

// What a race needs of the host, looked up anew for each race. Fails with a sentence for the user.
using RaceMaker = std::function<Result<RaceSetup>(const RaceSettings&)>;

// Two to four lanes beside each other, the plot of the round, and the rounds so far. Nothing here waits for a machine.
class RaceWindow final : public QMainWindow {
    Q_OBJECT

public:
    RaceWindow(const Topology&, RaceMaker, const RaceSettings&, QWidget* parent = nullptr);
    ~RaceWindow() override;

    void start(); // a new race; while one goes on, its round from the beginning

    RaceRunner* runner() const { return m_runner.get(); } // nullptr: no race has been held with these settings
    const RaceSettings& settings() const { return m_settings; }
    bool racing() const { return m_runner && m_runner->race().stage() == RaceStage::Going; }
    LaneCard& lane(size_t index) const { return *m_cards[index]; }
    QAction* action(const QString& name) const { return findChild<QAction*>(name); }
    QString banner() const;
    QString verdict() const;
    QString headline() const;

signals:
    void raceOver();

protected:
    void closeEvent(QCloseEvent*) override;
    void changeEvent(QEvent*) override;

private:
    void buildActions();
    void buildSettings(class QToolBar&);
    void buildPage();
    QWidget* buildRounds();
    void buildStatusBar();
    void explain(QAction*, const QString&);

    void takeSettings();
    void chooseColumn(size_t lane, const Column&);
    void showSettings();
    void rebuildLanes();
    void offerColumns(LaneCard&, size_t lane);

    void makeRunner();
    void togglePause();
    void exportRace(const QString& path);
    void raceEnded();
    void dimSecondary();
    void showState();
    void showFigures();
    void showStatus();
    void enableActions();
    RacePlotContent plotContent() const;

    const Topology m_host;
    const RaceMaker m_maker;
    RaceSettings m_settings;
    LanePlan m_plan;
    std::unique_ptr<RaceRunner> m_runner;
    HostLoad m_hostLoad;
    QTimer m_hostLoadTimer;
    bool m_closing = false; // as soon as its machines have gone
    bool m_updating = false; // the controls follow the settings

    QLabel* m_headline;
    QLabel* m_round;
    MessageBanner* m_banner;
    QHBoxLayout* m_lanes;
    std::vector<LaneCard*> m_cards;
    RacePlotView* m_plot;
    RoundsTable* m_rounds;
    MessageBanner* m_verdict;
    QComboBox* m_workload;
    QSpinBox* m_laneCount;
    QSpinBox* m_roundCount;
    QCheckBox* m_byTurns;
    QAction* m_start = nullptr;
    QAction* m_pause = nullptr;
    QAction* m_cancel = nullptr;
    QAction* m_export = nullptr;
    EngineBadge* m_engine = nullptr;
    QLabel* m_sentence = nullptr;
    QLabel* m_apart = nullptr;
    QLabel* m_places = nullptr;
    QLabel* m_drift = nullptr;
};

} // namespace namsan
