// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/start_window.h"

#include "ui/common/message_banner.h"
#include "ui/common/progress_line.h"
#include "ui/common/symbolic_icon.h"
#include "ui/library/start_card.h"
#include "ui/library/start_pictures.h"

#include <QCloseEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace namsan {

StartWindow::StartWindow(const Topology& host, GuestCache guests, const GuestRecipes& recipes, QWidget* parent)
    : QWidget(parent)
    , m_guests(std::move(guests))
    , m_recipes(recipes)
    , m_maker(recipes)
    , m_icon(new QLabel)
    , m_headline(new QLabel(tr("What would you like to do?")))
    , m_banner(new MessageBanner(true))
{
    setWindowTitle(tr("Namsan"));
    setWindowIcon(programIcon());
    m_icon->setPixmap(programIcon().pixmap(QSize(60, 60), devicePixelRatioF()));
    m_icon->setAlignment(Qt::AlignCenter);
    m_headline->setFont(scaledFont(font(), 2.3, QFont::DemiBold));
    m_headline->setAlignment(Qt::AlignCenter);
    buildCards();
    m_progress = buildProgress();
    layOut(m_progress);
    showNotes(host);
    dimSecondaryText();
    m_banner->hide();
    setMaking(false);
    card(StartChoice::Browser).setFocus();
    connect(&m_maker, &GuestMaker::progressed, this, &StartWindow::showProgress);
    connect(&m_maker, &GuestMaker::ended, this, &StartWindow::makingEnded);
}

void StartWindow::buildCards()
{
    m_cards = {
        new StartCard({ tr("Open a browser VM"),
            tr("A small Linux with a web browser. Whatever happens inside is gone when you close it."), tr("Open"),
            QStringLiteral("1"), paintBrowserPicture }),
        new StartCard({ tr("Move a VM on your CPUs"),
            tr("Start Linux, drag its vCPUs to other host CPUs, and watch what changes."), tr("Start"),
            QStringLiteral("2"), paintPlacementPicture }),
        new StartCard({ tr("Measure and compare"),
            tr("Repeat a kernel build over several placements. You get a table with intervals, beside the one "
               "published in 2019."),
            tr("Measure"), QStringLiteral("3"), paintMeasuringPicture }),
    };
    for (const StartChoice choice : { StartChoice::Browser, StartChoice::Placement, StartChoice::Measuring })
        connect(&card(choice), &StartCard::clicked, this, [this, choice] { choose(choice); });
}

QWidget* StartWindow::buildProgress()
{
    auto* progress = new QWidget;
    m_progressTitle = new QLabel;
    m_progressTitle->setFont(scaledFont(font(), 1.08, QFont::DemiBold));
    m_progressBar = new ProgressLine;
    m_progressBar->setAccessibleName(tr("Progress"));
    m_progressText = new QLabel;
    m_progressText->setTextFormat(Qt::PlainText);
    m_cancel = new QPushButton(symbolicIcon(QStringLiteral("window-close")), tr("Cancel"));
    m_cancel->setShortcut(QKeySequence(Qt::Key_Escape));
    connect(m_cancel, &QPushButton::clicked, this, [this] {
        m_cancelled = true;
        m_cancel->setEnabled(false);
        m_maker.cancel();
    });
    auto* row = new QHBoxLayout;
    row->setSpacing(12);
    row->addWidget(m_progressBar, 1);
    row->addWidget(m_cancel);
    auto* column = new QVBoxLayout(progress);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(m_progressTitle);
    column->addLayout(row);
    column->addWidget(m_progressText);
    return progress;
}

void StartWindow::layOut(QWidget* progress)
{
    auto* row = new QHBoxLayout;
    row->setSpacing(24);
    row->addStretch(1);
    int cardsWidth = 2 * row->spacing();
    for (StartCard* card : m_cards) {
        row->addWidget(card);
        cardsWidth += card->sizeHint().width();
    }
    row->addStretch(1);
    auto* page = new QVBoxLayout(this);
    page->setContentsMargins(16, 16, 16, 16);
    page->setSpacing(16);
    page->addStretch(2);
    page->addWidget(m_icon);
    page->addWidget(m_headline);
    page->addSpacing(24);
    page->addLayout(row);
    // Below the cards there is room for what is being made, so that nothing jumps.
    auto* below = new QWidget;
    below->setFixedWidth(cardsWidth);
    auto* belowColumn = new QVBoxLayout(below);
    belowColumn->setContentsMargins(0, 0, 0, 0);
    belowColumn->addWidget(m_banner);
    belowColumn->addWidget(progress);
    belowColumn->addStretch(1);
    below->setMinimumHeight(progress->sizeHint().height());
    page->addWidget(below, 0, Qt::AlignHCenter);
    page->addStretch(2);
    resize(1440, 900);
}

QString StartWindow::guestOf(StartChoice choice)
{
    switch (choice) {
    case StartChoice::Browser:
        return QStringLiteral("browser");
    case StartChoice::Placement:
        return QStringLiteral("tiny");
    case StartChoice::Measuring:
        break;
    }
    return QStringLiteral("kbuild");
}

bool StartWindow::isReady(const QString& guest) const
{
    const auto state = m_states.find(guest.toStdString());
    return m_guests.find(guest.toStdString()).ok() && (state == m_states.end() || state->second == GuestState::Ready);
}

bool StartWindow::isChanged(const QString& guest) const
{
    const auto state = m_states.find(guest.toStdString());
    return state != m_states.end() && state->second == GuestState::RecipeChanged;
}

void StartWindow::showNotes(const Topology& host)
{
    if (auto states = guestStates(m_recipes))
        m_states = *std::move(states);
    const auto cpus = static_cast<int>(host.allowed().size());
    const QString hostInWords = cpus == 1 ? tr("This host: 1 CPU.") : tr("This host: %1 CPUs.").arg(cpus);
    for (const StartChoice choice : { StartChoice::Browser, StartChoice::Placement, StartChoice::Measuring }) {
        const QString guest = guestOf(choice);
        QString note = isReady(guest) ? QString() : tr("There is no recipe for it here.");
        if (const auto recipe = m_recipes.find(guest.toStdString()); recipe && !isReady(guest))
            note = (isChanged(guest) ? tr("Its recipe has changed, so it is made again: %1.")
                                     : tr("Made once from Debian packages: %1."))
                       .arg(QString::fromStdString(recipe->cost()));
        if (choice == StartChoice::Placement)
            note = note.isEmpty() ? hostInWords : hostInWords + QLatin1Char(' ') + note;
        else if (note.isEmpty())
            note = tr("Ready.");
        card(choice).setNote(note);
    }
}

void StartWindow::choose(StartChoice choice)
{
    if (m_maker.busy())
        return;
    m_banner->hide();
    m_choice = choice;
    if (isReady(guestOf(choice))) {
        emit chosen(choice);
        return;
    }
    m_cancelled = false;
    setMaking(true);
    m_progressTitle->setText(tr("The guest \"%1\" is being made").arg(guestOf(choice)));
    m_progressBar->setRange(0, 1);
    m_progressBar->setValue(0);
    m_progressText->clear();
    m_maker.make(guestOf(choice));
}

void StartWindow::showProgress(const QString& what, int step, int steps)
{
    if (steps > 0) {
        m_progressBar->setRange(0, steps);
        m_progressBar->setValue(step - 1);
    }
    m_progressText->setText(m_progressText->fontMetrics().elidedText(what, Qt::ElideMiddle, m_progressText->width()));
}

void StartWindow::makingEnded(bool ok, const QString& why)
{
    setMaking(false);
    if (ok) {
        emit chosen(m_choice);
        return;
    }
    m_banner->say(m_cancelled ? MessageBanner::Kind::Information : MessageBanner::Kind::Error, why);
    m_banner->show();
    card(m_choice).setFocus();
}

void StartWindow::setMaking(bool making)
{
    for (StartCard* card : m_cards)
        card->setEnabled(!making);
    m_progress->setVisible(making);
    m_cancel->setEnabled(making);
    if (making)
        m_cancel->setFocus();
}

QString StartWindow::message() const
{
    return m_banner->isHidden() ? QString() : m_banner->text();
}

// The guest's maker is stopped as it goes.
void StartWindow::closeEvent(QCloseEvent* event)
{
    m_maker.cancel();
    event->accept();
}

void StartWindow::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange)
        dimSecondaryText();
    QWidget::changeEvent(event);
}

void StartWindow::dimSecondaryText()
{
    if (!m_progressText)
        return;
    QPalette dimmed = palette();
    dimmed.setColor(QPalette::WindowText, themeTokens(palette()).secondaryText);
    m_progressText->setPalette(dimmed);
}

} // namespace namsan
