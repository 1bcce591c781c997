// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/main_window.h"

#include "ui/common/message_banner.h"
#include "ui/common/numbers.h"
#include "ui/common/symbolic_icon.h"
#include "ui/common/theme.h"
#include "ui/console/capture_bar.h"
#include "ui/console/console_view.h"
#include "ui/console/serial_view.h"
#include "ui/experiment/experiment_window.h"
#include "ui/placement/placement_dock.h"
#include "ui/race/race_window.h"
#include "ui/shell/drift_gauge.h"
#include "ui/shell/ending_page.h"
#include "ui/shell/status_field.h"
#include "ui/timing/timing_dock.h"

#include <QAction>
#include <QActionGroup>
#include <QCloseEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTabWidget>
#include <QToolBar>
#include <QVBoxLayout>

namespace namsan {

namespace {

// "vCPU 0 → CPU 1" where one thread moved, else the placements' names.
std::string changeLabel(const Placement& before, const Placement& after)
{
    std::vector<std::string> moved;
    const auto compare = [&moved](unsigned thread, std::optional<LogicalCpu> from, std::optional<LogicalCpu> to) {
        if (from != to)
            moved.push_back(threadName(thread).toStdString() + " → "
                + (to ? "CPU " + std::to_string(*to) : MainWindow::tr("free").toStdString()));
    };
    compare(0, before.vmm, after.vmm);
    for (unsigned i = 0; i < after.vcpus.size(); ++i)
        compare(i + 1, i < before.vcpus.size() ? before.vcpus[i] : std::nullopt, after.vcpus[i]);
    return moved.size() == 1 ? moved.front() : describe(before) + " → " + describe(after);
}

} // namespace

MainWindow::MainWindow(
    const Topology& topology, std::unique_ptr<MachineController> machine, MachineAgain again, QSettings* settings)
    : m_host(topology)
    , m_machine(std::move(machine))
    , m_again(std::move(again))
    , m_settings(settings)
    , m_tabs(new QTabWidget)
    , m_screenPages(new QStackedWidget)
    , m_console(new ConsoleView)
    , m_captureBar(new CaptureBar(*m_console))
    , m_serial(new SerialView)
    , m_ending(new EndingPage)
    , m_banner(new MessageBanner(true))
    , m_placementDock(new PlacementDock(topology, m_machine->config().vcpus, m_history, this))
    , m_timingDock(new TimingDock(m_history, m_machine->config().vcpus + 1, this))
{
    setWindowTitle(tr("%1 - Namsan").arg(QString::fromStdString(m_machine->config().name)));
    setMinimumSize(960, 640);
    resize(1440, 900);
    setDockOptions(AnimatedDocks | AllowTabbedDocks);
    setContextMenuPolicy(Qt::NoContextMenu);
    buildCentre();
    addDockWidget(Qt::RightDockWidgetArea, m_placementDock);
    addDockWidget(Qt::BottomDockWidgetArea, m_timingDock);
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    resizeDocks({ m_placementDock }, { 354 }, Qt::Horizontal);
    resizeDocks({ m_timingDock }, { 262 }, Qt::Vertical);
    buildActions();
    buildMenus();
    buildToolBar();
    buildStatusBar();
    restoreLayout();

    m_closeTimer.setObjectName(QStringLiteral("closePatience"));
    m_closeTimer.setParent(this);
    m_closeTimer.setSingleShot(true);
    m_closeTimer.setInterval(closePatience);
    connect(&m_closeTimer, &QTimer::timeout, this, &MainWindow::askWhetherToSwitchOff);
    connectMachine();
    m_console->setFocus();
}

MainWindow::~MainWindow()
{
    if (m_makingAgain.valid())
        m_makingAgain.wait(); // what it made is dropped with its message
    // The widgets outlive the machine by a moment, and lose the focus in it.
    m_console->release();
    for (QObject* part : std::initializer_list<QObject*> { m_console, m_serial, m_ending })
        part->disconnect(this);
    m_closeTimer.setParent(nullptr);
    m_placementDock->setMachine(nullptr);
    if (m_machine)
        m_machine->disconnect(this);
}

void MainWindow::buildCentre()
{
    auto* screen = new QWidget;
    auto* screenColumn = new QVBoxLayout(screen);
    screenColumn->setContentsMargins(0, 0, 0, 0);
    screenColumn->setSpacing(0);
    screenColumn->addWidget(m_console, 1);
    screenColumn->addWidget(m_captureBar);
    m_screenPages->addWidget(screen);
    m_screenPages->addWidget(m_ending);
    m_tabs->setDocumentMode(true);
    m_tabs->addTab(m_screenPages, symbolicIcon(QStringLiteral("video-display")), tr("Screen"));
    m_tabs->addTab(m_serial, symbolicIcon(QStringLiteral("utilities-terminal")), tr("Serial"));

    auto* centre = new QWidget;
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 4, 0, 0);
    column->setSpacing(0);
    auto* bannerRow = new QHBoxLayout;
    bannerRow->setContentsMargins(12, 0, 12, 0);
    bannerRow->addWidget(m_banner);
    column->addLayout(bannerRow);
    column->addWidget(m_tabs, 1);
    setCentralWidget(centre);

    connect(m_console, &ConsoleView::input, this, [this](const InputEvent& event) { m_machine->sendInput(event); });
    connect(m_console, &ConsoleView::capturedChanged, this, &MainWindow::showStateInActions);
    connect(m_serial, &SerialView::typed, this, [this](const QByteArray& bytes) { m_machine->sendSerial(bytes); });
    connect(m_ending, &EndingPage::startAgain, this, &MainWindow::startAgain);
    connect(m_ending, &EndingPage::saveRecord, this, &MainWindow::saveRecord);
    connect(m_ending, &EndingPage::showSerial, this, [this] {
        m_tabs->setCurrentWidget(m_serial);
        m_serial->setFocus();
    });
}

void MainWindow::buildStatusBar()
{
    m_engine = new EngineBadge;
    m_engineReason = new QLabel;
    m_engineReason->setFont(scaledFont(font(), 0.92));
    m_engineReason->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_engineReason->setTextFormat(Qt::PlainText);
    m_speed = new StatusField(tr("Speed"));
    m_placementField = new StatusField(tr("Placement"));
    m_drift = new DriftGauge;
    auto* left = new QWidget;
    auto* row = new QHBoxLayout(left);
    row->setContentsMargins(8, 0, 0, 0);
    row->setSpacing(10);
    row->addWidget(m_engine);
    row->addWidget(m_engineReason, 1);
    statusBar()->addWidget(left, 1);
    statusBar()->addPermanentWidget(m_speed);
    statusBar()->addPermanentWidget(m_placementField);
    statusBar()->addPermanentWidget(m_drift);
    statusBar()->setSizeGripEnabled(false);
    const auto opens = [this](QAbstractButton* field, QDockWidget* dock) {
        connect(field, &QAbstractButton::clicked, this, [dock] {
            dock->show();
            dock->raise();
        });
    };
    opens(m_speed, m_timingDock);
    opens(m_placementField, m_placementDock);
    opens(m_drift, m_timingDock);
    connect(m_engine, &QAbstractButton::clicked, this,
        [this] { m_banner->say(MessageBanner::Kind::Information, m_engineReason->toolTip()); });
}

void MainWindow::restoreLayout()
{
    if (!m_settings)
        return;
    restoreGeometry(m_settings->value(QStringLiteral("window/geometry")).toByteArray());
    restoreState(m_settings->value(QStringLiteral("window/state")).toByteArray());
    const int scaling = m_settings->value(QStringLiteral("window/scaling"), 0).toInt();
    if (scaling >= 0 && scaling <= static_cast<int>(PictureScaling::Sharp))
        m_captureBar->choose(static_cast<PictureScaling>(scaling));
}

void MainWindow::connectMachine()
{
    MachineController* machine = m_machine.get();
    connect(machine, &MachineController::frameReady, this, &MainWindow::takeFrame);
    connect(machine, &MachineController::serialReceived, m_serial, &SerialView::append);
    connect(machine, &MachineController::sampled, this, &MainWindow::takeSample);
    connect(machine, &MachineController::placementChanged, this, &MainWindow::placementChanged);
    connect(machine, &MachineController::stateChanged, this, &MainWindow::stateChanged);
    m_placement = machine->requestedPlacement();
    m_placementDock->setMachine(machine);
    connect(machine, &MachineController::engineChanged, this, [this] {
        m_history.mark(tr("engine %1").arg(m_machine->engineName()).toStdString());
        showEngine();
    });
    connect(machine, &MachineController::engineMoveRefused, this, &MainWindow::engineMoveRefused);
    showEngine();
    m_placementField->setValue(QString::fromStdString(describe(m_placement)));
    takeFrame();
    stateChanged(machine->state());
}

void MainWindow::showEngine()
{
    const QString name = m_machine->engineName();
    const QString reason = m_machine->engineReason();
    const QString whole = tr("Engine %1: %2").arg(name, reason);
    m_engine->setText(name);
    m_engine->updateGeometry();
    m_engine->setToolTip(whole);
    m_engine->setAccessibleName(whole);
    m_engineReason->setText(reason);
    m_engineReason->setToolTip(whole);
    for (QAction* action : m_engines->actions())
        action->setChecked(action->data().toString() == name);
    offerEngines();
}

void MainWindow::takeFrame()
{
    if (const Frame* frame = m_machine->takeFrame())
        m_console->show(*frame);
}

void MainWindow::takeSample(const MachineSample& sample)
{
    m_history.add(sample);
    m_timingDock->refresh();
    m_placementDock->refresh();
    m_drift->setDrift(m_history.drift());
    if (m_machine->state() == MachineState::Running)
        m_speed->setValue(mips(m_history.mips()));
}

void MainWindow::placementChanged(const Placement& placement)
{
    if (placement != m_placement)
        m_history.mark(changeLabel(m_placement, placement));
    m_placement = placement;
    m_placementField->setValue(QString::fromStdString(describe(placement)));
    m_timingDock->refresh();
}

void MainWindow::stateChanged(MachineState state)
{
    showStateInActions();
    offerEngines();
    m_serial->setTypingEnabled(state != MachineState::Ended);
    switch (state) {
    case MachineState::Ready:
        m_speed->setValue(tr("not started"));
        break;
    case MachineState::Running:
        m_speed->setValue(mips(m_history.mips()));
        break;
    case MachineState::Paused:
        m_speed->setValue(tr("paused"));
        break;
    case MachineState::Ended:
        m_speed->setValue(tr("stopped"));
        m_console->release();
        showEnding();
        if (m_question)
            m_question->close();
        if (m_closing)
            close();
        break;
    }
}

void MainWindow::showEnding()
{
    const auto ending = m_machine->ending();
    if (!ending)
        return;
    m_ending->show(*ending, m_console->picture(), logText());
    m_screenPages->setCurrentWidget(m_ending);
}

QString MainWindow::logText() const
{
    constexpr size_t shown = 200;
    const RunRecord record = m_machine->record();
    QStringList lines { tr("Engine %1: %2").arg(m_machine->engineName(), m_machine->engineReason()) };
    if (!record.samples.empty()) {
        const MachineSample& last = record.samples.back();
        const double host = std::chrono::duration<double>(last.hostTime).count();
        lines << tr("Ran %1, placement %2").arg(seconds(host), QString::fromStdString(describe(m_placement)));
    }
    const size_t first = record.log.size() > shown ? record.log.size() - shown : 0;
    for (size_t i = first; i < record.log.size(); ++i)
        lines << QString::fromStdString(record.log[i].source + ": " + record.log[i].text);
    return lines.join(QLatin1Char('\n'));
}

void MainWindow::startAgain()
{
    if (m_makingAgain.valid())
        return;
    m_makingAgain = std::async(std::launch::async, [this, again = m_again, gui = thread()] {
        auto made = std::make_shared<Result<std::unique_ptr<MachineController>>>(again());
        if (*made)
            made->value()->moveToThread(gui);
        QMetaObject::invokeMethod(
            this,
            [this, made] {
                m_makingAgain = {};
                if (*made)
                    goOnWith(std::move(made->value()));
                else
                    m_banner->say(MessageBanner::Kind::Error, QString::fromStdString(made->error().message));
                showStateInActions();
            },
            Qt::QueuedConnection);
    });
    showStateInActions();
    m_speed->setValue(tr("starting"));
}

void MainWindow::goOnWith(std::unique_ptr<MachineController> machine)
{
    const Placement placement = m_placement;
    m_placementDock->setMachine(nullptr);
    m_machine->disconnect(this);
    m_machine = std::move(machine);
    m_history.clear();
    m_console->clear();
    m_serial->clear();
    m_banner->hide();
    m_screenPages->setCurrentIndex(0);
    if (const auto placed = m_machine->place(placement); !placed)
        m_banner->say(MessageBanner::Kind::Warning, QString::fromStdString(placed.error().message));
    connectMachine();
    m_machine->start();
    m_console->setFocus();
}

// A guest is asked to switch itself off, as by the button on a PC's case; only when it doesn't, the user is asked.
void MainWindow::closeEvent(QCloseEvent* event)
{
    const MachineState state = m_machine->state();
    if (state == MachineState::Running || state == MachineState::Paused) {
        event->ignore();
        if (m_closing)
            return;
        m_closing = true;
        if (state == MachineState::Paused)
            m_machine->start(); // a paused guest can't react
        m_console->release();
        m_machine->pressPowerButton();
        m_banner->say(MessageBanner::Kind::Information,
            tr("The power button was pressed. The window closes when the guest has switched itself off."));
        m_closeTimer.start();
        return;
    }
    m_closeTimer.stop();
    if (m_settings && !isFullScreen()) {
        m_settings->setValue(QStringLiteral("window/geometry"), saveGeometry());
        m_settings->setValue(QStringLiteral("window/state"), saveState());
        m_settings->setValue(QStringLiteral("window/scaling"), static_cast<int>(m_console->scaling()));
    }
    event->accept();
}

void MainWindow::askWhetherToSwitchOff()
{
    if (!m_closing || m_machine->state() == MachineState::Ended)
        return;
    m_question = new QMessageBox(QMessageBox::Question, windowTitle(), tr("The guest has not switched itself off."),
        QMessageBox::NoButton, this);
    m_question->setObjectName(QStringLiteral("switchOffQuestion"));
    m_question->setAttribute(Qt::WA_DeleteOnClose);
    m_question->setInformativeText(tr("It may still be at it, or it does not listen to its power button. "
                                      "Cutting the power loses what it has not saved."));
    QPushButton* wait = m_question->addButton(tr("Wait longer"), QMessageBox::AcceptRole);
    QPushButton* cut = m_question->addButton(tr("Cut the power"), QMessageBox::DestructiveRole);
    QPushButton* keep = m_question->addButton(tr("Keep it running"), QMessageBox::RejectRole);
    m_question->setDefaultButton(wait);
    m_question->setEscapeButton(keep);
    connect(wait, &QPushButton::clicked, this, [this] { m_closeTimer.start(); });
    connect(cut, &QPushButton::clicked, this, [this] { m_machine->cutPower(); });
    connect(keep, &QPushButton::clicked, this, [this] {
        m_closing = false;
        m_banner->hide();
    });
    connect(m_question, &QObject::destroyed, this, [this] { m_question = nullptr; });
    m_question->open();
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    if (m_toolBar)
        m_toolBar->setToolButtonStyle(width() < 1100 ? Qt::ToolButtonIconOnly : Qt::ToolButtonTextBesideIcon);
}

void MainWindow::changeEvent(QEvent* event)
{
    // Focus that goes to another window takes the keyboard from the guest.
    if (event->type() == QEvent::ActivationChange && !isActiveWindow())
        m_console->release();
    QMainWindow::changeEvent(event);
}

QPixmap MainWindow::pictureOfRun()
{
    takeFrame(); // may still be on its way
    m_tabs->setCurrentWidget(m_screenPages);
    m_screenPages->setCurrentIndex(0);
    return grab();
}

QString MainWindow::banner() const
{
    return m_banner->text();
}

} // namespace namsan
