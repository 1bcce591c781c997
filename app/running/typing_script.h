// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/running/text_to_keys.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// Waits for a text in a byte stream, from now on. Holds no more of the stream than the text is long.
class StreamWait {
public:
    explicit StreamWait(std::string text)
        : m_text(std::move(text))
    {
    }

    // How many of the bytes it took to see the text whole; empty: not yet.
    std::optional<size_t> look(std::span<const uint8_t> bytes);

private:
    std::string m_text;
    std::string m_tail;
};

// Waits for a text on a text screen, on a line that is new: a prompt that was already there when the wait began, that
// scrolls up or that something is typed behind does not count again.
class ScreenWait {
public:
    ScreenWait(std::string text, const std::vector<std::string>& screenSoFar);

    bool look(const std::vector<std::string>& screen);

private:
    std::vector<std::string> matchesIn(const std::vector<std::string>& screen) const;

    std::string m_text;
    std::vector<std::string> m_known; // the lines with the text, as they were seen last
};

// Types what a script says, each step when its text has come on the serial console or the text screen since the step
// before it. The one who calls sets the pace. Not thread-safe.
class TypingScript {
public:
    explicit TypingScript(std::vector<TypingStep>);

    void serialOutput(std::span<const uint8_t>);
    void screen(const std::vector<std::string>& lines);

    // The next key event, if a step is being typed.
    std::optional<KeyEvent> takeKey();
    bool typing() const { return !m_keys.empty(); }

    // The text that has not come yet; empty when all have.
    std::string_view waitingFor() const;

private:
    void nextStep();
    void beginWaiting();

    std::deque<TypingStep> m_steps; // the first one is waited for
    std::deque<KeyEvent> m_keys;
    std::optional<StreamWait> m_stream;
    std::optional<ScreenWait> m_screen;
    std::vector<std::string> m_lastScreen;
};

} // namespace namsan
