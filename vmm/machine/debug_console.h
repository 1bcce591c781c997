// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"
#include "vmm/base/log.h"
#include "vmm/base/result.h"
#include "vmm/board/messages.h"
#include "vmm/board/motherboard.h"
#include "vmm/machine/line_splitter.h"
#include "vmm/machine/optional_device.h"

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace namsan {

// Where the bytes of one debug console go: a file, or the machine's log line by line. It gathers them for some
// milliseconds, so that the guest waits for no file.
class DebugConsole {
public:
    static constexpr size_t capacity
        = 1 << 20; // bytes that wait at most; what comes faster is lost, and the log says so
    static constexpr GuestTime longestWait = std::chrono::milliseconds(5);

    // Creates or empties the file. The log outlives the console. Fails with a sentence where the file can't be written.
    static Result<std::unique_ptr<DebugConsole>> open(const OptionalDevice&, Log&);

    // Under the board lock. onOutput: deliver() is due; called under the board lock.
    void connect(Timers&, std::function<void()> onOutput);
    void guestWrote(uint8_t byte);

    // Writes what has been gathered. On the board thread, or once that has gone; without the board lock.
    void deliver(Motherboard&);

private:
    DebugConsole(std::string_view name, Log&);

    void write(std::span<const uint8_t>);
    void complain(std::string_view kind, std::string_view why);

    const std::string m_name;
    std::string m_path;
    FileDescriptor m_file; // none: the log
    Log& m_log;
    LineSplitter m_lines;
    std::unique_ptr<Timer> m_patience;
    std::vector<uint8_t> m_gathered; // under the board lock
    bool m_lost = false; // likewise: bytes came too fast
    bool m_failed = false;
};

} // namespace namsan
