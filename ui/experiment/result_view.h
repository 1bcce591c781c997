// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/result_table.h"

#include <QTableWidget>

namespace namsan {

// A table in the published form: seconds, below them the change in brackets.
class ResultView final : public QTableWidget {
    Q_OBJECT

public:
    explicit ResultView(const QString& accessibleName, QWidget* parent = nullptr);

    void display(const ResultTable&);
    QString detail() const; // of the selected cell, in full

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return { 200, sizeHint().height() }; }

signals:
    void detailChanged(const QString& text);

private:
    void fillRow(size_t row);

    ResultTable m_table;
};

} // namespace namsan
