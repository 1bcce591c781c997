// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/race_window.h"

#include "app/lab/race_lanes.h"
#include "app/lab/race_result.h"
#include "app/lab/workload.h"
#include "ui/common/key_label.h"
#include "ui/common/message_banner.h"
#include "ui/common/numbers.h"
#include "ui/common/theme.h"
#include "ui/console/console_view.h"
#include "ui/race/lane_card.h"
#include "ui/race/race_plot_view.h"
#include "ui/race/rounds_table.h"
#include "ui/shell/status_field.h"

#include <QAction>
#include <QCheckBox>
#include <QCloseEvent>
#include <QComboBox>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>
#include <QStatusBar>
#include <QVBoxLayout>

#include <algorithm>

namespace namsan {

namespace {

QString toQt(const std::string& text)
{
    return QString::fromStdString(text);
}

// "Two CPUs. Which use of them is faster?" where all lanes have as many; otherwise the lanes' names say enough.
QString headlineFor(const RaceSettings& settings)
{
    const unsigned cpus = cpusOf(settings.lanes[0]);
    const bool same = std::ranges::all_of(settings.lanes, [&](const Column& lane) { return cpusOf(lane) == cpus; });
    const bool placebo
        = std::ranges::all_of(settings.lanes, [&](const Column& lane) { return lane == settings.lanes[0]; });
    if (placebo)
        return RaceWindow::tr("The same placement in every lane. What does chance do?");
    const QStringList numbers { RaceWindow::tr("One CPU"), RaceWindow::tr("Two CPUs"), RaceWindow::tr("Three CPUs"),
        RaceWindow::tr("Four CPUs") };
    if (same && cpus <= static_cast<unsigned>(numbers.size()))
        return RaceWindow::tr("%1. Which use of them is faster?").arg(numbers[static_cast<int>(cpus) - 1]);
    return RaceWindow::tr("Which placement is faster?");
}

QString namesOf(const RaceSettings& settings)
{
    QStringList names;
    for (const Column& lane : settings.lanes)
        names << toQt(lane.name());
    return names.join(RaceWindow::tr(" against "));
}

QLabel* fieldLabel(const QString& name)
{
    auto* label = new QLabel;
    label->setObjectName(name);
    label->setContentsMargins(8, 0, 8, 0);
    return label;
}

} // namespace

RaceWindow::RaceWindow(const Topology& host, RaceMaker maker, const RaceSettings& settings, QWidget* parent)
    : QMainWindow(parent)
    , m_host(host)
    , m_maker(std::move(maker))
    , m_settings(settings)
    , m_headline(new QLabel)
    , m_round(new QLabel)
    , m_banner(new MessageBanner(true))
    , m_lanes(new QHBoxLayout)
    , m_plot(new RacePlotView)
    , m_rounds(new RoundsTable)
    , m_verdict(new MessageBanner(false))
    , m_workload(new QComboBox)
    , m_laneCount(new QSpinBox)
    , m_roundCount(new QSpinBox)
    , m_byTurns(new QCheckBox(tr("By turns")))
{
    setMinimumSize(960, 640);
    resize(1440, 900);
    buildActions();
    buildPage();
    buildStatusBar();
    dimSecondary();
    showSettings();
    rebuildLanes();
    connect(&m_hostLoadTimer, &QTimer::timeout, this, [this] {
        const auto load = m_hostLoad.update();
        for (LaneCard* card : m_cards)
            card->setHostLoad(load);
        showStatus();
    });
    m_hostLoadTimer.start(1000);
}

RaceWindow::~RaceWindow() = default;

void RaceWindow::buildPage()
{
    m_headline->setFont(scaledFont(font(), 1.8, QFont::DemiBold));
    m_headline->setTextFormat(Qt::PlainText);
    m_round->setObjectName(QStringLiteral("round"));
    m_round->setFont(scaledFont(font(), 1.2));
    auto* startsAgain = new QLabel(tr("starts again"));
    startsAgain->setObjectName(QStringLiteral("startsAgain"));
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    head->addWidget(m_headline, 1);
    head->addWidget(m_round);
    head->addWidget(new KeyLabel(tr("Space")), 0, Qt::AlignVCenter);
    head->addWidget(startsAgain);
    m_lanes->setSpacing(16);
    auto* below = new QHBoxLayout;
    below->setSpacing(16);
    auto* line = new QFrame;
    line->setObjectName(QStringLiteral("roundsLine"));
    line->setFrameShape(QFrame::VLine);
    line->setFrameShadow(QFrame::Plain);
    below->addWidget(m_plot, 1);
    below->addWidget(line);
    below->addWidget(buildRounds());
    auto* page = new QWidget;
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(16, 12, 16, 8);
    column->setSpacing(12);
    column->addWidget(m_banner);
    column->addLayout(head);
    column->addLayout(m_lanes, 3);
    column->addLayout(below, 2);
    m_banner->hide();
    page->setFocusPolicy(Qt::StrongFocus); // so that Space is the race's and no button's
    setCentralWidget(page);
    page->setFocus();
}

QWidget* RaceWindow::buildRounds()
{
    auto* heading = new QLabel(tr("Rounds"));
    heading->setFont(scaledFont(font(), 1, QFont::DemiBold));
    auto* rounds = new QWidget;
    rounds->setFixedWidth(fontMetrics().height() * 20);
    auto* column = new QVBoxLayout(rounds);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(heading);
    column->addWidget(m_rounds, 1);
    column->addWidget(m_verdict);
    return rounds;
}

void RaceWindow::buildStatusBar()
{
    m_engine = new EngineBadge;
    m_sentence = fieldLabel(QStringLiteral("sentence"));
    m_apart = fieldLabel(QStringLiteral("apart"));
    m_places = fieldLabel(QStringLiteral("places"));
    m_drift = fieldLabel(QStringLiteral("drift"));
    statusBar()->setSizeGripEnabled(false);
    statusBar()->addWidget(m_engine);
    statusBar()->addWidget(m_sentence, 1);
    for (QLabel* label : { m_apart, m_places, m_drift })
        statusBar()->addPermanentWidget(label);
}

// The cards for the lanes of the settings, on the host CPUs that they would have.
void RaceWindow::rebuildLanes()
{
    m_runner.reset();
    while (m_cards.size() > m_settings.lanes.size()) {
        delete m_cards.back();
        m_cards.pop_back();
    }
    while (m_cards.size() < m_settings.lanes.size()) {
        const size_t index = m_cards.size();
        auto* card = new LaneCard(index);
        connect(
            card, &LaneCard::columnChosen, this, [this, index](const Column& column) { chooseColumn(index, column); });
        m_lanes->addWidget(card, 1);
        m_cards.push_back(card);
    }
    auto plan = planLanes(m_host, m_settings.lanes);
    m_plan = plan ? *plan : LanePlan { std::vector<Placement>(m_cards.size()), false, false, {} };
    for (size_t index = 0; index < m_cards.size(); ++index) {
        m_cards[index]->setLane(m_settings.lanes[index], m_host, m_plan.placements[index]);
        m_cards[index]->showRun({}, {});
        m_cards[index]->machineMade();
        m_cards[index]->setFilesKnown(m_settings.workload == "kbuild");
        offerColumns(*m_cards[index], index);
    }
    if (!plan)
        m_banner->say(MessageBanner::Kind::Warning, toQt(plan.error().message));
    else if (!m_plan.warning.empty() && !m_settings.byTurns)
        m_banner->say(MessageBanner::Kind::Warning, toQt(m_plan.warning));
    else
        m_banner->hide();
    m_headline->setText(headlineFor(m_settings));
    setWindowTitle(tr("Race: %1 - Namsan").arg(namesOf(m_settings)));
    showState();
}

void RaceWindow::offerColumns(LaneCard& card, size_t lane)
{
    constexpr unsigned mostOffered = 4; // vCPUs; more can be asked for on the command line
    std::vector<LaneCard::Choice> choices;
    for (unsigned vcpus = 1; vcpus <= mostOffered; ++vcpus) {
        for (const PlacementPolicy policy : { PlacementPolicy::Shared, PlacementPolicy::Disjoint }) {
            const auto possible = plan(m_host, policy, vcpus);
            choices.push_back({ { vcpus, policy }, possible ? QString() : toQt(possible.error().message) });
        }
    }
    const Column& now = m_settings.lanes[lane];
    if (std::ranges::find(choices, now, &LaneCard::Choice::column) == choices.end())
        choices.push_back({ now, {} });
    card.setChoices(std::move(choices));
}

void RaceWindow::chooseColumn(size_t lane, const Column& column)
{
    if (racing())
        return;
    m_settings.lanes[lane] = column;
    rebuildLanes();
}

void RaceWindow::start()
{
    if (racing()) {
        m_runner->repeatRound();
        return;
    }
    makeRunner();
    if (!m_runner)
        return;
    if (auto begun = m_runner->begin(); !begun)
        m_banner->say(MessageBanner::Kind::Error, toQt(begun.error().message));
    showState();
}

void RaceWindow::makeRunner()
{
    m_runner.reset();
    auto setup = m_maker(m_settings);
    if (!setup) {
        m_banner->say(MessageBanner::Kind::Error, toQt(setup.error().message));
        showState();
        return;
    }
    m_banner->hide();
    m_runner = std::make_unique<RaceRunner>(std::move(*setup));
    if (!m_runner->setup().plan.warning.empty() && !m_settings.byTurns)
        m_banner->say(MessageBanner::Kind::Warning, toQt(m_runner->setup().plan.warning));
    connect(m_runner.get(), &RaceRunner::changed, this, &RaceWindow::showState);
    connect(m_runner.get(), &RaceRunner::figuresChanged, this, &RaceWindow::showFigures);
    connect(m_runner.get(), &RaceRunner::machineMade, this, [this](size_t lane) { m_cards[lane]->machineMade(); });
    connect(m_runner.get(), &RaceRunner::sampled, this,
        [this](size_t lane, const MachineSample& sample) { m_cards[lane]->addSample(sample); });
    connect(m_runner.get(), &RaceRunner::frameReady, this, [this](size_t lane) {
        if (const Frame* frame = m_runner->machine(lane) ? m_runner->machine(lane)->takeFrame() : nullptr)
            m_cards[lane]->console().show(*frame);
    });
    connect(m_runner.get(), &RaceRunner::over, this, &RaceWindow::raceEnded, Qt::QueuedConnection);
}

void RaceWindow::togglePause()
{
    if (!racing())
        return;
    if (m_runner->race().paused())
        m_runner->goOn();
    else
        m_runner->pause();
}

void RaceWindow::raceEnded()
{
    if (m_runner && m_runner->race().stage() == RaceStage::Failed)
        m_banner->say(MessageBanner::Kind::Error, toQt(m_runner->race().reason()));
    showState();
    emit raceOver();
    if (m_closing)
        close();
}

// Its machines are switched off first, which this thread does not wait for.
void RaceWindow::closeEvent(QCloseEvent* event)
{
    if (!racing()) {
        event->accept();
        return;
    }
    event->ignore();
    m_closing = true;
    m_runner->cancel();
}

void RaceWindow::changeEvent(QEvent* event)
{
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        dimSecondary();
}

void RaceWindow::dimSecondary()
{
    const auto colour = [this](QWidget* widget, const QColor& wanted) {
        if (!widget)
            return;
        QPalette changed = palette();
        changed.setColor(QPalette::WindowText, wanted);
        widget->setPalette(changed);
    };
    const ThemeTokens tokens = themeTokens(palette());
    colour(findChild<QLabel*>(QStringLiteral("startsAgain")), tokens.secondaryText);
    colour(findChild<QFrame*>(QStringLiteral("roundsLine")), tokens.border);
}

QString RaceWindow::banner() const
{
    return m_banner->isHidden() ? QString() : m_banner->text();
}

QString RaceWindow::verdict() const
{
    return m_verdict->text();
}

QString RaceWindow::headline() const
{
    return m_headline->text();
}

} // namespace namsan
