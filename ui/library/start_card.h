// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/common/theme.h"

#include <QAbstractButton>

#include <functional>

namespace namsan {

// One of the first screen's choices: a drawing, what it is, what it takes, and the key that chooses it.
class StartCard final : public QAbstractButton {
    Q_OBJECT

public:
    struct Content {
        QString title;
        QString text;
        QString verb; // what its button says
        QString key;
        std::function<void(QPainter&, const ThemeTokens&)> paintPicture;
    };

    explicit StartCard(Content, QWidget* parent = nullptr);

    // What choosing it takes, in small print.
    void setNote(const QString&);
    const QString& note() const { return m_note; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    int paintText(QPainter&, int y, const QString& text, const QFont&, const QColor&) const; // gives where it ends
    void paintFoot(QPainter&, const ThemeTokens&) const;

    Content m_content;
    QString m_note;
};

} // namespace namsan
