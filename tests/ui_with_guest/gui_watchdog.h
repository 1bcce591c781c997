// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

namespace namsan {

// Measures how long the GUI thread did not come back to its event loop, by a heart that beats in it.
class GuiWatchdog {
public:
    static constexpr qint64 mostMilliseconds = 50;

    GuiWatchdog()
    {
        m_heart.setTimerType(Qt::PreciseTimer);
        QObject::connect(&m_heart, &QTimer::timeout, &m_heart, [this] { beat(); });
        m_sinceBeat.start();
        m_heart.start(5);
    }

    qint64 longestMilliseconds() const { return std::max(m_longest, m_sinceBeat.elapsed()); }
    qint64 beats() const { return m_beats; }

private:
    void beat()
    {
        m_longest = std::max(m_longest, m_sinceBeat.restart());
        ++m_beats;
    }

    QTimer m_heart;
    QElapsedTimer m_sinceBeat;
    qint64 m_longest = 0;
    qint64 m_beats = 0;
};

} // namespace namsan
