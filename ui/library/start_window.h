// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/library/guest_cache.h"
#include "app/library/guest_states.h"
#include "ui/library/guest_maker.h"
#include "vmm/host/topology.h"

#include <QWidget>

#include <array>

class QLabel;
class QPushButton;

namespace namsan {

class MessageBanner;
class ProgressLine;
class StartCard;

// What a person can begin with.
enum class StartChoice {
    Browser, // namsan run browser
    Placement, // namsan run tiny
    Measuring, // namsan experiment run kbuild ..., composed in the window
};

// The first screen: three choices and nothing else. A guest that a choice needs and that is not there is made first,
// with what that takes on the card before, and its progress after.
class StartWindow final : public QWidget {
    Q_OBJECT

public:
    StartWindow(const Topology&, GuestCache, const GuestRecipes&, QWidget* parent = nullptr);

    StartCard& card(StartChoice choice) const { return *m_cards[static_cast<size_t>(choice)]; }
    bool making() const { return m_maker.busy(); }
    QString message() const;

    static QString guestOf(StartChoice);

signals:
    void chosen(namsan::StartChoice choice); // its guest is there

protected:
    void closeEvent(QCloseEvent*) override;
    void changeEvent(QEvent*) override;

private:
    void buildCards();
    QWidget* buildProgress();
    void layOut(QWidget* progress);
    void showNotes(const Topology&);
    bool isReady(const QString& guest) const;
    bool isChanged(const QString& guest) const; // its recipe has, since it was made
    void choose(StartChoice);
    void showProgress(const QString& what, int step, int steps);
    void makingEnded(bool ok, const QString& why);
    void setMaking(bool making);
    void dimSecondaryText();

    const GuestCache m_guests;
    const GuestRecipes m_recipes;
    std::map<std::string, GuestState> m_states; // empty where nothing tells
    GuestMaker m_maker;
    StartChoice m_choice = StartChoice::Placement; // what is being made, is made for it
    bool m_cancelled = false;

    QLabel* m_icon;
    QLabel* m_headline;
    std::array<StartCard*, 3> m_cards {};
    MessageBanner* m_banner;
    QWidget* m_progress;
    QLabel* m_progressTitle = nullptr;
    ProgressLine* m_progressBar = nullptr;
    QLabel* m_progressText = nullptr;
    QPushButton* m_cancel = nullptr;
};

} // namespace namsan
