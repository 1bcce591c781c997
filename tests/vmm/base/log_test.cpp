// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/base/log.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(Log, KeepsTheNewestLines)
{
    Log log;
    for (size_t i = 0; i < Log::capacity + 10; ++i)
        log.add(LogLevel::Note, "test", std::to_string(i));
    const auto lines = log.lines();
    ASSERT_EQ(lines.size(), Log::capacity);
    EXPECT_EQ(lines.front().text, "10");
    EXPECT_EQ(lines.back().text, std::to_string(Log::capacity + 9));
}

TEST(Log, SaysEachKindOfEachSourceOnce)
{
    Log log;
    log.once("odd write", LogLevel::Warning, "timer", "first");
    log.once("odd write", LogLevel::Warning, "timer", "second");
    log.once("odd read", LogLevel::Warning, "timer", "third");
    log.once("odd write", LogLevel::Warning, "clock", "fourth");
    const auto lines = log.lines();
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0].text, "first");
    EXPECT_EQ(lines[0].source, "timer");
    EXPECT_EQ(lines[0].level, LogLevel::Warning);
    EXPECT_EQ(lines[1].text, "third");
    EXPECT_EQ(lines[2].text, "fourth");
}

TEST(Log, TellsItsListenerWhoMayLogToo)
{
    Log log;
    std::vector<std::string> heard;
    log.setListener([&](const LogLine& line) {
        heard.push_back(line.text);
        if (line.text == "question")
            log.add(LogLevel::Note, "listener", "answer");
    });
    log.add(LogLevel::Note, "test", "question");
    EXPECT_EQ(heard, (std::vector<std::string> { "question", "answer" }));
    EXPECT_EQ(log.lines().size(), 2u);
}

} // namespace namsan
