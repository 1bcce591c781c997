// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QByteArray>
#include <QString>

#include <deque>

namespace namsan {

// What a guest's serial console says, as lines of text: a terminal without a screen. Carriage return, line feed,
// backspace and tabs move the cursor within the newest line; of the escape sequences (ECMA-48) "erase in line" and
// "erase in display" are done, the others (colours, cursor addresses) are taken out. Bytes are UTF-8.
//
// Bounded whatever the guest sends: the oldest lines leave, and a line that never ends is broken.
class SerialText {
public:
    static constexpr qsizetype lineLength = 1000; // characters
    static constexpr size_t capacity = 10'000; // lines

    void append(const QByteArray&);
    void clear();

    size_t lineCount() const { return m_lines.size(); }
    const QString& line(size_t index) const { return m_lines[index]; }
    qsizetype column() const { return m_column; } // of the cursor, which is in the last line
    size_t dropped() const { return m_dropped; } // lines that have left at the top since clear()

private:
    enum class State { Text, Escape, ControlSequence, StringSequence, StringEscape, Intermediate };

    void take(unsigned char);
    void takeText(unsigned char);
    void put(QChar);
    void putCodePoint(char32_t);
    void newLine();
    void finishControlSequence(unsigned char final);

    std::deque<QString> m_lines { QString() };
    qsizetype m_column = 0;
    size_t m_dropped = 0;
    State m_state = State::Text;
    QByteArray m_parameters;
    char32_t m_codePoint = 0;
    int m_continuationBytes = 0;
};

} // namespace namsan
