// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/library/guest_making.h"
#include "app/library/guest_recipes.h"

#include <QObject>
#include <QSocketNotifier>
#include <QString>

#include <memory>
#include <optional>

namespace namsan {

// Makes a guest beside the event loop. Of the GUI thread, which it never keeps waiting.
class GuestMaker final : public QObject {
    Q_OBJECT

public:
    explicit GuestMaker(GuestRecipes, QObject* parent = nullptr);
    ~GuestMaker() override;

    bool busy() const { return m_making.has_value(); }
    // Only while it is not busy. ended() follows, also where it cannot even begin.
    void make(const QString& guest);
    void cancel(); // returns at once; ended() follows

signals:
    // What it does now; steps are 0 where the line does not count them.
    void progressed(const QString& what, int step, int steps);
    void ended(bool ok, const QString& why);

private:
    void read();
    void takeLine(std::string_view line);

    const GuestRecipes m_recipes;
    std::optional<GuestMaking> m_making;
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace namsan
