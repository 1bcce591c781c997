// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace namsan {

// A guest on its way: the script make-guest at work in a process group of its own, so that all that it started can be
// stopped together. It says in lines what it does. One thread at a time.
class GuestMaking {
public:
    using LineListener = std::function<void(std::string_view line)>;

    // refresh: from today's packages, although it is there.
    static Result<GuestMaking> start(const std::filesystem::path& script, std::string name, bool refresh);
    GuestMaking(GuestMaking&&) noexcept;
    GuestMaking& operator=(GuestMaking&&) = delete;
    ~GuestMaking(); // stops what still goes on, and waits until it has cleaned up

    // To wait on: readable when there are lines or the end.
    int descriptor() const { return m_output; }
    // Hands on the lines that have come. False at the end.
    bool read(const LineListener&);
    // Asks it to stop; read() on until the end.
    void stop();
    // After the end. Fails with the script's own reason.
    Result<void> finish();

private:
    GuestMaking(std::string name, pid_t process, int output);
    void takeLine(std::string_view line, const LineListener&);

    std::string m_name;
    pid_t m_process; // 0: it has ended
    int m_output;
    std::string m_begun; // a line whose end has not come
    std::string m_lastLine;
    bool m_stopped = false;
};

// Makes a guest and returns when it is there. SIGINT, SIGTERM and SIGHUP stop it.
Result<void> makeGuest(
    const std::filesystem::path& script, const std::string& name, bool refresh, const GuestMaking::LineListener&);

} // namespace namsan
