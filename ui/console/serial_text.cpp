// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/console/serial_text.h"

namespace namsan {

namespace {

constexpr qsizetype longestParameters = 32;

} // namespace

void SerialText::append(const QByteArray& bytes)
{
    for (const char byte : bytes)
        take(static_cast<unsigned char>(byte));
}

void SerialText::clear()
{
    *this = SerialText();
}

void SerialText::take(unsigned char byte)
{
    switch (m_state) {
    case State::Text:
        takeText(byte);
        return;
    case State::Escape:
        m_parameters.clear();
        if (byte == '[')
            m_state = State::ControlSequence;
        else if (byte == ']' || byte == 'P' || byte == '^' || byte == '_')
            m_state = State::StringSequence;
        else if (byte >= 0x20 && byte < 0x30)
            m_state = State::Intermediate;
        else
            m_state = State::Text;
        return;
    case State::ControlSequence:
        if (byte >= 0x40 && byte <= 0x7E)
            finishControlSequence(byte);
        else if (byte < 0x20)
            m_state = State::Text; // no sequence after all
        else if (m_parameters.size() < longestParameters)
            m_parameters.append(static_cast<char>(byte));
        return;
    case State::Intermediate:
        if (byte >= 0x30)
            m_state = State::Text;
        return;
    case State::StringSequence: // to BEL or ESC \; a line's end shows that nobody will close it
        if (byte == 0x07 || byte == '\n')
            m_state = State::Text;
        else if (byte == 0x1B)
            m_state = State::StringEscape;
        return;
    case State::StringEscape:
        m_state = byte == '\\' ? State::Text : State::StringSequence;
        return;
    }
}

void SerialText::takeText(unsigned char byte)
{
    if (m_continuationBytes > 0) {
        if ((byte & 0xC0) == 0x80) {
            m_codePoint = (m_codePoint << 6) | (byte & 0x3Fu);
            if (--m_continuationBytes == 0)
                putCodePoint(m_codePoint);
            return;
        }
        m_continuationBytes = 0;
        put(QChar::ReplacementCharacter);
    }
    if (byte >= 0xC2 && byte <= 0xF4) {
        m_continuationBytes = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
        m_codePoint = byte & (0x3Fu >> m_continuationBytes);
        return;
    }
    switch (byte) {
    case '\r':
        m_column = 0;
        return;
    case '\n':
        newLine();
        return;
    case '\b':
        m_column = std::max<qsizetype>(0, m_column - 1);
        return;
    case '\t':
        do {
            put(QLatin1Char(' '));
        } while (m_column % 8 != 0);
        return;
    case 0x1B:
        m_state = State::Escape;
        return;
    default:
        if (byte >= 0x80)
            put(QChar::ReplacementCharacter);
        else if (byte >= 0x20 && byte != 0x7F)
            put(QLatin1Char(static_cast<char>(byte)));
    }
}

void SerialText::putCodePoint(char32_t codePoint)
{
    if (codePoint > 0x10FFFF || (codePoint >= 0xD800 && codePoint < 0xE000)) {
        put(QChar::ReplacementCharacter);
    } else {
        for (const QChar unit : QChar::fromUcs4(codePoint))
            put(unit);
    }
}

void SerialText::put(QChar character)
{
    if (m_column >= lineLength) {
        newLine();
        m_column = 0;
    }
    QString& line = m_lines.back();
    if (m_column < line.size())
        line[m_column] = character;
    else
        line.append(QString(m_column - line.size(), QLatin1Char(' '))).append(character);
    ++m_column;
}

void SerialText::newLine()
{
    // The column stays: the line discipline of the guest sends its own carriage return.
    m_lines.emplace_back();
    if (m_lines.size() > capacity) {
        m_lines.pop_front();
        ++m_dropped;
    }
}

void SerialText::finishControlSequence(unsigned char final)
{
    m_state = State::Text;
    const int parameter = m_parameters.toInt(); // 0 where there is none
    QString& line = m_lines.back();
    switch (final) {
    case 'K': // ECMA-48 section 8.3.41, erase in line
        if (parameter == 0)
            line.truncate(m_column);
        else if (parameter == 2)
            line.clear();
        break;
    case 'J': // section 8.3.39, erase in page; scrollback stays
        if (parameter == 0)
            line.truncate(m_column);
        break;
    case 'C': // section 8.3.20, cursor right
        m_column = std::min<qsizetype>(lineLength, m_column + std::max(1, parameter));
        break;
    case 'D': // section 8.3.18, cursor left
        m_column = std::max<qsizetype>(0, m_column - std::max(1, parameter));
        break;
    default:
        break;
    }
}

} // namespace namsan
