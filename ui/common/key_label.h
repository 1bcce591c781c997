// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLabel>

namespace namsan {

// The name of a key, drawn as a key cap.
class KeyLabel final : public QLabel {
    Q_OBJECT

public:
    explicit KeyLabel(const QString& key, QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent*) override;
};

} // namespace namsan
