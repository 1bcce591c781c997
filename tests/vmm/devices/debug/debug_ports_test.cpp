// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/bare_board.h"
#include "vmm/devices/debug/debug_console_port.h"
#include "vmm/devices/debug/debug_exit_port.h"

#include <gtest/gtest.h>

namespace namsan {

TEST(DebugConsolePort, PassesOnWhatIsWrittenAndShowsItself)
{
    BareBoard board;
    Channel<DebugOutput> output;
    std::vector<std::pair<uint16_t, char>> heard;
    output.listen([&](const DebugOutput& message) { heard.emplace_back(message.port, message.byte); });
    DebugConsolePort bochs(board.ports(), DebugConsolePort::bochsAddress, "debugcon", output);
    DebugConsolePort seaBios(board.ports(), DebugConsolePort::seaBiosAddress, "port402", output);
    EXPECT_EQ(board.in(0xe9), 0xe9);
    EXPECT_EQ(board.in(0x402), 0xe9);
    EXPECT_EQ(board.in(0xe8), 0xff);
    board.out(0xe9, 'a');
    board.out(0x402, 'b');
    board.ports().out(0xe9, Width::Word, 0x4243); // the second cycle goes to EA, which nobody owns
    const std::vector<std::pair<uint16_t, char>> expected { { 0xe9, 'a' }, { 0x402, 'b' }, { 0xe9, 'C' } };
    EXPECT_EQ(heard, expected);
    EXPECT_TRUE(board.restore(bochs, board.save(bochs)));
    EXPECT_EQ(seaBios.name(), "port402");
}

TEST(DebugExitPort, TellsWhatIsWrittenInAnyWidth)
{
    BareBoard board;
    Channel<DebugExit> exits;
    std::vector<uint32_t> heard;
    exits.listen([&](const DebugExit& exit) { heard.push_back(exit.value); });
    DebugExitPort port(board.ports(), exits);
    EXPECT_EQ(board.ports().in(0xf4, Width::Dword), 0u);
    board.out(0xf4, 0x10);
    board.ports().out(0xf4, Width::Word, 0x1234);
    board.ports().out(0xf4, Width::Dword, 0x12345678);
    board.out(0xf7, 3);
    board.out(0xf3, 4);
    board.out(0xf8, 4);
    EXPECT_EQ(heard, (std::vector<uint32_t> { 0x10, 0x1234, 0x12345678, 3 }));
    EXPECT_TRUE(board.restore(port, board.save(port)));
}

} // namespace namsan
