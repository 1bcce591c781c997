// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/placement/placement_dock.h"

#include "ui/common/dock_title.h"
#include "ui/common/message_banner.h"
#include "ui/common/symbolic_icon.h"
#include "ui/placement/thread_table.h"
#include "ui/timing/timing_history.h"

#include <QAction>
#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QToolButton>
#include <QVBoxLayout>

#include <set>

namespace namsan {

namespace {

constexpr double observedSpan = 10; // seconds
constexpr size_t undoCapacity = 100;

std::optional<LogicalCpu>& placeOf(Placement& placement, unsigned thread)
{
    return thread == 0 ? placement.vmm : placement.vcpus[thread - 1];
}

QString hostCaption(const Topology& topology)
{
    std::set<std::pair<unsigned, unsigned>> groups;
    for (const HostCpu& cpu : topology.cpus)
        groups.insert({ cpu.socket, cpu.numaNode });
    const QString processor = QString::fromStdString(topology.processorName);
    if (groups.size() != 1)
        return processor;
    return PlacementDock::tr("Socket %1 · NUMA node %2 · %3")
        .arg(groups.begin()->first)
        .arg(groups.begin()->second)
        .arg(processor);
}

} // namespace

PlacementDock::PlacementDock(const Topology& topology, unsigned vcpus, const TimingHistory& history, QWidget* parent)
    : QDockWidget(tr("Placement"), parent)
    , m_history(history)
    , m_vcpus(vcpus)
    , m_askedSince(vcpus + 1, 0)
    , m_view(new PlacementView(topology, vcpus + 1))
    , m_table(new ThreadTable(vcpus + 1))
    , m_information(new MessageBanner(false))
    , m_warning(new MessageBanner(false))
    , m_undo(new QAction(symbolicIcon(QStringLiteral("edit-undo")), tr("Undo placement"), this))
    , m_redo(new QAction(symbolicIcon(QStringLiteral("edit-redo")), tr("Redo placement"), this))
{
    setObjectName(QStringLiteral("placement"));
    setMinimumWidth(330);
    m_shown.vcpus.resize(vcpus);
    build(topology);

    connect(m_view, &PlacementView::moveRequested, this, &PlacementDock::move);
    connect(m_view, &PlacementView::hint, this, &PlacementDock::showHint);
    connect(m_view, &PlacementView::presetTyped, this, [this](unsigned count, bool shared) {
        const QString name = QStringLiteral("%1(%2)").arg(count).arg(shared ? QLatin1Char('s') : QLatin1Char('d'));
        if (QToolButton* button = preset(name); button && button->isEnabled())
            button->click();
        else
            showHint(tr("There is no preset %1 for this VM.").arg(name));
    });
    connect(m_undo, &QAction::triggered, this,
        [this] { travel(m_undoSteps, m_redoSteps, tr("Undone: the placement is %1 again.")); });
    connect(m_redo, &QAction::triggered, this,
        [this] { travel(m_redoSteps, m_undoSteps, tr("Done again: the placement is %1.")); });
    m_hostLoadTimer.setInterval(1000);
    connect(&m_hostLoadTimer, &QTimer::timeout, this, [this] { m_view->setHostLoad(m_hostLoad.update()); });
    showState();
}

void PlacementDock::build(const Topology& topology)
{
    m_undo->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Z));
    m_redo->setShortcut(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z));
    auto* title = new DockTitle(*this);
    for (QAction* action : { m_undo, m_redo }) {
        QToolButton* button = DockTitle::makeButton(QString(), action->text());
        button->setDefaultAction(action);
        title->addControl(button);
    }
    setTitleBarWidget(title);

    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(12, 12, 12, 12);
    column->setSpacing(8);
    auto* presetLabel = new QLabel(tr("Preset"));
    presetLabel->setFont(scaledFont(font(), 1, QFont::DemiBold));
    column->addWidget(presetLabel);
    auto* presets = new QGridLayout;
    presets->setSpacing(4);
    addPreset(topology, *presets, 0, PlacementPolicy::Shared, tr("%1(s)").arg(m_vcpus));
    addPreset(topology, *presets, 1, PlacementPolicy::Disjoint, tr("%1(d)").arg(m_vcpus));
    addPreset(topology, *presets, 2, PlacementPolicy::Free, tr("Free"));
    column->addLayout(presets);
    column->addSpacing(4);

    auto* caption = new QHBoxLayout;
    auto* hostLabel = new QLabel(tr("Host CPUs"));
    hostLabel->setFont(presetLabel->font());
    auto* processor = new QLabel;
    processor->setFont(scaledFont(font(), 0.92));
    processor->setMinimumWidth(0);
    QPalette secondary = processor->palette();
    secondary.setColor(QPalette::WindowText, themeTokens(palette()).secondaryText);
    processor->setPalette(secondary);
    processor->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    const QString text = hostCaption(topology);
    processor->setText(processor->fontMetrics().elidedText(text, Qt::ElideRight, 236));
    processor->setToolTip(text);
    caption->addWidget(hostLabel);
    caption->addStretch(1);
    caption->addWidget(processor);
    column->addLayout(caption);
    column->addWidget(m_view);
    column->addWidget(m_table);
    column->addSpacing(4);
    column->addWidget(m_information);
    column->addWidget(m_warning);
    column->addStretch(1);

    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(content);
    setWidget(scroll);
}

void PlacementDock::addPreset(
    const Topology& topology, QGridLayout& grid, int column, PlacementPolicy policy, const QString& name)
{
    Preset preset { name, new QToolButton, plan(topology, policy, m_vcpus) };
    preset.button->setText(name);
    preset.button->setCheckable(true);
    preset.button->setMinimumHeight(28);
    preset.button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    QString explanation;
    switch (policy) {
    case PlacementPolicy::Shared:
        explanation = tr("The VMM and vCPU 0 share one CPU, each further vCPU has its own");
        break;
    case PlacementPolicy::Disjoint:
        explanation = tr("The VMM and every vCPU have a CPU each");
        break;
    case PlacementPolicy::Free:
        explanation = tr("Nothing is pinned: the host's scheduler decides");
        break;
    }
    if (!preset.placement) {
        preset.button->setEnabled(false);
        explanation = QString::fromStdString(preset.placement.error().message);
    }
    preset.button->setToolTip(explanation);
    preset.button->setAccessibleDescription(explanation);
    connect(preset.button, &QToolButton::clicked, this, [this, index = m_presets.size()] {
        request(m_presets[index].placement.value(), tr("Placed as %1.").arg(m_presets[index].name));
        showPlacement(m_shown); // the click has toggled the button, whatever came of it
    });
    grid.addWidget(preset.button, 0, column);
    m_presets.push_back(std::move(preset));
}

void PlacementDock::setMachine(MachineController* machine)
{
    if (m_machine)
        m_machine->disconnect(this);
    m_machine = machine;
    m_news.clear();
    m_refusal.clear();
    m_undoSteps.clear();
    m_redoSteps.clear();
    if (m_machine) {
        connect(m_machine, &MachineController::placementChanged, this, &PlacementDock::showPlacement);
        connect(m_machine, &MachineController::stateChanged, this, &PlacementDock::showState);
        showPlacement(m_machine->requestedPlacement());
    }
    showState();
}

void PlacementDock::refresh()
{
    const auto threads = seen();
    m_view->setSeen(threads);
    m_table->showThreads(m_shown, threads);
    showState();
}

std::vector<PlacementView::Seen> PlacementDock::seen() const
{
    std::vector<PlacementView::Seen> threads;
    Placement placement = m_shown;
    for (unsigned thread = 0; thread <= m_vcpus; ++thread) {
        PlacementView::Seen seen { m_history.observedShares(thread, observedSpan), m_history.load(thread),
            m_history.granted(thread) };
        const auto asked = placeOf(placement, thread);
        seen.elsewhere = asked && !seen.shares.empty() && !seen.shares.contains(*asked)
            && m_history.now() - m_askedSince[thread] > observedSpan;
        threads.push_back(std::move(seen));
    }
    return threads;
}

void PlacementDock::request(const Placement& placement, const QString& news)
{
    if (!m_machine || placement == m_shown)
        return;
    const Placement before = m_shown;
    if (const auto done = m_machine->place(placement); !done) {
        m_refusal = QString::fromStdString(done.error().message);
        showState();
        return;
    }
    m_refusal.clear();
    m_undoSteps.push_back(before);
    if (m_undoSteps.size() > undoCapacity)
        m_undoSteps.erase(m_undoSteps.begin());
    m_redoSteps.clear();
    m_news = news;
    showPlacement(m_machine->requestedPlacement());
}

void PlacementDock::move(unsigned thread, std::optional<LogicalCpu> cpu)
{
    Placement wanted = m_shown;
    placeOf(wanted, thread) = cpu;
    request(wanted,
        cpu ? tr("%1 was asked to run on CPU %2.").arg(threadName(thread)).arg(*cpu)
            : tr("%1 is no longer pinned: the host's scheduler decides.").arg(threadName(thread)));
}

void PlacementDock::travel(std::vector<Placement>& from, std::vector<Placement>& to, const QString& what)
{
    if (!m_machine || from.empty())
        return;
    const Placement before = m_shown;
    const Placement wanted = from.back();
    from.pop_back();
    if (const auto done = m_machine->place(wanted); !done) {
        m_refusal = QString::fromStdString(done.error().message);
        showState();
        return;
    }
    m_refusal.clear();
    to.push_back(before);
    m_news = what.arg(QString::fromStdString(describe(wanted)));
    showPlacement(m_machine->requestedPlacement());
}

void PlacementDock::showPlacement(const Placement& placement)
{
    Placement next = placement;
    next.vcpus.resize(m_vcpus);
    for (unsigned thread = 0; thread <= m_vcpus; ++thread) {
        if (placeOf(next, thread) != placeOf(m_shown, thread))
            m_askedSince[thread] = m_history.now();
    }
    m_shown = next;
    for (const Preset& preset : m_presets)
        preset.button->setChecked(preset.placement && preset.placement.value() == m_shown);
    m_view->setPlacement(m_shown);
    m_table->showThreads(m_shown, seen());
    showState();
}

void PlacementDock::showHint(const QString& text)
{
    if (text.isEmpty())
        showState();
    else
        m_information->say(MessageBanner::Kind::Information, text);
}

// The dock's sentences: what the last change did, and what deserves a warning.
void PlacementDock::showState()
{
    m_undo->setEnabled(m_machine && !m_undoSteps.empty());
    m_redo->setEnabled(m_machine && !m_redoSteps.empty());
    const bool running = m_machine && m_machine->state() != MachineState::Ended;
    if (!running)
        m_information->say(MessageBanner::Kind::Information,
            tr("The VM is not running. Where its threads really run is shown here after the next start."));
    else if (!m_news.isEmpty())
        m_information->say(MessageBanner::Kind::Information, m_news);
    else
        m_information->hide();

    if (!m_refusal.isEmpty()) {
        m_warning->say(MessageBanner::Kind::Error, m_refusal);
        return;
    }
    const auto threads = seen();
    for (unsigned thread = 0; thread < threads.size(); ++thread) {
        Placement placement = m_shown;
        if (running && threads[thread].elsewhere) {
            m_warning->say(MessageBanner::Kind::Warning,
                tr("%1 was asked to run on CPU %2, but for over 10 s it was seen on %3.")
                    .arg(threadName(thread))
                    .arg(*placeOf(placement, thread))
                    .arg(observedText(threads[thread].shares)));
            return;
        }
    }
    if (running && m_shown.vmm && !m_shown.vcpus.empty() && m_shown.vcpus[0] == m_shown.vmm)
        m_warning->say(MessageBanner::Kind::Warning,
            tr("The VMM and vCPU 0 share CPU %1: each waits while the other runs there.").arg(*m_shown.vmm));
    else
        m_warning->hide();
}

QString PlacementDock::message() const
{
    return m_warning->text().isEmpty() ? m_information->text() : m_warning->text();
}

QToolButton* PlacementDock::preset(const QString& name) const
{
    for (const Preset& preset : m_presets) {
        if (preset.name == name)
            return preset.button;
    }
    return nullptr;
}

void PlacementDock::showEvent(QShowEvent* event)
{
    QDockWidget::showEvent(event);
    m_hostLoad.update();
    m_hostLoadTimer.start();
}

void PlacementDock::hideEvent(QHideEvent* event)
{
    QDockWidget::hideEvent(event);
    m_hostLoadTimer.stop();
}

} // namespace namsan
