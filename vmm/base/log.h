// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

enum class LogLevel {
    Note,
    Warning,
    Error,
};

struct LogLine {
    LogLevel level;
    std::string source; // a device's or part's name
    std::string text;
};

// The log of one machine: what its parts had to say, kept for its record. A guest can cause any number of events, so
// lines that a guest causes go through once() and the log keeps a bounded number of lines.
// Every call is safe from any thread.
class Log {
public:
    static constexpr size_t capacity = 2000; // lines; the oldest leave first

    void add(LogLevel, std::string_view source, std::string_view text);

    // Adds the line only the first time that this source says something of this kind.
    void once(std::string_view kind, LogLevel, std::string_view source, std::string_view text);

    std::vector<LogLine> lines() const;

    // Called for every line from now on, on the thread that logs. Set before threads start.
    void setListener(std::function<void(const LogLine&)>);

private:
    mutable std::mutex m_mutex;
    std::deque<LogLine> m_lines;
    std::set<std::string, std::less<>> m_saidKinds;
    std::function<void(const LogLine&)> m_listener;
};

} // namespace namsan
