// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/machine/machine.h"

#include <QAbstractButton>
#include <QImage>
#include <QScrollArea>

#include <vector>

class QHBoxLayout;
class QLabel;
class QPlainTextEdit;
class QWidget;

namespace namsan {

// A remedy on a page that says what happened: icon, what it does, what that means.
class RemedyCard final : public QAbstractButton {
    Q_OBJECT

public:
    RemedyCard(const QString& iconName, const QString& title, const QString& text, QWidget* parent = nullptr);

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent*) override;
    void keyPressEvent(QKeyEvent*) override;

private:
    QString m_iconName;
    QString m_detail;
};

// Replaces the screen of a machine that has ended: what happened, why, what is kept, and what can be done.
class EndingPage final : public QScrollArea {
    Q_OBJECT

public:
    explicit EndingPage(QWidget* parent = nullptr);

    void show(const MachineEnding&, const QImage& lastScreen, const QString& details);
    using QWidget::show;
    QString title() const;
    QString explanation() const;

signals:
    void startAgain();
    void saveRecord();
    void showSerial();

protected:
    void changeEvent(QEvent*) override;

private:
    void layOut(const std::vector<RemedyCard*>& remedies, QHBoxLayout* detailsHead);
    void showIcon();

    bool m_crashed = false;
    QLabel* m_icon;
    QLabel* m_title;
    QLabel* m_explanation;
    RemedyCard* m_startAgain;
    QLabel* m_screen;
    QLabel* m_screenCaption;
    QPlainTextEdit* m_details;
};

} // namespace namsan
