// SPDX-License-Identifier: GPL-3.0-or-later
// What the user can do with a race, and what its window shows of it: actions, settings, state.
#include "app/lab/measuring_host.h"
#include "app/lab/race_export.h"
#include "app/lab/race_result.h"
#include "app/lab/workload.h"
#include "app/paint/plot_export.h"
#include "ui/common/export_dialog.h"
#include "ui/common/message_banner.h"
#include "ui/common/numbers.h"
#include "ui/common/symbolic_icon.h"
#include "ui/race/lane_card.h"
#include "ui/race/race_plot_view.h"
#include "ui/race/race_window.h"
#include "ui/race/rounds_table.h"
#include "ui/shell/status_field.h"

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QToolBar>

#include <algorithm>

namespace namsan {

namespace {

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

} // namespace

// What it does and its keys, for those who point at it and for those who have it read out.
void RaceWindow::explain(QAction* action, const QString& text)
{
    const QString keys = action->shortcut().toString(QKeySequence::NativeText);
    action->setToolTip(keys.isEmpty() ? text : tr("%1 (%2)").arg(text, keys));
}

void RaceWindow::buildActions()
{
    const auto add = [this](const char* name, const char* icon, const QString& text, const QList<QKeySequence>& keys) {
        auto* action = new QAction(symbolicIcon(QString::fromLatin1(icon)), text, this);
        action->setObjectName(QString::fromLatin1(name));
        action->setShortcuts(keys);
        return action;
    };
    m_start = add("startRace", "view-refresh", tr("Start"), { Qt::Key_Space, Qt::Key_F5 });
    m_pause = add("pauseRace", "media-playback-pause", tr("Pause"), { Qt::Key_F6 });
    m_cancel = add("cancelRace", "window-close", tr("Cancel"), { Qt::CTRL | Qt::Key_Period });
    m_export = add("exportRace", "document-save", tr("Export..."), { Qt::CTRL | Qt::Key_E });
    explain(m_pause, tr("All lanes and their clocks stand still"));
    explain(m_cancel, tr("Ends the race; finished rounds are kept"));
    connect(m_start, &QAction::triggered, this, &RaceWindow::start);
    connect(m_pause, &QAction::triggered, this, &RaceWindow::togglePause);
    connect(m_cancel, &QAction::triggered, this, [this] {
        if (m_runner)
            m_runner->cancel();
    });

    connect(m_export, &QAction::triggered, this, [this] {
        askWhereToExport(this, toQt(raceTitle(m_settings)).replace(QLatin1Char(':'), QLatin1Char(',')),
            [this](const QString& path) { exportRace(path); });
    });

    QMenu* menu = menuBar()->addMenu(tr("&Race"));
    menu->addActions({ m_start, m_pause, m_cancel });
    menu->addSeparator();
    menu->addAction(m_export);
    menu->addSeparator();
    QAction* close = menu->addAction(symbolicIcon(QStringLiteral("application-exit")), tr("Close"));
    close->setShortcut(QKeySequence::Close);
    connect(close, &QAction::triggered, this, &QWidget::close);

    QToolBar* bar = addToolBar(tr("Race"));
    bar->setObjectName(QStringLiteral("raceToolBar"));
    bar->setMovable(false);
    bar->setIconSize({ 16, 16 });
    bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->setMinimumHeight(44);
    bar->addActions({ m_start, m_pause, m_cancel });
    bar->addSeparator();
    bar->addAction(m_export);
    bar->addSeparator();
    buildSettings(*bar);
    bar->toggleViewAction()->setVisible(false);
}

void RaceWindow::buildSettings(QToolBar& bar)
{
    for (const Workload& workload : allWorkloads()) {
        for (const WorkloadSize& size : workload.sizes)
            m_workload->addItem(tr("%1 (%2)").arg(QString::fromUtf8(workload.title), QString::fromUtf8(size.name)),
                QStringList { QString::fromUtf8(workload.name), QString::fromUtf8(size.name) });
    }
    m_laneCount->setRange(static_cast<int>(fewestLanes), static_cast<int>(mostLanes));
    m_roundCount->setRange(1, static_cast<int>(mostRounds));
    m_workload->setObjectName(QStringLiteral("workload"));
    m_laneCount->setObjectName(QStringLiteral("lanes"));
    m_roundCount->setObjectName(QStringLiteral("roundCount"));
    m_byTurns->setObjectName(QStringLiteral("byTurns"));
    const auto add = [&](const QString& name, QWidget* control) {
        auto* label = new QLabel(name);
        label->setContentsMargins(8, 0, 4, 0);
        bar.addWidget(label);
        bar.addWidget(control);
        control->setAccessibleName(name);
    };
    add(tr("Workload"), m_workload);
    add(tr("Lanes"), m_laneCount);
    add(tr("Rounds"), m_roundCount);
    auto* gap = new QLabel;
    gap->setContentsMargins(8, 0, 4, 0);
    bar.addWidget(gap);
    bar.addWidget(m_byTurns);
    connect(m_workload, &QComboBox::activated, this, &RaceWindow::takeSettings);
    connect(m_laneCount, &QSpinBox::valueChanged, this, &RaceWindow::takeSettings);
    connect(m_roundCount, &QSpinBox::valueChanged, this, &RaceWindow::takeSettings);
    connect(m_byTurns, &QCheckBox::toggled, this, &RaceWindow::takeSettings);
}

void RaceWindow::showSettings()
{
    m_updating = true;
    m_workload->setCurrentIndex(m_workload->findData(QStringList { toQt(m_settings.workload), toQt(m_settings.size) }));
    m_laneCount->setValue(static_cast<int>(m_settings.lanes.size()));
    m_roundCount->setValue(static_cast<int>(m_settings.rounds));
    m_byTurns->setChecked(m_settings.byTurns);
    m_updating = false;
}

void RaceWindow::takeSettings()
{
    if (m_updating || racing())
        return;
    const QStringList workload = m_workload->currentData().toStringList();
    if (workload.size() == 2) {
        m_settings.workload = workload[0].toStdString();
        m_settings.size = workload[1].toStdString();
    }
    // A new lane is as the one before it: the user says what is different about it.
    m_settings.lanes.resize(static_cast<size_t>(m_laneCount->value()), m_settings.lanes.back());
    m_settings.rounds = static_cast<unsigned>(m_roundCount->value());
    m_settings.byTurns = m_byTurns->isChecked();
    rebuildLanes();
}

void RaceWindow::enableActions()
{
    const bool going = racing();
    const bool paused = going && m_runner->race().paused();
    m_start->setText(going || m_runner ? tr("Start again") : tr("Start"));
    explain(m_start,
        going ? tr("This round from its beginning; finished rounds are kept") : tr("A race with these settings"));
    m_pause->setEnabled(going);
    m_pause->setText(paused ? tr("Go on") : tr("Pause"));
    m_pause->setIcon(
        symbolicIcon(paused ? QStringLiteral("media-playback-start") : QStringLiteral("media-playback-pause")));
    m_cancel->setEnabled(going);
    const bool hasResult = m_runner && std::ranges::any_of(m_runner->race().rounds(), &RaceRound::over);
    m_export->setEnabled(hasResult);
    explain(m_export,
        hasResult ? tr("The rounds or the plot as a file: md, csv, json, svg or png")
                  : tr("There is nothing to export before a round is over"));
    const QString why = going ? tr("The race goes on; cancel it to change this.") : QString();
    for (QWidget* control : std::initializer_list<QWidget*> { m_workload, m_laneCount, m_roundCount, m_byTurns }) {
        control->setEnabled(!going);
        control->setToolTip(why);
        control->setAccessibleDescription(why);
    }
    m_byTurns->setToolTip(going ? why : tr("One lane after another, each with the host to itself"));
    for (LaneCard* card : m_cards)
        card->setChoosable(!going);
}

void RaceWindow::showState()
{
    enableActions();
    const Race none(m_settings);
    const Race& race = m_runner ? m_runner->race() : none;
    m_round->setText(race.rounds().empty()
            ? tr("%1 rounds").arg(m_settings.rounds)
            : tr("Round <b>%1 of %2</b>").arg(race.rounds().size()).arg(m_settings.rounds));
    m_rounds->display(race);
    const RaceVerdict verdict = verdictOf(race);
    m_verdict->say(race.stage() == RaceStage::Failed ? MessageBanner::Kind::Warning : MessageBanner::Kind::Information,
        toQt(verdict.headline + " " + verdict.why));
    m_engine->setText(toQt(m_settings.engine));
    showFigures();
    showStatus();
}

void RaceWindow::exportRace(const QString& path)
{
    if (!m_runner)
        return;
    const Race& race = m_runner->race();
    const LanePlan& plan = m_runner->setup().plan;
    const HostDescription host = describeHost(m_host);
    const auto written = exportTo(path,
        { .markdown = [&] { return raceAsMarkdown(race, plan, host); },
            .csv = [&] { return raceAsCsv(race); },
            .json = [&] { return raceAsJson(race, plan, host); },
            .svg = [&] { return plotAsSvg(plotContent(), raceTitle(m_settings)).toStdString(); },
            .png = [&] { return plotAsPng(plotContent()).toStdString(); } });
    if (!written)
        m_banner->say(MessageBanner::Kind::Error, toQt(written.error().message));
    else
        m_banner->say(MessageBanner::Kind::Information, tr("The race was exported as %1").arg(path));
}

RacePlotContent RaceWindow::plotContent() const
{
    RacePlotContent content;
    for (size_t index = 0; index < m_settings.lanes.size(); ++index) {
        RacePlotLane lane;
        lane.name = laneName(index, m_settings.lanes[index]);
        const LaneStage stage = m_runner ? m_runner->race().lane(index).stage : LaneStage::Waiting;
        if (stage == LaneStage::Running || stage == LaneStage::Finished || stage == LaneStage::Failed) {
            const LaneTrack& track = m_runner->track(index);
            lane.begun = track.begun();
            lane.steps = track.steps();
            lane.speeds = track.speeds();
            lane.guestSeconds = track.guestSeconds();
            content.total = std::max(content.total, track.total());
        }
        content.lanes.push_back(std::move(lane));
    }
    if (!m_runner)
        return content;
    for (const RaceRound& round : m_runner->race().rounds()) {
        for (const LaneRun& lane : round.lanes)
            content.longest = std::max(content.longest, lane.guestSeconds);
    }
    return content;
}

void RaceWindow::showFigures()
{
    for (size_t lane = 0; lane < m_cards.size(); ++lane) {
        if (m_runner && lane < m_runner->setup().settings.lanes.size())
            m_cards[lane]->showRun(m_runner->race().lane(lane), m_runner->track(lane));
    }
    m_plot->display(plotContent());
}

void RaceWindow::showStatus()
{
    const size_t lanes = m_cards.size();
    m_sentence->setText(!m_plan.overlapping || m_settings.byTurns
            ? (m_settings.byTurns ? tr("One lane after another, each alone on its host CPUs.")
                                  : tr("All lanes start together at the guest's mark, each on host CPUs of its own."))
            : tr("All lanes start together and share host CPUs."));
    const Race* race = m_runner ? &m_runner->race() : nullptr;
    const bool started = race && !race->rounds().empty() && race->rounds().back().skew;
    m_apart->setText(
        started ? tr("Started within <b>%1</b>").arg(toQt(skewText(*race->rounds().back().skew))) : QString());
    QStringList elsewhere;
    QStringList drifts;
    for (size_t lane = 0; lane < lanes; ++lane) {
        const QChar letter(laneLetter(lane));
        if (!m_cards[lane]->seenWhereAsked())
            elsewhere << letter;
        drifts << QStringLiteral("%1 %2").arg(letter).arg(driftText(m_cards[lane]->history().drift()));
    }
    m_places->setVisible(race != nullptr);
    m_drift->setVisible(race != nullptr);
    m_places->setText(elsewhere.isEmpty()
            ? tr("Asked = observed in <b>%1</b>").arg(lanes == 2 ? tr("both lanes") : tr("all lanes"))
            : tr("Seen elsewhere than asked: lane <b>%1</b>").arg(elsewhere.join(QStringLiteral(", "))));
    m_drift->setText(tr("Guest time <b>%1</b>").arg(drifts.join(QStringLiteral(", "))));
}

} // namespace namsan
