// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/race.h"

#include <QTableWidget>

namespace namsan {

// The rounds of a race, a line each: the lanes' seconds, and how they compare with the first lane's.
class RoundsTable final : public QTableWidget {
    Q_OBJECT

public:
    explicit RoundsTable(QWidget* parent = nullptr);

    void display(const Race&);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

private:
    void setHeader(const RaceSettings&);
    void fillRound(int row, size_t number, const RaceRound&);
    void fillMedians(int row, const Race&);
    void put(int row, int column, const QString& text, const QString& detail = {});
};

} // namespace namsan
