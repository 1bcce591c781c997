// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/timing/timing_plot.h"

#include "ui/common/numbers.h"
#include "ui/common/theme.h"
#include "ui/placement/thread_chip.h"

#include <QEvent>
#include <QHelpEvent>
#include <QToolTip>
#include <QVBoxLayout>

#include <qcustomplot.h>

namespace namsan {

namespace {

QSharedPointer<QCPAxisTickerText> timeTicker()
{
    QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
    for (int tick = -60; tick < 0; tick += 10)
        ticker->addTick(tick, QStringLiteral("\u2212%1\u00a0s").arg(-tick));
    ticker->addTick(0, TimingPlot::tr("now"));
    return ticker;
}

QSharedPointer<QCPAxisTickerText> loadTicker()
{
    QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
    for (const int tick : { 0, 50, 100 })
        ticker->addTick(tick, QString::number(tick));
    return ticker;
}

QSharedPointer<QCPAxisTickerText> topTicker(double top)
{
    QSharedPointer<QCPAxisTickerText> ticker(new QCPAxisTickerText);
    for (const double tick : { 0.0, top / 2, top })
        ticker->addTick(tick, top < 10 && tick > 0 ? QLocale().toString(tick, 'f', 1) : wholeNumber(tick));
    return ticker;
}

} // namespace

TimingPlot::TimingPlot(const TimingHistory& history, unsigned threads, QWidget* parent)
    : QWidget(parent)
    , m_history(history)
    , m_threads(threads)
    , m_plot(new QCustomPlot)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot);
    setFocusPolicy(Qt::TabFocus);
    build();
    dress();
    refresh();
}

void TimingPlot::build()
{
    m_plot->setInteractions({});
    m_plot->setFocusPolicy(Qt::NoFocus);
    m_plot->setAttribute(Qt::WA_TransparentForMouseEvents); // so that tool tips come here
    m_plot->plotLayout()->clear();
    m_loadRect = new QCPAxisRect(m_plot);
    m_mipsRect = new QCPAxisRect(m_plot);
    m_plot->plotLayout()->addElement(0, 0, m_loadRect);
    m_plot->plotLayout()->addElement(1, 0, m_mipsRect);
    m_plot->plotLayout()->setRowStretchFactor(0, 1.25);
    m_plot->plotLayout()->setRowSpacing(10);
    auto* margins = new QCPMarginGroup(m_plot);
    for (QCPAxisRect* rect : { m_loadRect, m_mipsRect }) {
        rect->setMarginGroup(QCP::msLeft | QCP::msRight, margins);
        setUpAxes(*rect, rect == m_mipsRect);
    }
    for (unsigned thread = 0; thread < m_threads; ++thread) {
        m_loads.push_back(m_plot->addGraph(m_loadRect->axis(QCPAxis::atBottom), m_loadRect->axis(QCPAxis::atLeft)));
        m_loads.back()->setAdaptiveSampling(false);
    }
    m_mips = m_plot->addGraph(m_mipsRect->axis(QCPAxis::atBottom), m_mipsRect->axis(QCPAxis::atLeft));
}

void TimingPlot::setUpAxes(QCPAxisRect& rect, bool lowest)
{
    rect.setupFullAxesBox(false);
    rect.axis(QCPAxis::atTop)->setVisible(false);
    rect.axis(QCPAxis::atRight)->setVisible(false);
    // Room above the upper plot for the labels of marks; room at the right for half of "now".
    const int textHeight = QFontMetrics(scaledFont(font(), 0.85)).height();
    const int right = QFontMetrics(scaledFont(font(), 0.85)).horizontalAdvance(tr("now")) / 2 + 6;
    rect.setMinimumMargins(QMargins(0, lowest ? 4 : textHeight + 12, right, 0));
    QCPAxis& time = *rect.axis(QCPAxis::atBottom);
    time.setRange(-TimingHistory::span, 0);
    time.setTicker(timeTicker());
    time.setTickLabels(lowest);
    time.setTicks(lowest);
    time.setPadding(lowest ? 2 : 0);
    QCPAxis& value = *rect.axis(QCPAxis::atLeft);
    value.setRange(0, lowest ? 1 : 100);
    value.setTicker(lowest ? topTicker(1) : loadTicker());
    value.setBasePen(Qt::NoPen);
    for (QCPAxis* axis : { &time, &value }) {
        axis->setSubTicks(false);
        axis->setTickLength(0, 3);
        axis->grid()->setZeroLinePen(Qt::NoPen);
    }
    value.setTickLength(0, 0);
    value.setTickLabelPadding(6);
}

void TimingPlot::dress()
{
    const ThemeTokens tokens = themeTokens(palette());
    const QFont small = scaledFont(font(), 0.85);
    m_plot->setBackground(QBrush(tokens.window));
    for (QCPAxisRect* rect : { m_loadRect, m_mipsRect }) {
        rect->setBackground(QBrush(tokens.base));
        for (QCPAxis* axis : { rect->axis(QCPAxis::atBottom), rect->axis(QCPAxis::atLeft) }) {
            axis->setTickLabelFont(small);
            axis->setTickLabelColor(tokens.secondaryText);
            axis->setTickPen(QPen(tokens.neutral, 1));
            axis->grid()->setPen(QPen(tokens.plotGrid, 1));
        }
        rect->axis(QCPAxis::atBottom)->setBasePen(QPen(tokens.neutral, 1));
    }
    for (unsigned thread = 0; thread < m_threads; ++thread)
        m_loads[thread]->setPen(threadPen(tokens, thread));
    QColor area = tokens.accent;
    area.setAlphaF(0.16F);
    m_mips->setPen(QPen(tokens.accent, 1.5));
    m_mips->setBrush(area);
}

void TimingPlot::setThreadShown(unsigned thread, bool shown)
{
    m_loads[thread]->setVisible(shown);
    m_stale = true;
    refresh();
}

void TimingPlot::refresh()
{
    m_stale = true;
    if (!isVisible())
        return;
    m_stale = false;
    const double now = m_history.now();
    QVector<double> times;
    QVector<double> mipsValues;
    std::vector<QVector<double>> loads(m_threads);
    double mostMips = 0;
    for (const TimingPoint& point : m_history.points()) {
        times.append(point.time - now);
        mipsValues.append(point.mips);
        mostMips = std::max(mostMips, point.mips);
        for (size_t thread = 0; thread < m_threads; ++thread)
            loads[thread].append(thread < point.load.size() ? point.load[thread] * 100 : 0);
    }
    for (size_t thread = 0; thread < m_threads; ++thread)
        m_loads[thread]->setData(times, loads[thread], true);
    m_mips->setData(times, mipsValues, true);
    const double top = m_mipsTop.update(mostMips, now);
    m_mipsRect->axis(QCPAxis::atLeft)->setRange(0, top);
    m_mipsRect->axis(QCPAxis::atLeft)->setTicker(topTicker(top));
    drawMarks();
    setAccessibleName(sentence());
    m_plot->replot();
}

void TimingPlot::drawUnit(QCPAxisRect* rect, const QString& text)
{
    auto* label = new QCPItemText(m_plot);
    label->setClipToAxisRect(false);
    label->position->setType(QCPItemPosition::ptAxisRectRatio);
    label->position->setAxisRect(rect);
    label->position->setCoords(0, 0);
    label->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
    label->setPadding(QMargins(4, 3, 4, 0));
    label->setFont(scaledFont(font(), 0.85));
    label->setColor(themeTokens(palette()).secondaryText);
    label->setText(text);
    m_markItems.push_back(label);
}

void TimingPlot::drawMarkLine(double at)
{
    QPen pen(themeTokens(palette()).text, 1);
    pen.setDashPattern({ 4, 3 });
    auto* line = new QCPItemLine(m_plot);
    line->setPen(pen);
    line->setClipToAxisRect(false);
    const auto place = [at](QCPItemPosition* position, QCPAxisRect* rect, double height) {
        position->setTypeX(QCPItemPosition::ptPlotCoords);
        position->setTypeY(QCPItemPosition::ptAxisRectRatio);
        position->setAxes(rect->axis(QCPAxis::atBottom), rect->axis(QCPAxis::atLeft));
        position->setAxisRect(rect);
        position->setCoords(at, height);
    };
    place(line->start, m_loadRect, 0);
    place(line->end, m_mipsRect, 1);
    line->setTail(QCPLineEnding(QCPLineEnding::esFlatArrow, 7, 6, true));
    m_markItems.push_back(line);
}

void TimingPlot::drawMarkLabel(double x, const QString& text)
{
    auto* label = new QCPItemText(m_plot);
    label->setClipToAxisRect(false);
    label->position->setTypeX(QCPItemPosition::ptAbsolute);
    label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    label->position->setAxisRect(m_loadRect);
    label->position->setCoords(x, 0);
    label->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
    label->setPadding(QMargins(0, 0, 0, 8));
    label->setFont(scaledFont(font(), 0.85));
    label->setColor(themeTokens(palette()).text);
    label->setText(text);
    m_markItems.push_back(label);
}

// Items of QCustomPlot live as long as they are not removed; there are few, and making them anew keeps this simple.
void TimingPlot::drawMarks()
{
    for (QCPAbstractItem* item : m_markItems)
        m_plot->removeItem(item);
    m_markItems.clear();
    m_markTips.clear();
    drawUnit(m_loadRect, tr("load, %"));
    drawUnit(m_mipsRect, tr("guest MIPS"));

    // The newest change has the first right to its words. A label that would cover a newer one becomes a number, and
    // where not even that has room the triangle stands alone; the words are in the tool tip.
    const QFontMetrics metrics(scaledFont(font(), 0.85));
    constexpr double gap = 8;
    double taken = 1e9; // by labels, from here to the right
    size_t number = m_history.marks().size();
    for (auto mark = m_history.marks().rbegin(); mark != m_history.marks().rend(); ++mark, --number) {
        const double at = mark->time - m_history.now();
        drawMarkLine(at);
        const QString words = QString::fromStdString(mark->label);
        const double x = m_loadRect->axis(QCPAxis::atBottom)->coordToPixel(at);
        for (const QString& text : { words, QString::number(number) }) {
            const double half = metrics.horizontalAdvance(text) / 2.0;
            const double highest = static_cast<double>(m_plot->width()) - half - 2;
            const double centre = std::clamp(x, std::min(half + 2, highest), highest);
            if (centre + half > taken - gap)
                continue;
            drawMarkLabel(centre, text);
            taken = centre - half;
            break;
        }
        constexpr double reach = 8;
        m_markTips.emplace_back(QRectF(x - reach, 0, 2 * reach, height()), words);
    }
}

QString TimingPlot::sentence() const
{
    if (m_history.points().empty())
        return tr("Timing plot: no figures yet");
    QStringList parts;
    for (unsigned thread = 0; thread < m_threads; ++thread)
        parts << tr("%1 %2 percent").arg(threadName(thread)).arg(qRound(m_history.load(thread) * 100));
    return tr("Timing plot: load now %1; guest %2").arg(parts.join(QStringLiteral(", ")), mips(m_history.mips()));
}

void TimingPlot::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale)
        refresh();
}

// The labels of marks stand where the axes are, and those move when the plot has been laid out anew.
void TimingPlot::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    QMetaObject::invokeMethod(
        this, [this] { refresh(); }, Qt::QueuedConnection);
}

void TimingPlot::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        dress();
        refresh();
    }
    QWidget::changeEvent(event);
}

bool TimingPlot::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        for (const auto& [rect, text] : m_markTips) {
            if (rect.contains(help->pos())) {
                QToolTip::showText(help->globalPos(), text, this);
                return true;
            }
        }
        QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

} // namespace namsan
