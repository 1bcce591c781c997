// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/guest_maker.h"

#include <QRegularExpression>

namespace namsan {

GuestMaker::GuestMaker(GuestRecipes recipes, QObject* parent)
    : QObject(parent)
    , m_recipes(std::move(recipes))
{
}

GuestMaker::~GuestMaker() = default;

void GuestMaker::make(const QString& guest)
{
    auto making = GuestMaking::start(m_recipes.script(), guest.toStdString(), false);
    if (!making) {
        emit ended(false, QString::fromStdString(making.error().message));
        return;
    }
    m_making.emplace(std::move(*making));
    m_notifier = std::make_unique<QSocketNotifier>(m_making->descriptor(), QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, &GuestMaker::read);
}

void GuestMaker::cancel()
{
    if (m_making)
        m_making->stop();
}

void GuestMaker::read()
{
    if (m_making->read([this](std::string_view line) { takeLine(line); }))
        return;
    m_notifier->setEnabled(false);
    m_notifier.release()->deleteLater(); // it is what has called
    const auto made = m_making->finish(); // its pipe is closed: it has come to its end
    m_making.reset();
    emit ended(made.ok(), made ? QString() : QString::fromStdString(made.error().message));
}

// "[2/7] fetching packages"
void GuestMaker::takeLine(std::string_view line)
{
    static const QRegularExpression counted(QStringLiteral(R"(^\[(\d+)/(\d+)\]\s*(.*)$)"));
    const QString text = QString::fromUtf8(line.data(), static_cast<qsizetype>(line.size()));
    if (const auto match = counted.match(text); match.hasMatch())
        emit progressed(match.captured(3), match.captured(1).toInt(), match.captured(2).toInt());
    else
        emit progressed(text, 0, 0);
}

} // namespace namsan
