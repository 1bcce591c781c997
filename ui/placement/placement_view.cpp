// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/placement/placement_view.h"

#include <QEvent>
#include <QKeyEvent>
#include <QPainter>

#include <algorithm>
#include <set>

namespace namsan {

namespace {

constexpr int gap = 6; // between cores
constexpr int corePadding = 5;
constexpr int cellGap = 4;
constexpr int ringRoom = 4; // of ThreadChip, for its focus ring

} // namespace

PlacementView::PlacementView(const Topology& topology, unsigned threads, QWidget* parent)
    : QWidget(parent)
{
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    m_placement.vcpus.resize(threads > 0 ? threads - 1 : 0);
    m_seen.resize(threads);

    std::map<unsigned, CoreBox> cores;
    for (const HostCpu& cpu : topology.cpus) {
        auto* cell = new CpuCell(cpu, this);
        m_cells.push_back(cell);
        CoreBox& box = cores[cpu.core];
        box.core = cpu.core;
        box.socket = cpu.socket;
        box.numaNode = cpu.numaNode;
        box.cells.push_back(cell);
    }
    for (auto& [number, box] : cores)
        m_cores.push_back(std::move(box));
    std::stable_sort(m_cores.begin(), m_cores.end(), [](const CoreBox& a, const CoreBox& b) {
        return std::pair(a.socket, a.numaNode) < std::pair(b.socket, b.numaNode);
    });

    for (unsigned thread = 0; thread < threads; ++thread) {
        auto* chip = new ThreadChip(thread, this);
        m_chips.push_back(chip);
        connect(chip, &ThreadChip::draggedTo, this, [this, thread](QPoint centre) { dragTo(thread, centre); });
        connect(chip, &ThreadChip::dropped, this, [this, thread](QPoint centre) { dropAt(thread, centre); });
        connect(chip, &ThreadChip::dragCancelled, this, &PlacementView::endMove);
        connect(chip, &ThreadChip::keyPressed, this, [this, chip](QKeyEvent* event) { handleKey(*chip, *event); });
    }
    updateCells();
}

CpuCell* PlacementView::cell(LogicalCpu number) const
{
    const auto found = std::find_if(
        m_cells.begin(), m_cells.end(), [number](CpuCell* cell) { return cell->cpu().number == number; });
    return found == m_cells.end() ? nullptr : *found;
}

std::optional<LogicalCpu> PlacementView::asked(unsigned thread) const
{
    if (thread == 0)
        return m_placement.vmm;
    return thread - 1 < m_placement.vcpus.size() ? m_placement.vcpus[thread - 1] : std::nullopt;
}

void PlacementView::setPlacement(const Placement& placement)
{
    m_placement = placement;
    m_target = nullptr;
    updateCells();
    layOut();
    updateGeometry();
    update();
}

void PlacementView::setSeen(const std::vector<Seen>& seen)
{
    m_seen = seen;
    m_seen.resize(m_chips.size());
    updateCells();
}

void PlacementView::setHostLoad(const std::map<LogicalCpu, double>& load)
{
    m_hostLoad = load;
    updateCells();
}

void PlacementView::updateCells()
{
    for (CpuCell* cell : m_cells) {
        CpuCell::Content content;
        const LogicalCpu number = cell->cpu().number;
        double ours = 0;
        for (unsigned thread = 0; thread < m_chips.size(); ++thread) {
            const Seen& seen = m_seen[thread];
            const auto here = seen.shares.find(number);
            if (here != seen.shares.end()) {
                const double load = seen.load * here->second;
                content.observed.push_back({ thread, load });
                ours += load;
            }
            if (asked(thread) == number)
                content.chips.push_back(thread);
            else if (here != seen.shares.end() && here->second >= 0.05 && asked(thread))
                content.ghosts.push_back({ thread, thread == 0 ? tr("was VMM") : tr("was %1").arg(thread - 1) });
        }
        if (const auto load = m_hostLoad.find(number); load != m_hostLoad.end()) {
            content.total = std::clamp(std::max(load->second, ours), 0.0, 1.0);
            content.others = std::max(0.0, *content.total - ours);
        }
        cell->setContent(content);
    }
    for (unsigned thread = 0; thread < m_chips.size(); ++thread) {
        const Seen& seen = m_seen[thread];
        QStringList parts { threadName(thread) };
        const auto cpu = asked(thread);
        parts << (cpu ? tr("asked CPU %1").arg(*cpu) : tr("not pinned"));
        QStringList places;
        for (const auto& [number, share] : seen.shares)
            places << tr("CPU %1 %2 percent").arg(number).arg(qRound(share * 100));
        if (!places.isEmpty())
            parts << tr("observed %1").arg(places.join(QStringLiteral(", ")));
        parts << tr("load %1 percent").arg(qRound(seen.load * 100));
        m_chips[thread]->setAccessibleName(parts.join(QStringLiteral(", ")));
        m_chips[thread]->setToolTip(parts.join(QStringLiteral(", ")));
        m_chips[thread]->setWarning(seen.elsewhere);
    }
}

int PlacementView::chipHeight() const
{
    return fontMetrics().height() + 4;
}

int PlacementView::chipWidth() const
{
    const QFontMetrics metrics(scaledFont(font(), 0.85, QFont::DemiBold));
    return metrics.horizontalAdvance(QStringLiteral("vCPU 88")) + 18;
}

QSize PlacementView::sizeHint() const
{
    const int width = 330;
    return { width, heightForWidth(width) };
}

int PlacementView::heightForWidth(int width) const
{
    return layoutFor(width).freeArea.bottom() + 2;
}

PlacementView::Sizes PlacementView::sizesFor(int width) const
{
    size_t cellsPerCore = 1;
    size_t chipsPerCell = compact() ? 1 : 2;
    for (const CoreBox& core : m_cores) {
        cellsPerCore = std::max(cellsPerCore, core.cells.size());
        for (const CpuCell* cell : core.cells)
            chipsPerCell = std::max(chipsPerCell, cell->content().chips.size());
    }
    const int cells = static_cast<int>(cellsPerCore);
    const int leastCore = cells * chipWidth() + (cells - 1) * cellGap + 2 * corePadding;
    Sizes sizes;
    sizes.caption = m_cells.empty() ? 0 : m_cells.front()->captionHeight();
    sizes.columns = std::clamp((width + gap) / (leastCore + gap), 1, std::max(1, static_cast<int>(m_cores.size())));
    sizes.coreWidth = (width - (sizes.columns - 1) * gap) / sizes.columns;
    sizes.cellHeight = sizes.caption + static_cast<int>(chipsPerCell) * (chipHeight() + 3) + CpuCell::barRoom();
    sizes.cellTop = compact() ? corePadding : sizes.caption;
    sizes.coreHeight = sizes.cellTop + sizes.cellHeight + corePadding;
    return sizes;
}

// Cores side by side, as many columns as their cells have room for; all are as high as the fullest cell needs.
PlacementView::Layout PlacementView::layoutFor(int width) const
{
    const Sizes sizes = sizesFor(width);
    std::set<std::pair<unsigned, unsigned>> groups;
    for (const CoreBox& core : m_cores)
        groups.insert({ core.socket, core.numaNode });

    Layout layout;
    int y = 0;
    int column = 0;
    std::optional<std::pair<unsigned, unsigned>> group;
    for (const CoreBox& core : m_cores) {
        const bool newGroup = groups.size() > 1 && group != std::pair(core.socket, core.numaNode);
        if (column == sizes.columns || (newGroup && column > 0)) {
            column = 0;
            y += sizes.coreHeight + gap;
        }
        if (newGroup) {
            group = std::pair(core.socket, core.numaNode);
            layout.groups.emplace_back(
                QRect(0, y, width, sizes.caption), tr("Socket %1 · NUMA node %2").arg(core.socket).arg(core.numaNode));
            y += sizes.caption;
        }
        layout.cores.emplace_back(column * (sizes.coreWidth + gap), y, sizes.coreWidth, sizes.coreHeight);
        ++column;
    }
    if (!m_cores.empty())
        y += sizes.coreHeight + 4;
    layout.legend = QRect(0, y, width, sizes.caption + 2);

    const int unpinned = static_cast<int>(std::count_if(
        m_chips.begin(), m_chips.end(), [this](const ThreadChip* chip) { return !asked(chip->thread()); }));
    const int perRow = std::max(1, (width - 12) / (chipWidth() + 4));
    const int rows = std::max(1, (unpinned + perRow - 1) / perRow);
    layout.freeArea = QRect(
        0, layout.legend.bottom() + 5, width, (unpinned > 0 ? sizes.caption : 8) + rows * (chipHeight() + 4) + 4);
    return layout;
}

void PlacementView::layOut()
{
    const Sizes sizes = sizesFor(width());
    Layout layout = layoutFor(width());
    for (size_t i = 0; i < m_cores.size(); ++i) {
        CoreBox& core = m_cores[i];
        core.rect = layout.cores[i];
        const int count = static_cast<int>(core.cells.size());
        const int cellWidth = (sizes.coreWidth - 2 * corePadding - (count - 1) * cellGap) / std::max(1, count);
        int x = core.rect.x() + corePadding;
        for (CpuCell* cell : core.cells) {
            cell->setGeometry(x, core.rect.y() + sizes.cellTop, cellWidth, sizes.cellHeight);
            x += cellWidth + cellGap;
        }
    }
    m_groups = std::move(layout.groups);
    m_legend = layout.legend;
    m_freeArea = layout.freeArea;
    layOutChips();
}

void PlacementView::layOutChips()
{
    const int chipStep = chipWidth() + 4;
    const int perRow = std::max(1, (width() - 12) / chipStep);
    int unpinned = 0;
    for (unsigned thread = 0; thread < m_chips.size(); ++thread) {
        ThreadChip* chip = m_chips[thread];
        if (chip->dragging())
            continue;
        QRect where;
        const auto cpu = asked(thread);
        CpuCell* home = cpu ? cell(*cpu) : nullptr;
        if (chip->pickedUp() && m_target) {
            where = m_target->chipRect(static_cast<int>(m_target->content().chips.size()), chipHeight());
            if (home == m_target)
                where = m_target->chipRect(0, chipHeight());
            where.translate(m_target->pos());
        } else if (home) {
            const auto& chips = home->content().chips;
            const auto slot = std::find(chips.begin(), chips.end(), thread) - chips.begin();
            where = home->chipRect(static_cast<int>(slot), chipHeight()).translated(home->pos());
        } else {
            const int caption = m_cells.empty() ? 0 : m_cells.front()->captionHeight();
            where = QRect(6 + (unpinned % perRow) * chipStep,
                m_freeArea.y() + caption + (unpinned / perRow) * (chipHeight() + 4), chipWidth(), chipHeight());
            ++unpinned;
        }
        chip->setGeometry(where.adjusted(-ringRoom, -ringRoom, ringRoom, ringRoom));
        chip->raise();
    }
}

void PlacementView::resizeEvent(QResizeEvent*)
{
    layOut();
}

void PlacementView::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::FontChange) {
        layOut();
        updateGeometry();
    }
    QWidget::changeEvent(event);
}

void PlacementView::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(scaledFont(font(), 0.85));
    if (!compact()) {
        for (const CoreBox& core : m_cores) {
            painter.setPen(tokens.border);
            painter.setBrush(tokens.alternateBase);
            painter.drawRoundedRect(QRectF(core.rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
            painter.setPen(tokens.secondaryText);
            painter.drawText(
                core.rect.adjusted(7, 2, -7, 0), Qt::AlignLeft | Qt::AlignTop, tr("Core %1").arg(core.core));
        }
    }
    painter.setPen(tokens.secondaryText);
    for (const auto& [rect, text] : m_groups)
        painter.drawText(rect, Qt::AlignVCenter | Qt::AlignLeft, text);

    int x = m_legend.x();
    const auto entry = [&](int symbolWidth, const QString& text, auto drawSymbol) {
        drawSymbol(QRectF(x, m_legend.center().y() - 3.5, symbolWidth, 8));
        x += symbolWidth + 5;
        painter.setPen(tokens.secondaryText);
        const int advance = painter.fontMetrics().horizontalAdvance(text);
        painter.drawText(QRect(x, m_legend.y(), advance + 2, m_legend.height()), Qt::AlignVCenter, text);
        x += advance + 12;
    };
    const auto bar = [&](const QRectF& rect, const QColor& colour) {
        painter.fillRect(rect, tokens.track);
        painter.fillRect(QRectF(rect.topLeft(), QSizeF(rect.width() * 0.6, rect.height())), colour);
    };
    entry(18, tr("asked"), [&](const QRectF& rect) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(tokens.neutral);
        painter.drawRoundedRect(rect.adjusted(0, -1, 0, 1), 5, 5);
    });
    entry(16, tr("observed, last 10 s"), [&](const QRectF& rect) { bar(rect, threadColour(tokens, 1)); });
    entry(16, tr("other programs"), [&](const QRectF& rect) { bar(rect, tokens.disabled); });

    QPen dashed(m_freeAreaIsTarget ? tokens.accent : tokens.neutral, m_freeAreaIsTarget ? 2 : 1);
    dashed.setDashPattern({ 3, 2 });
    painter.setPen(dashed);
    painter.setBrush(m_freeAreaIsTarget ? QBrush(tokens.selectedRow) : QBrush(Qt::NoBrush));
    painter.drawRoundedRect(QRectF(m_freeArea).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    const bool empty = std::all_of(
        m_chips.begin(), m_chips.end(), [this](const ThreadChip* chip) { return asked(chip->thread()).has_value(); });
    painter.setPen(tokens.secondaryText);
    if (empty) {
        painter.setFont(scaledFont(font(), 0.92));
        painter.drawText(m_freeArea, Qt::AlignCenter, tr("Not pinned: drop a chip here"));
    } else {
        painter.drawText(m_freeArea.adjusted(7, 3, -7, 0), Qt::AlignLeft | Qt::AlignTop,
            tr("Not pinned: the host's scheduler decides"));
    }
}

} // namespace namsan
