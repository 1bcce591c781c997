// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/common/numbers.h"

#include <QCoreApplication>
#include <QLocale>

#include <cmath>

namespace namsan {

namespace {

constexpr QChar noBreakSpace(0x00A0);
constexpr QChar narrowSpace(0x202F);
constexpr QChar minusSign(0x2212);

QString digits(double value, int decimals)
{
    const QLocale locale;
    QString text = locale.toString(std::abs(value), 'f', decimals);
    return text.replace(locale.groupSeparator(), narrowSpace);
}

} // namespace

QString wholeNumber(double value)
{
    const QString text = digits(value, 0);
    return std::lround(value) < 0 ? minusSign + text : text;
}

QString percent(double share)
{
    return wholeNumber(share * 100) + noBreakSpace + QLatin1Char('%');
}

QString mips(double value)
{
    return digits(value, value < 9.95 ? 1 : 0) + noBreakSpace + QCoreApplication::translate("numbers", "MIPS");
}

QString seconds(double value)
{
    if (value >= 600) {
        const auto minutes = static_cast<int>(value / 60);
        if (minutes < 60)
            return QCoreApplication::translate("numbers", "%1 min").arg(minutes);
        return QCoreApplication::translate("numbers", "%1 h %2 min").arg(minutes / 60).arg(minutes % 60);
    }
    return digits(value, value < 99.95 ? 1 : 0) + noBreakSpace + QLatin1Char('s');
}

QString driftText(double drift)
{
    const double inPercent = drift * 100;
    const bool off = std::abs(inPercent) >= 1;
    const int decimals = off ? 1 : 2;
    QString text = digits(inPercent, decimals);
    if (text != digits(0, decimals))
        text.prepend(inPercent < 0 ? minusSign : QLatin1Char('+'));
    text += noBreakSpace;
    text += QLatin1Char('%');
    if (off)
        text += QStringLiteral(" *");
    return text;
}

} // namespace namsan
