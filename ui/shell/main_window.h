// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/machine_controller.h"
#include "ui/timing/timing_history.h"

#include <QKeySequence>
#include <QMainWindow>
#include <QTimer>

#include <functional>
#include <future>
#include <memory>

class QActionGroup;
class QLabel;
class QMenu;
class QMessageBox;
class QSettings;
class QStackedWidget;
class QTabWidget;
class QToolBar;

namespace namsan {

class CaptureBar;
class ConsoleView;
class DriftGauge;
class EndingPage;
class EngineBadge;
class ExperimentWindow;
class MessageBanner;
class PlacementDock;
class RaceWindow;
class SerialView;
class StatusField;
class TimingDock;

// Makes the machine anew after it has ended. Called on a thread of its own, so that the window answers meanwhile. Fails
// with a sentence for the user.
using MachineAgain = std::function<Result<std::unique_ptr<MachineController>>()>;

// The window of one machine.
class MainWindow final : public QMainWindow {
    Q_OBJECT

public:
    // The settings, if any, keep size and docks from one run to the next.
    MainWindow(const Topology&, std::unique_ptr<MachineController>, MachineAgain, QSettings* = nullptr);
    ~MainWindow() override;

    MachineController& machine() { return *m_machine; }
    ConsoleView& console() { return *m_console; }
    SerialView& serial() { return *m_serial; }
    PlacementDock& placementDock() { return *m_placementDock; }
    TimingDock& timingDock() { return *m_timingDock; }
    DriftGauge& driftGauge() { return *m_drift; }
    EndingPage& endingPage() { return *m_ending; }
    QString banner() const;
    QPixmap pictureOfRun(); // with the guest's last screen, also when it has ended
    QAction* action(const QString& name) const { return findChild<QAction*>(name); }

    static constexpr std::chrono::seconds closePatience { 5 };

protected:
    void closeEvent(QCloseEvent*) override;
    void resizeEvent(QResizeEvent*) override;
    void changeEvent(QEvent*) override;

private:
    void buildCentre();
    void buildActions();
    void connectActions();
    void explain(QAction*, const QString&);
    void buildMenus();
    QMenu* buildEngineMenu();
    void buildToolBar();
    void buildStatusBar();
    void restoreLayout();
    QAction* addAction(const QString& name, const QString& icon, const QString& text, const QKeySequence& = {});

    void connectMachine();
    void takeFrame();
    void takeSample(const MachineSample&);
    void placementChanged(const Placement&);
    void stateChanged(MachineState);
    void showStateInActions();
    void showEngine();
    void offerEngines();
    void engineMoveRefused(const QString& sentence);
    void showEnding();
    void startAgain();
    void goOnWith(std::unique_ptr<MachineController>);
    void saveRecord();
    void saveScreenshot();
    void sendCtrlAltDel();
    void typeClipboard();
    void setFullScreen(bool);
    void askWhetherToSwitchOff();
    void openExperiments();
    void openRace();
    void about();
    QString logText() const;

    const Topology m_host;
    std::unique_ptr<MachineController> m_machine;
    std::unique_ptr<ExperimentWindow> m_experimentWindow; // once it has been asked for
    std::unique_ptr<RaceWindow> m_raceWindow; // the same
    MachineAgain m_again;
    QSettings* m_settings;
    TimingHistory m_history;
    Placement m_placement;
    bool m_closing = false;
    QTimer m_closeTimer;
    QMessageBox* m_question = nullptr;
    std::vector<QWidget*> m_hiddenForFullScreen;
    std::future<void> m_makingAgain; // valid: the machine is being made anew

    QTabWidget* m_tabs;
    QStackedWidget* m_screenPages;
    ConsoleView* m_console;
    CaptureBar* m_captureBar;
    SerialView* m_serial;
    EndingPage* m_ending;
    MessageBanner* m_banner;
    PlacementDock* m_placementDock;
    TimingDock* m_timingDock;
    QToolBar* m_toolBar = nullptr;
    EngineBadge* m_engine = nullptr;
    QLabel* m_engineReason = nullptr;
    StatusField* m_speed = nullptr;
    StatusField* m_placementField = nullptr;
    DriftGauge* m_drift = nullptr;

    QAction* m_run;
    QAction* m_pause;
    QAction* m_runOrPause;
    QAction* m_reset;
    QAction* m_powerButton;
    QAction* m_cutPower;
    QAction* m_sendNmi;
    QAction* m_giveKeyboard;
    QAction* m_typeClipboard;
    QAction* m_ctrlAltDel;
    QAction* m_screenshot;
    QAction* m_fullScreen;
    QAction* m_saveRecord;
    QActionGroup* m_engines; // by name in their data
    QAction* m_experiments;
    QAction* m_race;
};

} // namespace namsan
