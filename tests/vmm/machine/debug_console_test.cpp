// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/debug_console.h"

#include "tests/support/temporary_folder.h"
#include "vmm/time/clock.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>

namespace namsan {

namespace {

class DebugConsoleTest : public ::testing::Test {
protected:
    using Kind = OptionalDevice::Kind;

    TemporaryFolder folder;
    Log log;
    ManualClock clock;
    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(1 << 20));
    Motherboard board { *memory, clock };
    int due = 0;

    std::unique_ptr<DebugConsole> open(const OptionalDevice& device)
    {
        auto console = DebugConsole::open(device, log);
        EXPECT_TRUE(console) << console.error().message;
        const Held held = board.enter();
        (*console)->connect(board.timers(held), [this] { ++due; });
        return std::move(*console);
    }
    void write(DebugConsole& console, std::string_view text)
    {
        const Held held = board.enter();
        for (const char c : text)
            console.guestWrote(static_cast<uint8_t>(c));
    }
    std::vector<std::string> logged()
    {
        std::vector<std::string> texts;
        for (const LogLine& line : log.lines())
            texts.push_back(line.source + ": " + line.text);
        return texts;
    }
};

} // namespace

TEST_F(DebugConsoleTest, WritesToItsFile)
{
    folder.write("out", std::string_view("old and longer"));
    const auto console = open({ Kind::DebugConsole, folder.path("out") });
    write(*console, "one\n\xff");
    console->deliver(board);
    EXPECT_EQ(folder.read("out"), "one\n\xff");
    write(*console, "two");
    console->deliver(board);
    EXPECT_EQ(folder.read("out"), "one\n\xfftwo");
    EXPECT_TRUE(logged().empty());
}

TEST_F(DebugConsoleTest, WritesLinesToTheLogWithoutOne)
{
    const auto console = open({ Kind::SeaBiosConsole, "" });
    write(*console, "one\r\ntwo");
    console->deliver(board);
    write(*console, " and three\n");
    console->deliver(board);
    EXPECT_EQ(logged(), (std::vector<std::string> { "port402: one", "port402: two and three" }));
}

TEST_F(DebugConsoleTest, AsksToDeliverSomeMillisecondsAfterTheFirstByte)
{
    const auto console = open({ Kind::DebugConsole, "" });
    write(*console, "a");
    write(*console, "b");
    clock.advance(DebugConsole::longestWait);
    {
        const Held held = board.enter();
        board.timers(held).runDue();
    }
    EXPECT_EQ(due, 1);
}

TEST_F(DebugConsoleTest, SaysSoWhenBytesComeTooFast)
{
    const auto console = open({ Kind::DebugConsole, folder.path("out") });
    write(*console, std::string(DebugConsole::capacity + 1, 'x'));
    console->deliver(board);
    EXPECT_EQ(folder.read("out").size(), DebugConsole::capacity);
    EXPECT_EQ(logged(),
        std::vector<std::string> {
            "debugcon: The guest wrote faster than its bytes could be kept, so some are missing." });
}

TEST_F(DebugConsoleTest, WaitsForNoReader)
{
    const std::string path = folder.path("fifo");
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(reader, 0);
    const auto console = open({ Kind::DebugConsole, path });
    write(*console, std::string(DebugConsole::capacity, 'x'));
    console->deliver(board);
    ::close(reader);
    EXPECT_EQ(logged(),
        std::vector<std::string> { "debugcon: Nobody read " + path + " in time, so some bytes are missing." });
}

TEST_F(DebugConsoleTest, SaysOnceThatItsFileFails)
{
    const auto console = open({ Kind::DebugConsole, "/dev/full" });
    for (int i = 0; i < 3; ++i) {
        write(*console, "x");
        console->deliver(board);
    }
    EXPECT_EQ(logged(),
        std::vector<std::string> { "debugcon: /dev/full cannot be written to any more: No space left on device. What "
                                   "the guest wrote from then on is missing." });
}

TEST_F(DebugConsoleTest, RefusesAFileThatCannotBeWritten)
{
    const auto console = DebugConsole::open({ Kind::DebugConsole, folder.path("none/out") }, log);
    ASSERT_FALSE(console);
    EXPECT_EQ(console.error().message,
        "The output of the device debugcon cannot be written to " + folder.path("none/out") + ": there is no folder "
            + folder.path("none") + ". Make it, or choose another file.");
}

} // namespace namsan
