// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/bar_delegate.h"

#include "ui/common/theme.h"

#include <QPainter>

#include <algorithm>

namespace namsan {

BarDelegate::BarDelegate(bool withTrack, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_withTrack(withTrack)
{
}

void BarDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const ThemeTokens tokens = themeTokens(option.palette);
    const double share = std::clamp(index.data(ShareRole).toDouble(), 0.0, 1.0);
    const QVariant own = index.data(ColourRole);
    const QColor colour = own.isValid() ? own.value<QColor>() : tokens.neutral;
    constexpr int height = 8;
    const QRectF room(
        option.rect.left() + 2, option.rect.center().y() - height / 2 + 1, option.rect.width() - 6, height);
    if (m_withTrack)
        painter->fillRect(room, tokens.track);
    if (share > 0)
        painter->fillRect(QRectF(room.topLeft(), QSizeF(std::max(1.5, room.width() * share), height)), colour);
}

} // namespace namsan
