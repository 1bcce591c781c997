// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QToolButton;

namespace namsan {

// A sentence for the user, with an icon that says how serious it is. Stays until it is closed or replaced.
class MessageBanner final : public QFrame {
    Q_OBJECT

public:
    enum class Kind { Information, Warning, Error };

    explicit MessageBanner(bool closable, QWidget* parent = nullptr);

    void say(Kind, const QString& text);
    QString text() const;

protected:
    void paintEvent(QPaintEvent*) override;
    void changeEvent(QEvent*) override;

private:
    void showIcon();

    Kind m_kind = Kind::Information;
    QLabel* m_icon;
    QLabel* m_text;
};

} // namespace namsan
