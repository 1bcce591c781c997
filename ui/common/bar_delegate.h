// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStyledItemDelegate>

namespace namsan {

// Paints a cell as a bar; the share (0 to 1) and optionally a colour come from the item. With a ground the part that
// is missing to 1 shows as a track.
class BarDelegate final : public QStyledItemDelegate {
    Q_OBJECT

public:
    enum Role { ShareRole = Qt::UserRole + 1, ColourRole };

    explicit BarDelegate(bool withTrack, QObject* parent = nullptr);

    void paint(QPainter*, const QStyleOptionViewItem&, const QModelIndex&) const override;

private:
    bool m_withTrack;
};

} // namespace namsan
