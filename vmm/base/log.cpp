// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/base/log.h"

#include <fmt/format.h>

namespace namsan {

void Log::add(LogLevel level, std::string_view source, std::string_view text)
{
    LogLine line { level, std::string(source), std::string(text) };
    {
        const std::lock_guard guard(m_mutex);
        m_lines.push_back(line);
        if (m_lines.size() > capacity)
            m_lines.pop_front();
    }
    if (m_listener)
        m_listener(line);
}

void Log::once(std::string_view kind, LogLevel level, std::string_view source, std::string_view text)
{
    {
        const std::lock_guard guard(m_mutex);
        if (!m_saidKinds.insert(fmt::format("{}/{}", source, kind)).second)
            return;
    }
    add(level, source, text);
}

std::vector<LogLine> Log::lines() const
{
    const std::lock_guard guard(m_mutex);
    return { m_lines.begin(), m_lines.end() };
}

void Log::setListener(std::function<void(const LogLine&)> listener)
{
    m_listener = std::move(listener);
}

} // namespace namsan
