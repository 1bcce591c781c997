// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

namespace namsan {

// Figures as the whole window writes them: the locale's digits, a narrow space between thousands, a no-break space
// before units, a true minus sign.
QString wholeNumber(double);
QString percent(double share); // 0.76 is "76 %"
QString mips(double); // no decimals from 10 on, else one
QString seconds(double);
QString driftText(double drift); // two decimals, one from 1 % on, and then with the star of a run that is off

} // namespace namsan
