// SPDX-License-Identifier: GPL-3.0-or-later
// What the user can do with the machine: the actions of MainWindow, its menus and its tool bar.
#include "ui/shell/main_window.h"

#include "app/lab/experiment_store.h"
#include "app/running/text_to_keys.h"
#include "ui/common/message_banner.h"
#include "ui/common/symbolic_icon.h"
#include "ui/console/console_view.h"
#include "ui/console/serial_view.h"
#include "ui/experiment/experiment_window.h"
#include "ui/placement/placement_dock.h"
#include "ui/race/open_race.h"
#include "ui/timing/timing_dock.h"
#include "vmm/machine/input_queue.h"

#include <QAction>
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QDateTime>
#include <QDir>
#include <QFileDialog>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTabBar>
#include <QTabWidget>
#include <QToolBar>

namespace namsan {

QAction* MainWindow::addAction(
    const QString& name, const QString& icon, const QString& text, const QKeySequence& shortcut)
{
    auto* action = new QAction(text, this);
    action->setObjectName(name);
    if (!icon.isEmpty())
        action->setIcon(symbolicIcon(icon));
    if (!shortcut.isEmpty())
        action->setShortcut(shortcut);
    QMainWindow::addAction(action); // so that shortcuts work while the menu bar is hidden
    return action;
}

// What it does and its keys, for those who point at it and for those who have it read out.
void MainWindow::explain(QAction* action, const QString& text)
{
    const QString keys = action->shortcut().toString(QKeySequence::NativeText);
    action->setToolTip(keys.isEmpty() ? text : tr("%1 (%2)").arg(text, keys));
}

void MainWindow::buildActions()
{
    m_run = addAction(QStringLiteral("run"), QStringLiteral("media-playback-start"), tr("Run"), Qt::Key_F5);
    m_pause = addAction(QStringLiteral("pause"), QStringLiteral("media-playback-pause"), tr("Pause"), Qt::Key_F6);
    m_runOrPause = addAction(QStringLiteral("runOrPause"), QString(), tr("Run"));
    m_reset = addAction(
        QStringLiteral("reset"), QStringLiteral("system-reboot"), tr("Reset"), Qt::CTRL | Qt::SHIFT | Qt::Key_R);
    m_powerButton = addAction(QStringLiteral("powerButton"), QStringLiteral("system-shutdown"), tr("Power button"),
        Qt::CTRL | Qt::SHIFT | Qt::Key_P);
    m_cutPower = addAction(QStringLiteral("cutPower"), QString(), tr("Cut the power"));
    m_sendNmi = addAction(QStringLiteral("sendNmi"), QString(), tr("Send NMI"));
    m_giveKeyboard = addAction(QStringLiteral("giveKeyboard"), QStringLiteral("input-keyboard"),
        tr("Give keyboard to the guest"), Qt::CTRL | Qt::SHIFT | Qt::Key_K);
    m_ctrlAltDel = addAction(QStringLiteral("ctrlAltDel"), QStringLiteral("input-keyboard"), tr("Ctrl+Alt+Del"),
        Qt::CTRL | Qt::SHIFT | Qt::Key_Delete);
    m_typeClipboard = addAction(QStringLiteral("typeClipboard"), QString(), tr("Type the clipboard's text"));
    m_screenshot = addAction(QStringLiteral("screenshot"), QStringLiteral("camera-photo"), tr("Screenshot"),
        Qt::CTRL | Qt::SHIFT | Qt::Key_S);
    m_fullScreen
        = addAction(QStringLiteral("fullScreen"), QStringLiteral("view-fullscreen"), tr("Full screen"), Qt::Key_F11);
    m_fullScreen->setCheckable(true);
    m_saveRecord = addAction(
        QStringLiteral("saveRecord"), QStringLiteral("document-save-as"), tr("Save record..."), QKeySequence::Save);
    m_experiments = addAction(
        QStringLiteral("experiments"), QStringLiteral("namsan-timing"), tr("Experiments..."), Qt::ALT | Qt::Key_2);
    m_race = addAction(QStringLiteral("race"), QStringLiteral("namsan-race"), tr("Race..."), Qt::ALT | Qt::Key_3);
    explain(m_race, tr("Race: a workload in several placements beside each other"));
    explain(m_experiments, tr("Experiments: a workload over a matrix of placements, and its table"));
    explain(m_run, tr("Run the guest"));
    explain(m_pause, tr("Pause: the guest and its clock stand still"));
    explain(m_reset, tr("Reset: the guest starts again at once, without being asked"));
    explain(m_powerButton, tr("Power button: asks the guest to switch itself off"));
    explain(m_cutPower, tr("Cut the power: the guest loses what it has not saved"));
    explain(m_sendNmi, tr("Send NMI: the diagnostic interrupt that even a guest with interrupts off takes"));
    explain(m_ctrlAltDel, tr("Sends Ctrl+Alt+Del to the guest"));
    explain(m_screenshot, tr("Screenshot: saves the guest's picture"));
    explain(m_fullScreen, tr("Full screen: only the guest's picture"));
    connectActions();
}

void MainWindow::connectActions()
{
    const auto startOrResume = [this] {
        if (m_machine->state() == MachineState::Ended)
            startAgain();
        else
            m_machine->start();
    };
    connect(m_run, &QAction::triggered, this, startOrResume);
    connect(m_pause, &QAction::triggered, this, [this] { m_machine->pause(); });
    connect(m_runOrPause, &QAction::triggered, this, [this, startOrResume] {
        if (m_machine->state() == MachineState::Running)
            m_machine->pause();
        else
            startOrResume();
    });
    connect(m_reset, &QAction::triggered, this, [this] { m_machine->reset(); });
    connect(m_powerButton, &QAction::triggered, this, [this] { m_machine->pressPowerButton(); });
    connect(m_cutPower, &QAction::triggered, this, [this] { m_machine->cutPower(); });
    connect(m_sendNmi, &QAction::triggered, this, [this] { m_machine->sendNmi(); });
    connect(m_typeClipboard, &QAction::triggered, this, &MainWindow::typeClipboard);
    connect(m_giveKeyboard, &QAction::triggered, this, [this] {
        m_tabs->setCurrentIndex(0);
        m_console->capture();
    });
    connect(m_ctrlAltDel, &QAction::triggered, this, &MainWindow::sendCtrlAltDel);
    connect(m_screenshot, &QAction::triggered, this, &MainWindow::saveScreenshot);
    connect(m_fullScreen, &QAction::toggled, this, &MainWindow::setFullScreen);
    connect(m_saveRecord, &QAction::triggered, this, &MainWindow::saveRecord);
    connect(m_experiments, &QAction::triggered, this, &MainWindow::openExperiments);
    connect(m_race, &QAction::triggered, this, &MainWindow::openRace);
}

void MainWindow::buildMenus()
{
    QMenu* file = menuBar()->addMenu(tr("&File"));
    file->addAction(m_saveRecord);
    file->addAction(m_screenshot);
    file->addSeparator();
    QAction* quit = file->addAction(symbolicIcon(QStringLiteral("application-exit")), tr("&Quit"));
    quit->setShortcut(QKeySequence::Quit);
    connect(quit, &QAction::triggered, this, &QWidget::close);

    QMenu* machine = menuBar()->addMenu(tr("&Machine"));
    machine->addActions({ m_run, m_pause, m_reset });
    machine->addSeparator();
    machine->addActions({ m_powerButton, m_cutPower });
    machine->addSeparator();
    machine->addMenu(buildEngineMenu());
    machine->addSeparator();
    machine->addAction(m_sendNmi);

    QMenu* console = menuBar()->addMenu(tr("&Console"));
    console->addActions({ m_giveKeyboard, m_ctrlAltDel, m_typeClipboard });
    console->addSeparator();
    QAction* copy = console->addAction(symbolicIcon(QStringLiteral("edit-copy")), tr("Copy from serial"));
    connect(copy, &QAction::triggered, m_serial, &SerialView::copy);
    QAction* all = console->addAction(tr("Copy all of serial"));
    connect(all, &QAction::triggered, this, [this] {
        m_serial->selectAll();
        m_serial->copy();
    });

    QMenu* placement = menuBar()->addMenu(tr("&Placement"));
    placement->addActions({ m_placementDock->undoAction(), m_placementDock->redoAction() });

    QMenu* experiment = menuBar()->addMenu(tr("&Experiment"));
    experiment->addActions({ m_experiments, m_race });

    QMenu* view = menuBar()->addMenu(tr("&View"));
    view->addActions({ m_placementDock->toggleViewAction(), m_timingDock->toggleViewAction() });
    view->addSeparator();
    view->addAction(m_fullScreen);

    QMenu* help = menuBar()->addMenu(tr("&Help"));
    connect(help->addAction(tr("Keys")), &QAction::triggered, this, [this] {
        QMessageBox::information(this, tr("Keys"),
            tr("<p>F5 run, F6 pause, F11 full screen, Ctrl+Shift+R reset, Ctrl+Shift+P power button, Ctrl+Shift+S "
               "screenshot, Ctrl+Shift+Del Ctrl+Alt+Del for the guest, Ctrl+Shift+K keyboard to the guest, Alt+2 "
               "experiments, Alt+3 race; none of "
               "these while the guest has the keyboard. Right Ctrl takes the keyboard back from the guest.</p>"
               "<p>In the placement dock: Tab next chip, Space pick up and put down, arrows next CPU, digits CPU by "
               "number while a chip is picked up, Delete not pinned, Escape put back, Ctrl+Z and Ctrl+Shift+Z undo and "
               "redo. While none is picked up, 1 then S or D is the preset 1(s) or 1(d).</p>"
               "<p>In the serial console: Ctrl+Shift+C copy, Ctrl+Shift+V paste.</p>"));
    });
    connect(help->addAction(tr("About Namsan")), &QAction::triggered, this, &MainWindow::about);
}

QMenu* MainWindow::buildEngineMenu()
{
    auto* menu = new QMenu(tr("Engine"), this);
    menu->setObjectName(QStringLiteral("engineMenu"));
    menu->setToolTipsVisible(true); // where an engine cannot serve they say why
    m_engines = new QActionGroup(this);
    m_engines->setExclusionPolicy(QActionGroup::ExclusionPolicy::ExclusiveOptional); // some engines are not offered
    const auto offer = [&](const char* name, const QString& text) {
        QAction* action = addAction(QStringLiteral("engine:") + QLatin1String(name), QString(), text);
        action->setCheckable(true);
        action->setData(QLatin1String(name));
        m_engines->addAction(action);
        menu->addAction(action);
    };
    offer("soft:interpreter", tr("Software CPU, interpreter"));
    offer("soft:translator", tr("Software CPU, translator"));
    offer("kvm", tr("KVM"));
    connect(menu, &QMenu::aboutToShow, this, &MainWindow::offerEngines);
    connect(m_engines, &QActionGroup::triggered, this, [this](const QAction* chosen) {
        const QString name = chosen->data().toString();
        if (name != m_machine->engineName())
            m_machine->moveToEngine(name);
        showEngine(); // the mark stays with the engine that runs until another one does
    });
    return menu;
}

// What the host can serve may have changed since the menu was open the last time.
void MainWindow::offerEngines()
{
    const bool ended = m_machine->state() == MachineState::Ended;
    const std::vector<EngineOffer> offers = m_machine->engineOffers();
    for (QAction* action : m_engines->actions()) {
        QString trouble = ended ? tr("The machine has ended; there is no guest that could change engines.")
                                : tr("This machine does not know this engine.");
        for (const EngineOffer& offer : offers)
            if (!ended && action->data().toString() == QString::fromStdString(offer.name))
                trouble = QString::fromStdString(offer.trouble);
        action->setEnabled(trouble.isEmpty());
        action->setToolTip(trouble.isEmpty() ? tr("Carries the guest to this engine; it runs on") : trouble);
    }
}

void MainWindow::engineMoveRefused(const QString& sentence)
{
    m_banner->say(MessageBanner::Kind::Warning, sentence);
    showEngine();
}

void MainWindow::buildToolBar()
{
    m_toolBar = addToolBar(tr("Machine"));
    m_toolBar->setObjectName(QStringLiteral("machineToolBar"));
    m_toolBar->setMovable(false);
    m_toolBar->setIconSize({ 16, 16 });
    m_toolBar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_toolBar->setMinimumHeight(44);
    m_toolBar->addActions({ m_runOrPause, m_reset, m_powerButton });
    m_toolBar->addSeparator();
    m_toolBar->addActions({ m_ctrlAltDel, m_screenshot, m_fullScreen });
    m_toolBar->addSeparator();
    m_toolBar->addActions({ m_experiments, m_race });
    m_toolBar->toggleViewAction()->setVisible(false);
}

void MainWindow::showStateInActions()
{
    const MachineState state = m_machine->state();
    const bool alive = state == MachineState::Running || state == MachineState::Paused;
    const bool running = state == MachineState::Running;
    m_run->setEnabled(!running && !m_makingAgain.valid());
    m_runOrPause->setEnabled(!m_makingAgain.valid());
    m_pause->setEnabled(running);
    m_runOrPause->setText(running ? tr("Pause") : tr("Run"));
    m_runOrPause->setToolTip(running ? m_pause->toolTip() : m_run->toolTip());
    m_runOrPause->setIcon(
        symbolicIcon(running ? QStringLiteral("media-playback-pause") : QStringLiteral("media-playback-start")));
    for (QAction* action : { m_reset, m_powerButton, m_cutPower })
        action->setEnabled(alive);
    for (QAction* action : { m_ctrlAltDel, m_giveKeyboard, m_typeClipboard, m_sendNmi })
        action->setEnabled(running);
    m_screenshot->setEnabled(state != MachineState::Ready);
}

void MainWindow::sendCtrlAltDel()
{
    constexpr HidUsage leftControl = 0xE0;
    constexpr HidUsage leftAlt = 0xE2;
    constexpr HidUsage deleteForward = 0x4C;
    for (const HidUsage usage : { leftControl, leftAlt, deleteForward })
        m_machine->sendInput(KeyEvent { usage, true });
    for (const HidUsage usage : { deleteForward, leftAlt, leftControl })
        m_machine->sendInput(KeyEvent { usage, false });
}

// By keys of a US keyboard, which is what guests expect that were not told otherwise.
void MainWindow::typeClipboard()
{
    constexpr qsizetype most = InputQueue::keyCapacity / 4; // with Shift a character is four events
    QString text = QGuiApplication::clipboard()->text();
    if (text.isEmpty() || text.size() > most) {
        m_banner->say(MessageBanner::Kind::Information,
            text.isEmpty() ? tr("There is no text in the clipboard that could be typed.")
                           : tr("The clipboard holds %L1 characters; %L2 are the most that can be typed at once. Copy "
                                "less, or paste it into the Serial tab.")
                                 .arg(text.size())
                                 .arg(most));
        return;
    }
    text.replace(QLatin1String("\\"), QLatin1String("\\\\")); // no escapes: it is typed as it is
    const auto keys = textToKeys(text.remove(QLatin1Char('\r')).toStdString());
    if (!keys) {
        m_banner->say(MessageBanner::Kind::Warning,
            tr("The clipboard's text holds a character that is on no key of a US keyboard, so nothing was typed. The "
               "Serial tab takes any text."));
        return;
    }
    for (const KeyEvent& key : *keys)
        m_machine->sendInput(key);
}

void MainWindow::saveScreenshot()
{
    const QImage picture = m_console->picture();
    if (picture.isNull()) {
        m_banner->say(MessageBanner::Kind::Information, tr("The guest has not shown a picture yet."));
        return;
    }
    QString folder = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
    if (folder.isEmpty() || !QDir().mkpath(folder))
        folder = QDir::homePath();
    const QString name = QString::fromStdString(m_machine->config().name).replace(QLatin1Char('/'), QLatin1Char('-'));
    const QString time = QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd HH-mm-ss-zzz"));
    const QString path = QStringLiteral("%1/%2 %3.png").arg(folder, name, time);
    if (picture.save(path))
        m_banner->say(MessageBanner::Kind::Information, tr("The picture was saved as %1").arg(path));
    else
        m_banner->say(MessageBanner::Kind::Error,
            tr("The picture could not be written to %1. Is the disk full, or the folder write-protected?").arg(path));
}

void MainWindow::saveRecord()
{
    auto* dialog = new QFileDialog(this, tr("Save record"), QDir::homePath(), tr("Records (*.json)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("json"));
    dialog->selectFile(QString::fromStdString(m_machine->config().name) + QStringLiteral(".json"));
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        if (const auto written = writeRecord(m_machine->record(), path.toStdString()); !written)
            m_banner->say(MessageBanner::Kind::Error, QString::fromStdString(written.error().message));
        else
            m_banner->say(MessageBanner::Kind::Information, tr("The record was saved as %1").arg(path));
    });
    dialog->open();
}

// Only the picture, and the line below it that tells how to get the keyboard back.
void MainWindow::setFullScreen(bool fullScreen)
{
    if (fullScreen) {
        m_tabs->setCurrentIndex(0);
        for (QWidget* widget : std::initializer_list<QWidget*> { menuBar(), m_toolBar, statusBar(), m_placementDock,
                 m_timingDock, static_cast<QWidget*>(m_tabs->tabBar()) }) {
            if (!widget->isHidden()) {
                widget->hide();
                m_hiddenForFullScreen.push_back(widget);
            }
        }
        showFullScreen();
    } else {
        for (QWidget* widget : std::exchange(m_hiddenForFullScreen, {}))
            widget->show();
        showNormal();
    }
}

void MainWindow::openExperiments()
{
    if (!m_experimentWindow)
        m_experimentWindow = std::make_unique<ExperimentWindow>(
            m_host, ExperimentStore::defaultFolder(), ExperimentWindow::ownProgram());
    m_experimentWindow->show();
    m_experimentWindow->raise();
    m_experimentWindow->activateWindow();
}

void MainWindow::openRace()
{
    if (!m_raceWindow) {
        m_raceWindow = std::make_unique<RaceWindow>(m_host, raceMaker(m_host, &Machine::create), RaceSettings {});
        m_raceWindow->setAttribute(Qt::WA_QuitOnClose, false); // it is the machine's window that the program stands for
    }
    m_raceWindow->show();
    m_raceWindow->raise();
    m_raceWindow->activateWindow();
}

void MainWindow::about()
{
    QMessageBox::about(this, tr("About Namsan"),
        tr("<h3>Namsan</h3><p>Runs virtual machines on a VMM and a software CPU of its own, and shows what their "
           "placement on the host's processors does to them.</p><p>Free software under the GNU General Public License, "
           "version 3 or later.</p>"));
}

} // namespace namsan
