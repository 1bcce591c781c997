// SPDX-License-Identifier: GPL-3.0-or-later
// How chips move: the half of PlacementView that answers mouse and keys.
#include "ui/placement/placement_view.h"

#include <QKeyEvent>

#include <algorithm>
#include <cstdlib>

namespace namsan {

QString PlacementView::effectOf(unsigned thread, const CpuCell& target) const
{
    const LogicalCpu number = target.cpu().number;
    if (!target.cpu().allowed)
        return tr("%1 cannot go to CPU %2: this program may not use it.").arg(threadName(thread)).arg(number);
    if (asked(thread) == number)
        return tr("%1 stays on CPU %2.").arg(threadName(thread)).arg(number);
    QStringList others;
    for (const unsigned other : target.content().chips) {
        if (other != thread)
            others << (other == 0 ? tr("the VMM") : threadName(other));
    }
    if (others.isEmpty())
        return tr("%1 gets CPU %2 for itself.").arg(threadName(thread)).arg(number);
    return tr("%1 shares CPU %2 with %3.").arg(threadName(thread)).arg(number).arg(others.join(tr(" and ")));
}

void PlacementView::setTarget(unsigned thread, CpuCell* target, bool freeArea)
{
    if (m_target)
        m_target->setDropTarget(false);
    m_target = target;
    if (m_target && m_target->cpu().allowed)
        m_target->setDropTarget(true);
    if (m_freeAreaIsTarget != freeArea) {
        m_freeAreaIsTarget = freeArea;
        update();
    }
    if (m_target)
        emit hint(effectOf(thread, *m_target));
    else if (freeArea)
        emit hint(tr("%1 runs where the host's scheduler puts it.").arg(threadName(thread)));
    else
        emit hint(QString());
}

void PlacementView::endMove()
{
    for (ThreadChip* chip : m_chips)
        chip->setPickedUp(false);
    setTarget(0, nullptr, false);
    layOutChips();
}

void PlacementView::dragTo(unsigned thread, QPoint point)
{
    const auto under = std::find_if(
        m_cells.begin(), m_cells.end(), [point](CpuCell* cell) { return cell->geometry().contains(point); });
    setTarget(thread, under == m_cells.end() ? nullptr : *under, m_freeArea.contains(point));
}

void PlacementView::dropAt(unsigned thread, QPoint point)
{
    dragTo(thread, point);
    const CpuCell* target = m_target;
    const bool unpin = m_freeAreaIsTarget;
    endMove();
    if (target && asked(thread) != target->cpu().number)
        emit moveRequested(thread, target->cpu().number);
    else if (unpin && asked(thread))
        emit moveRequested(thread, std::nullopt);
}

void PlacementView::handleKey(ThreadChip& chip, QKeyEvent& event)
{
    if (event.modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier))
        return;
    const bool used = chip.pickedUp() ? handleKeyPickedUp(chip, event) : handleKeyResting(chip, event);
    if (used)
        event.accept();
}

bool PlacementView::handleKeyResting(ThreadChip& chip, QKeyEvent& event)
{
    const auto digit = std::exchange(m_typedDigit, std::nullopt);
    switch (event.key()) {
    case Qt::Key_Space: {
        endMove(); // another chip may still be picked up
        chip.setPickedUp(true);
        m_typedCpu = 0;
        const auto cpu = asked(chip.thread());
        setTarget(chip.thread(), cpu ? cell(*cpu) : m_cells.empty() ? nullptr : m_cells.front(), false);
        layOutChips();
        return true;
    }
    case Qt::Key_Delete:
        if (asked(chip.thread()))
            emit moveRequested(chip.thread(), std::nullopt);
        return true;
    case Qt::Key_S:
    case Qt::Key_D:
        if (digit)
            emit presetTyped(*digit, event.key() == Qt::Key_S);
        return digit.has_value();
    default:
        if (event.key() >= Qt::Key_1 && event.key() <= Qt::Key_9) {
            m_typedDigit = static_cast<unsigned>(event.key() - Qt::Key_0);
            return true;
        }
        return false;
    }
}

bool PlacementView::handleKeyPickedUp(ThreadChip& chip, QKeyEvent& event)
{
    const unsigned thread = chip.thread();
    switch (event.key()) {
    case Qt::Key_Space:
    case Qt::Key_Return:
    case Qt::Key_Enter: {
        const CpuCell* target = m_target;
        endMove();
        if (target && asked(thread) != target->cpu().number)
            emit moveRequested(thread, target->cpu().number);
        return true;
    }
    case Qt::Key_Escape:
        endMove();
        return true;
    case Qt::Key_Delete:
        endMove();
        if (asked(thread))
            emit moveRequested(thread, std::nullopt);
        return true;
    case Qt::Key_Left:
    case Qt::Key_Right:
    case Qt::Key_Up:
    case Qt::Key_Down:
        if (m_target) {
            if (CpuCell* next = neighbour(*m_target, event.key())) {
                setTarget(thread, next, false);
                layOutChips();
            }
        }
        return true;
    default:
        break;
    }
    if (event.key() < Qt::Key_0 || event.key() > Qt::Key_9)
        return false;
    // "1", "2" means CPU 12 where there is one, else CPU 2.
    const auto digit = static_cast<LogicalCpu>(event.key() - Qt::Key_0);
    m_typedCpu = cell(m_typedCpu * 10 + digit) ? m_typedCpu * 10 + digit : digit;
    if (CpuCell* named = cell(m_typedCpu)) {
        setTarget(thread, named, false);
        layOutChips();
    } else {
        emit hint(tr("This host has no CPU %1.").arg(digit));
    }
    return true;
}

// The nearest cell in a direction; between equally near rows the one that is least aside.
CpuCell* PlacementView::neighbour(const CpuCell& from, int key) const
{
    const QPoint start = from.geometry().center();
    CpuCell* best = nullptr;
    int bestDistance = 0;
    for (CpuCell* cell : m_cells) {
        const QPoint way = cell->geometry().center() - start;
        const bool horizontal = key == Qt::Key_Left || key == Qt::Key_Right;
        const int sign = key == Qt::Key_Left || key == Qt::Key_Up ? -1 : 1;
        const int forward = sign * (horizontal ? way.x() : way.y());
        const int aside = std::abs(horizontal ? way.y() : way.x());
        if (forward <= 0 || (horizontal && aside > from.height() / 2))
            continue;
        const int distance = forward * 4 + aside;
        if (!best || distance < bestDistance) {
            best = cell;
            bestDistance = distance;
        }
    }
    return best;
}

} // namespace namsan
