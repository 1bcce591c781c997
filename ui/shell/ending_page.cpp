// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/ending_page.h"

#include "ui/common/symbolic_icon.h"
#include "ui/common/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QFontDatabase>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace namsan {

namespace {

constexpr int pageWidth = 640;
constexpr int screenWidth = 234;

QString titleOf(MachineEnding::Reason reason)
{
    switch (reason) {
    case MachineEnding::Reason::PoweredOff:
        return EndingPage::tr("The guest switched itself off");
    case MachineEnding::Reason::Halted:
        return EndingPage::tr("The guest halted");
    case MachineEnding::Reason::Reset:
        return EndingPage::tr("The guest asked for a reset");
    case MachineEnding::Reason::Crashed:
        return EndingPage::tr("The guest crashed");
    case MachineEnding::Reason::DebugExit:
        return EndingPage::tr("The guest ended the run");
    case MachineEnding::Reason::Stopped:
        break;
    }
    return EndingPage::tr("The power was cut");
}

} // namespace

RemedyCard::RemedyCard(const QString& iconName, const QString& title, const QString& text, QWidget* parent)
    : QAbstractButton(parent)
    , m_iconName(iconName)
    , m_detail(text)
{
    setText(title);
    setAccessibleDescription(text);
    setFocusPolicy(Qt::StrongFocus);
    setCursor(Qt::PointingHandCursor);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAttribute(Qt::WA_Hover);
}

QSize RemedyCard::sizeHint() const
{
    return { pageWidth, fontMetrics().height() * 2 + 26 };
}

void RemedyCard::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
        click();
    else
        QAbstractButton::keyPressEvent(event);
}

void RemedyCard::paintEvent(QPaintEvent*)
{
    const ThemeTokens tokens = themeTokens(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(hasFocus() ? QPen(tokens.accent, 2) : QPen(tokens.border, 1));
    painter.setBrush(underMouse() ? tokens.softLine : tokens.raised);
    painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 6, 6);
    const QColor iconColour = hasFocus() ? tokens.accent : tokens.text;
    colouredIcon(m_iconName, iconColour).paint(&painter, QRect(18, (height() - 20) / 2, 20, 20));
    colouredIcon(QStringLiteral("go-next"), tokens.secondaryText)
        .paint(&painter, QRect(width() - 32, (height() - 16) / 2, 16, 16));
    const int lineHeight = fontMetrics().height();
    const QRect room(54, (height() - 2 * lineHeight) / 2, width() - 54 - 40, lineHeight);
    painter.setFont(scaledFont(font(), 1, QFont::DemiBold));
    painter.setPen(tokens.text);
    painter.drawText(room, Qt::AlignVCenter | Qt::AlignLeft, text());
    painter.setFont(scaledFont(font(), 0.92));
    painter.setPen(tokens.secondaryText);
    painter.drawText(room.translated(0, lineHeight), Qt::AlignVCenter | Qt::AlignLeft,
        painter.fontMetrics().elidedText(m_detail, Qt::ElideRight, room.width()));
}

EndingPage::EndingPage(QWidget* parent)
    : QScrollArea(parent)
    , m_icon(new QLabel)
    , m_title(new QLabel)
    , m_explanation(new QLabel)
    , m_startAgain(new RemedyCard(QStringLiteral("media-playback-start"), tr("Start again"),
          tr("The same guest, with the placement that it has now.")))
    , m_screen(new QLabel)
    , m_screenCaption(new QLabel(tr("Last screen")))
    , m_details(new QPlainTextEdit)
{
    auto* record = new RemedyCard(QStringLiteral("document-save-as"), tr("Save record..."),
        tr("Configuration, placement, timing and log of this run in one file."));
    auto* serial = new RemedyCard(
        QStringLiteral("utilities-terminal"), tr("Show serial"), tr("What the guest said on its serial console."));
    connect(m_startAgain, &RemedyCard::clicked, this, &EndingPage::startAgain);
    connect(record, &RemedyCard::clicked, this, &EndingPage::saveRecord);
    connect(serial, &RemedyCard::clicked, this, &EndingPage::showSerial);

    m_title->setFont(scaledFont(font(), 1.7, QFont::DemiBold));
    m_explanation->setWordWrap(true);
    m_explanation->setTextFormat(Qt::PlainText);
    m_explanation->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_explanation->setFont(scaledFont(font(), 1.08));
    m_screenCaption->setFont(scaledFont(font(), 0.85));
    m_details->setReadOnly(true);
    m_details->setFont(scaledFont(QFontDatabase::systemFont(QFontDatabase::FixedFont), 0.92));
    m_details->setAccessibleName(tr("Details"));
    m_details->setTabChangesFocus(true);
    m_details->setMinimumHeight(120);
    auto* detailsLabel = new QLabel(tr("Details"));
    detailsLabel->setFont(scaledFont(font(), 1, QFont::DemiBold));
    auto* copy = new QPushButton(symbolicIcon(QStringLiteral("edit-copy")), tr("Copy"));
    connect(copy, &QPushButton::clicked, this, [this] {
        QApplication::clipboard()->setText(m_title->text() + QLatin1Char('\n') + m_explanation->text()
            + QStringLiteral("\n\n") + m_details->toPlainText());
    });

    auto* head = new QHBoxLayout;
    head->addWidget(detailsLabel);
    head->addStretch(1);
    head->addWidget(copy);
    layOut({ m_startAgain, record, serial }, head);
}

void EndingPage::layOut(const std::vector<RemedyCard*>& remedies, QHBoxLayout* head)
{
    auto* page = new QWidget;
    auto* grid = new QGridLayout(page);
    grid->setContentsMargins(0, 40, 0, 24);
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(8);
    grid->addWidget(m_icon, 0, 0, 2, 1, Qt::AlignTop);
    grid->addWidget(m_title, 0, 1);
    grid->addWidget(m_explanation, 1, 1);
    auto* cards = new QVBoxLayout;
    cards->setSpacing(8);
    cards->setContentsMargins(0, 8, 0, 12);
    for (RemedyCard* card : remedies)
        cards->addWidget(card);
    grid->addLayout(cards, 2, 0, 1, 2);
    grid->addLayout(head, 3, 0, 1, 2);
    auto* details = new QHBoxLayout;
    auto* screen = new QVBoxLayout;
    screen->setSpacing(4);
    screen->addWidget(m_screen);
    screen->addWidget(m_screenCaption);
    screen->addStretch(1);
    details->setSpacing(16);
    details->addLayout(screen);
    details->addWidget(m_details, 1);
    grid->addLayout(details, 4, 0, 1, 2);
    grid->setRowStretch(5, 1);
    grid->setColumnStretch(1, 1);
    page->setMaximumWidth(pageWidth);

    auto* outer = new QWidget;
    auto* row = new QHBoxLayout(outer);
    row->setContentsMargins(16, 0, 16, 0);
    row->addStretch(1);
    row->addWidget(page, 1000);
    row->addStretch(1);
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setWidget(outer);
}

void EndingPage::show(const MachineEnding& ending, const QImage& lastScreen, const QString& details)
{
    m_crashed = ending.reason == MachineEnding::Reason::Crashed;
    m_title->setText(titleOf(ending.reason));
    QString explanation = QString::fromStdString(ending.why);
    if (!explanation.isEmpty())
        explanation += QLatin1Char('\n');
    m_explanation->setText(explanation + tr("Its serial console, its record and the last screen are kept."));
    showIcon();
    m_screen->setVisible(!lastScreen.isNull());
    m_screenCaption->setVisible(!lastScreen.isNull());
    if (!lastScreen.isNull()) {
        const qreal ratio = devicePixelRatioF();
        QImage small = lastScreen.scaledToWidth(qRound(screenWidth * ratio), Qt::SmoothTransformation);
        small.setDevicePixelRatio(ratio);
        m_screen->setPixmap(QPixmap::fromImage(small));
        m_screen->setAccessibleName(tr("Last screen of the guest"));
    }
    m_details->setPlainText(details);
    setAccessibleName(m_title->text());
    m_startAgain->setFocus();
}

QString EndingPage::title() const
{
    return m_title->text();
}

QString EndingPage::explanation() const
{
    return m_explanation->text();
}

void EndingPage::showIcon()
{
    const ThemeTokens tokens = themeTokens(palette());
    const QIcon icon = m_crashed ? colouredIcon(QStringLiteral("dialog-error"), tokens.error)
                                 : colouredIcon(QStringLiteral("system-shutdown"), tokens.secondaryText);
    m_icon->setPixmap(icon.pixmap(QSize(32, 32), devicePixelRatioF()));
}

void EndingPage::changeEvent(QEvent* event)
{
    if (event->type() == QEvent::PaletteChange)
        showIcon();
    QScrollArea::changeEvent(event);
}

} // namespace namsan
