// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/race/lane_card.h"

#include "app/lab/race_lanes.h"
#include "app/lab/result_text.h"
#include "ui/common/numbers.h"
#include "ui/common/theme.h"
#include "ui/console/console_view.h"
#include "ui/race/lane_cpus.h"
#include "ui/race/lane_mark.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QRegularExpression>
#include <QToolButton>
#include <QVBoxLayout>

namespace namsan {

namespace {

constexpr QChar noBreakSpace(0x00A0);

QLabel* figure(double factor, QFont::Weight weight)
{
    auto* label = new QLabel;
    label->setFont(scaledFont(label->font(), factor, weight));
    label->setTextFormat(Qt::RichText);
    return label;
}

QLabel* quiet()
{
    auto* label = new QLabel;
    label->setTextFormat(Qt::PlainText);
    return label;
}

// A figure with what it is of, which stands smaller behind it.
void setFigure(QLabel& label, const QString& figure, const QString& unit, double unitFactor)
{
    const QFont unitFont = scaledFont(label.font(), unitFactor);
    const QString size = unitFont.pixelSize() > 0 ? QStringLiteral("%1px").arg(unitFont.pixelSize())
                                                  : QStringLiteral("%1pt").arg(unitFont.pointSizeF());
    label.setText(QStringLiteral("%1<span style='font-size:%3; font-weight:400'>%4%2</span>")
                      .arg(figure, unit, size, QString(noBreakSpace)));
}

QString plain(const QLabel& label)
{
    QString text = label.text();
    static const QRegularExpression tags(QStringLiteral("<[^>]*>"));
    return text.remove(tags);
}

QString summaryOf(const Column& column)
{
    return column.policy == PlacementPolicy::Shared ? LaneCard::tr("VMM shares with vCPU 0")
                                                    : LaneCard::tr("VMM has a CPU of its own");
}

} // namespace

LaneCard::LaneCard(size_t lane, QWidget* parent)
    : QFrame(parent)
    , m_lane(lane)
    , m_mark(new LaneMark(lane))
    , m_name(new QToolButton)
    , m_menu(new QMenu(this))
    , m_summary(quiet())
    , m_cpus(new LaneCpus)
    , m_console(new ConsoleView)
    , m_timeCaption(quiet())
    , m_time(figure(3.6, QFont::Bold))
    , m_filesCaption(quiet())
    , m_files(figure(2, QFont::Bold))
    , m_speedCaption(quiet())
    , m_speed(figure(1.6, QFont::Normal))
    , m_bar(new LaneBar(lane))
{
    setObjectName(QStringLiteral("lane%1").arg(QChar(laneLetter(lane))));
    m_console->setEnabled(false); // to be looked at: who typed into one lane would change the race
    m_console->setFocusPolicy(Qt::NoFocus);
    m_console->setScaling(PictureScaling::Smooth);
    m_filesCaption->setText(tr("Files done"));
    m_speedCaption->setText(tr("Speed"));
    auto* middle = new QHBoxLayout;
    middle->setSpacing(16);
    middle->addWidget(m_console, 1);
    middle->addLayout(buildFigures());
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 12, 16, 14);
    column->setSpacing(12);
    column->addLayout(buildHead());
    column->addLayout(middle, 1);
    column->addWidget(m_bar);
    dimCaptions();
    showRun({}, {});
}

QHBoxLayout* LaneCard::buildHead()
{
    m_name->setFont(scaledFont(font(), 1.7, QFont::DemiBold));
    m_name->setAutoRaise(true);
    m_name->setPopupMode(QToolButton::InstantPopup);
    m_name->setMenu(m_menu);
    m_name->setObjectName(QStringLiteral("placement"));
    m_summary->setContentsMargins(fontMetrics().height() / 2, 0, 0, 0); // below the name, which has a button's margin
    connect(m_menu, &QMenu::aboutToShow, this, &LaneCard::fillMenu);
    m_menu->setToolTipsVisible(true);
    auto* names = new QVBoxLayout;
    names->setSpacing(0);
    names->addStretch(1);
    names->addWidget(m_name, 0, Qt::AlignLeft);
    names->addWidget(m_summary);
    names->addStretch(1);
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    head->addWidget(m_mark);
    head->addLayout(names, 1);
    head->addWidget(m_cpus);
    return head;
}

QVBoxLayout* LaneCard::buildFigures()
{
    auto* figures = new QVBoxLayout;
    figures->setSpacing(2);
    figures->addWidget(m_timeCaption);
    figures->addWidget(m_time);
    figures->addStretch(1);
    figures->addWidget(m_filesCaption);
    figures->addWidget(m_files);
    figures->addStretch(1);
    figures->addWidget(m_speedCaption);
    figures->addWidget(m_speed);
    // As wide as it will ever need to be, so that nothing jumps.
    const QFontMetrics metrics(m_time->font());
    m_time->setMinimumWidth(metrics.horizontalAdvance(QStringLiteral("000.0")) + fontMetrics().height());
    return figures;
}

void LaneCard::setChoices(std::vector<Choice> choices)
{
    m_choices = std::move(choices);
}

void LaneCard::setChoosable(bool choosable)
{
    m_choosable = choosable;
    m_name->setToolTip(choosable ? tr("Choose the lane's vCPUs and placement")
                                 : tr("While the race goes on, the placement stays; cancel the race to change it."));
}

void LaneCard::fillMenu()
{
    m_menu->clear();
    for (const Choice& choice : m_choices) {
        QAction* action = m_menu->addAction(
            QStringLiteral("%1: %2").arg(QString::fromStdString(choice.column.name()), summaryOf(choice.column)));
        action->setCheckable(true);
        action->setChecked(choice.column == m_column);
        action->setEnabled(m_choosable && choice.trouble.isEmpty());
        action->setToolTip(m_choosable ? choice.trouble : m_name->toolTip());
        connect(action, &QAction::triggered, this, [this, column = choice.column] { emit columnChosen(column); });
    }
}

void LaneCard::setLane(const Column& column, const Topology& host, const Placement& placement)
{
    m_column = column;
    m_placement = placement;
    m_name->setText(QString::fromStdString(column.name()) + QString(2, noBreakSpace)); // room for the arrow
    m_name->setAccessibleName(
        tr("Placement of lane %1: %2").arg(QChar(laneLetter(m_lane))).arg(QString::fromStdString(column.name())));
    m_summary->setText(summaryOf(column));
    m_cpus->setPlacement(host, placement);
    m_history.clear();
    describe();
}

void LaneCard::setFilesKnown(bool known)
{
    for (QWidget* widget : std::initializer_list<QWidget*> { m_filesCaption, m_files, m_bar })
        widget->setVisible(known);
    describe();
}

void LaneCard::machineMade()
{
    m_history.clear();
    m_console->clear();
}

void LaneCard::addSample(const MachineSample& sample)
{
    m_history.add(sample);
    m_cpus->show(m_history, m_hostLoad);
}

void LaneCard::setHostLoad(const std::map<LogicalCpu, double>& load)
{
    m_hostLoad = load;
    m_cpus->show(m_history, m_hostLoad);
}

bool LaneCard::seenWhereAsked() const
{
    const auto isThere = [this](size_t thread, const std::optional<LogicalCpu>& asked) {
        const auto shares = m_history.observedShares(thread, TimingHistory::span);
        return !asked || shares.empty() || (shares.size() == 1 && shares.contains(*asked));
    };
    for (size_t vcpu = 0; vcpu < m_placement.vcpus.size(); ++vcpu) {
        if (!isThere(vcpu + 1, m_placement.vcpus[vcpu]))
            return false;
    }
    return isThere(0, m_placement.vmm);
}

void LaneCard::showRun(const LaneRun& run, const LaneTrack& track)
{
    const QString none(QChar(0x2013));
    switch (run.stage) {
    case LaneStage::Waiting:
        m_timeCaption->setText(tr("Waiting"));
        break;
    case LaneStage::Booting:
        m_timeCaption->setText(tr("Booting"));
        break;
    case LaneStage::AtMark:
        m_timeCaption->setText(tr("At the start, held"));
        break;
    case LaneStage::Running:
        m_timeCaption->setText(tr("Guest time"));
        break;
    case LaneStage::Finished:
        m_timeCaption->setText(tr("Guest time, done"));
        break;
    case LaneStage::Failed:
        m_timeCaption->setText(tr("Not counted"));
        break;
    }
    m_timeCaption->setToolTip(QString::fromStdString(run.reason));
    const bool finished = run.stage == LaneStage::Finished;
    const bool ran = finished || run.stage == LaneStage::Running;
    const double guestSeconds = finished ? run.guestSeconds : track.guestSeconds();
    for (QLabel* label : { m_time, m_files, m_speed })
        label->setText(none);
    if (ran)
        setFigure(*m_time, QString::fromStdString(secondsText(guestSeconds)), QStringLiteral("s"), 0.5);
    if (ran && track.total() > 0)
        setFigure(*m_files, wholeNumber(track.done()), tr("of %1").arg(wholeNumber(track.total())), 0.6);
    const QStringList speed = mips(track.mips().value_or(0)).split(noBreakSpace);
    if (ran && track.mips() && speed.size() == 2)
        setFigure(*m_speed, speed[0], speed[1], 0.65);
    m_bar->setShare(track.total() > 0 && ran ? static_cast<double>(track.done()) / track.total() : 0);
    describe();
}

void LaneCard::describe()
{
    QStringList parts { tr("Lane %1").arg(QChar(laneLetter(m_lane))), QString::fromStdString(m_column.name()),
        m_summary->text(), QStringLiteral("%1 %2").arg(caption(), time()) };
    if (m_files->isVisibleTo(this))
        parts << tr("files done %1").arg(files());
    parts << tr("speed %1").arg(speed());
    setAccessibleName(parts.join(QStringLiteral(", ")));
    m_console->setAccessibleName(tr("Screen of lane %1").arg(QChar(laneLetter(m_lane))));
}

QString LaneCard::caption() const
{
    return m_timeCaption->text();
}

QString LaneCard::time() const
{
    return plain(*m_time);
}

QString LaneCard::files() const
{
    return plain(*m_files);
}

QString LaneCard::speed() const
{
    return plain(*m_speed);
}

void LaneCard::dimCaptions()
{
    QPalette dimmed = palette();
    dimmed.setColor(QPalette::WindowText, themeTokens(palette()).secondaryText);
    for (QLabel* label : { m_summary, m_timeCaption, m_filesCaption, m_speedCaption })
        label->setPalette(dimmed);
}

void LaneCard::changeEvent(QEvent* event)
{
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        dimCaptions();
}

void LaneCard::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(tokens.border);
    painter.setBrush(tokens.alternateBase);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8);
}

} // namespace namsan
