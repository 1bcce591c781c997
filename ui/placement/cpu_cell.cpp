// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/placement/cpu_cell.h"

#include "ui/common/numbers.h"
#include "ui/common/theme.h"
#include "ui/placement/thread_chip.h"

#include <QPainter>

#include <algorithm>
#include <cmath>

namespace namsan {

namespace {

constexpr int padding = 6;

} // namespace

CpuCell::CpuCell(const HostCpu& cpu, QWidget* parent)
    : QWidget(parent)
    , m_cpu(cpu)
{
    setFont(scaledFont(font(), 0.85));
    if (!cpu.allowed)
        setToolTip(tr("CPU %1 is outside the set of CPUs that this program may use").arg(cpu.number));
    setContent({});
}

void CpuCell::setContent(const Content& content)
{
    QStringList parts { tr("CPU %1").arg(m_cpu.number), tr("core %1").arg(m_cpu.core),
        tr("socket %1").arg(m_cpu.socket) };
    if (!m_cpu.allowed)
        parts << tr("not allowed for this program");
    if (content.total)
        parts << tr("%1 percent").arg(std::lround(*content.total * 100));
    for (const unsigned thread : content.chips)
        parts << tr("holds %1").arg(threadName(thread));
    setAccessibleName(parts.join(QStringLiteral(", ")));
    if (content == m_content)
        return;
    m_content = content;
    update();
}

void CpuCell::setDropTarget(bool target)
{
    if (m_dropTarget != target) {
        m_dropTarget = target;
        update();
    }
}

int CpuCell::captionHeight() const
{
    return fontMetrics().height() + 5;
}

QRect CpuCell::chipRect(int slot, int chipHeight) const
{
    return { padding, captionHeight() + slot * (chipHeight + 3), width() - 2 * padding, chipHeight };
}

void CpuCell::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF frame = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    if (m_dropTarget) {
        QPen pen(tokens.accent, 2);
        pen.setDashPattern({ 3, 2 });
        painter.setPen(pen);
        painter.setBrush(tokens.selectedRow);
        painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    } else {
        painter.setPen(tokens.border);
        painter.setBrush(m_cpu.allowed ? tokens.base : tokens.window);
        painter.drawRoundedRect(frame, 4, 4);
    }
    const QRect caption(padding - 2, 3, width() - 2 * padding + 4, captionHeight() - 4);
    painter.setPen(m_cpu.allowed ? tokens.secondaryText : tokens.disabled);
    painter.drawText(caption, Qt::AlignVCenter | Qt::AlignLeft, tr("CPU %1").arg(m_cpu.number));
    if (m_content.total)
        painter.drawText(caption, Qt::AlignVCenter | Qt::AlignRight, percent(*m_content.total));
    if (!m_cpu.allowed) {
        painter.drawText(rect().adjusted(padding, captionHeight(), -padding, -barRoom()),
            Qt::AlignCenter | Qt::TextWordWrap, tr("not allowed for this program"));
    }
    int slot = static_cast<int>(m_content.chips.size());
    for (const Ghost& ghost : m_content.ghosts) {
        const int chipHeight = fontMetrics().height() + 4;
        const QRect where = chipRect(slot++, chipHeight);
        if (where.bottom() < height() - barRoom())
            paintChip(painter, where, { ghost.thread, ghost.label, true }, tokens, parentWidget()->font());
    }
    paintBar(painter, QRectF(padding, height() - 14, width() - 2 * padding, 7));
}

void CpuCell::paintBar(QPainter& painter, const QRectF& bar) const
{
    const ThemeTokens tokens = themeTokens(palette());
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.fillRect(bar, tokens.track);
    qreal left = bar.left();
    const auto piece = [&](double share, const QColor& colour) {
        if (share <= 0)
            return;
        const qreal width = std::min(std::max(1.0, share * bar.width()), bar.right() - left);
        painter.fillRect(QRectF(left, bar.top(), width, bar.height()), colour);
        left += width;
    };
    for (const Share& share : m_content.observed)
        piece(share.load, threadColour(tokens, share.thread));
    piece(m_content.others, tokens.disabled);
}

} // namespace namsan
