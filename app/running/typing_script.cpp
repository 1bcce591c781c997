// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/typing_script.h"

#include <algorithm>

namespace namsan {

std::optional<size_t> StreamWait::look(std::span<const uint8_t> bytes)
{
    const size_t kept = m_tail.size();
    m_tail.append(bytes.begin(), bytes.end());
    const size_t found = m_tail.find(m_text);
    if (found != std::string::npos)
        return found + m_text.size() - kept;
    m_tail.erase(0, m_tail.size() - std::min(m_tail.size(), m_text.size() - 1));
    return std::nullopt;
}

ScreenWait::ScreenWait(std::string text, const std::vector<std::string>& screenSoFar)
    : m_text(std::move(text))
    , m_known(matchesIn(screenSoFar))
{
}

bool ScreenWait::look(const std::vector<std::string>& screen)
{
    std::vector<std::string> now = matchesIn(screen);
    // Scrolling takes lines away at the top, and typing makes them longer.
    const bool nothingNew = now.size() <= m_known.size()
        && std::equal(now.rbegin(), now.rend(), m_known.rbegin(),
            [](const std::string& line, const std::string& known) { return line.starts_with(known); });
    m_known = std::move(now);
    return !nothingNew;
}

std::vector<std::string> ScreenWait::matchesIn(const std::vector<std::string>& screen) const
{
    // A screen's lines come without their trailing blanks, and prompts end with one.
    const size_t last = m_text.find_last_not_of(' ');
    const std::string blanks(last == std::string::npos ? 0 : m_text.size() - last - 1, ' ');
    std::vector<std::string> lines;
    for (const std::string& line : screen) {
        if ((line + blanks).find(m_text) != std::string::npos)
            lines.push_back(line);
    }
    return lines;
}

TypingScript::TypingScript(std::vector<TypingStep> steps)
    : m_steps(steps.begin(), steps.end())
{
    beginWaiting();
}

void TypingScript::serialOutput(std::span<const uint8_t> bytes)
{
    while (m_stream) {
        const auto taken = m_stream->look(bytes);
        if (!taken)
            return;
        bytes = bytes.subspan(*taken);
        nextStep();
    }
}

void TypingScript::screen(const std::vector<std::string>& lines)
{
    m_lastScreen = lines;
    if (m_screen && m_screen->look(lines))
        nextStep();
}

std::optional<KeyEvent> TypingScript::takeKey()
{
    if (m_keys.empty())
        return std::nullopt;
    const KeyEvent key = m_keys.front();
    m_keys.pop_front();
    return key;
}

std::string_view TypingScript::waitingFor() const
{
    return m_steps.empty() ? std::string_view {} : m_steps.front().waitFor;
}

void TypingScript::nextStep()
{
    m_keys.insert(m_keys.end(), m_steps.front().keys.begin(), m_steps.front().keys.end());
    m_steps.pop_front();
    beginWaiting();
}

void TypingScript::beginWaiting()
{
    m_stream.reset();
    m_screen.reset();
    if (m_steps.empty())
        return;
    m_stream.emplace(m_steps.front().waitFor);
    m_screen.emplace(m_steps.front().waitFor, m_lastScreen);
}

} // namespace namsan
