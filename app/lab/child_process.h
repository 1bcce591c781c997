// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"
#include "vmm/base/result.h"
#include "vmm/host/placement.h"

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace namsan {

struct ChildEnding {
    bool stopped = false; // the stop descriptor became readable; it has been killed
    bool timedOut = false; // it has been killed
    int exitCode = -1; // -1: a signal ended it
    int signal = 0; // that signal
};

// Another program at work for this one. It is killed with this object, and by the kernel when the thread that started
// it ends in whatever way: no guest goes on measuring for nobody. It is a process group of its own, so that Ctrl+C
// reaches only this program, which then decides.
class ChildProcess {
public:
    struct Orders {
        std::vector<std::string> arguments; // the program first, looked for in PATH
        std::string errors; // the file for its standard error
        std::optional<LogicalCpu> cpu; // where all its threads begin
    };
    struct Watch {
        std::function<void(std::span<const uint8_t>)> output; // what it writes to standard output
        std::function<void()> tick; // ten times a second
        std::function<bool()> enough; // asked after output: true kills it, which is no failure
        std::optional<std::chrono::milliseconds> limit;
        int stopDescriptor = -1;
    };

    static Result<ChildProcess> start(const Orders&);
    ChildProcess(ChildProcess&&) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    pid_t id() const { return m_id; }

    // Until it has ended. Once.
    ChildEnding wait(const Watch&);

private:
    ChildProcess(pid_t, FileDescriptor process, FileDescriptor output);

    bool readOutput(const Watch&); // false: there will be no more
    ChildEnding reap();
    void kill();

    pid_t m_id; // 0: gone
    FileDescriptor m_process; // pidfd_open(2)
    FileDescriptor m_output;
};

} // namespace namsan
