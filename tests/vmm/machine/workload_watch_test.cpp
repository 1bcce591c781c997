// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/workload_watch.h"

#include <gtest/gtest.h>

namespace namsan {

namespace {

std::span<const uint8_t> bytes(std::string_view text)
{
    return { reinterpret_cast<const uint8_t*>(text.data()), text.size() };
}

std::vector<WorkloadEvent> seenIn(std::string_view text)
{
    return WorkloadWatch().feed(bytes(text));
}

using Events = std::vector<WorkloadEvent>;

} // namespace

TEST(WorkloadWatch, FindsBeginAndEnd)
{
    EXPECT_EQ(seenIn("hello\r\n! BEGIN: count\r\n! PERF: count 12.50 s ok\r\n"),
        (Events { WorkloadBegan { "count" }, WorkloadEnded { "count", 12.5, true } }));
    EXPECT_EQ(seenIn("! PERF: kernel build 7 s failed\n"), (Events { WorkloadEnded { "kernel build", 7, false } }));
}

TEST(WorkloadWatch, TakesBytesAsTheyCome)
{
    WorkloadWatch watch;
    Events events;
    for (const char c : std::string("! BEGIN: a\r\r\n! PERF: a 0.1 s ok\n")) {
        for (const auto& event : watch.feed(bytes({ &c, 1 })))
            events.push_back(event);
    }
    EXPECT_EQ(events, (Events { WorkloadBegan { "a" }, WorkloadEnded { "a", 0.1, true } }));
}

TEST(WorkloadWatch, WaitsForTheWholeLine)
{
    WorkloadWatch watch;
    EXPECT_TRUE(watch.feed(bytes("! BEGIN: count")).empty());
    EXPECT_EQ(watch.feed(bytes("ing\n")), (Events { WorkloadBegan { "counting" } }));
}

TEST(WorkloadWatch, IgnoresWhatOnlyLooksLikeAWorkload)
{
    for (const char* line : { "# echo ! BEGIN: count", " ! BEGIN: count", "! BEGIN:", "! BEGIN: ", "! BEGIN:  x",
             "! BEGIN: x ", "! BEGIN: \x1b[31mred", "! BEGIN: \xff", "! PERF: count", "! PERF: 1 s ok",
             "! PERF: count 1 s", "! PERF: count 1 s OK", "! PERF: count 1 ms ok", "! PERF: count nan s ok",
             "! PERF: count inf s ok", "! PERF: count -1 s ok", "! PERF: count 1e9 s ok", "! PERF: count . s ok",
             "! PERF: count 1.2.3 s ok", "! PERF: count 0x10 s ok", "! PERF: count 1,5 s ok", "! PERF: count  s ok",
             "! PERF: count 1111111111111111111111111 s ok", "! PERF: s ok", "! PERF: ", "! perf: count 1 s ok" })
        EXPECT_TRUE(seenIn(std::string(line) + "\n").empty()) << line;
}

TEST(WorkloadWatch, KeepsNoMoreOfALineThanItMay)
{
    WorkloadWatch watch;
    const std::string flood(100'000, 'x');
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(watch.feed(bytes(flood)).empty());
    EXPECT_EQ(watch.feed(bytes("\n! BEGIN: still alive\n")), (Events { WorkloadBegan { "still alive" } }));
    EXPECT_TRUE(seenIn("! BEGIN: " + std::string(65, 'n') + "\n").empty());
}

TEST(LineSplitter, CutsLongLinesAndKeepsTheirBeginning)
{
    LineSplitter splitter;
    std::vector<std::string> lines;
    splitter.feed(bytes("begin" + std::string(LineSplitter::longest, '.') + "end\nnext\n"),
        [&](std::string_view line) { lines.emplace_back(line); });
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[0].size(), LineSplitter::longest);
    EXPECT_TRUE(lines[0].starts_with("begin."));
    EXPECT_EQ(lines[1], "next");
}

} // namespace namsan
