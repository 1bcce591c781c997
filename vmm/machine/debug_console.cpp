// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/debug_console.h"

#include "vmm/base/file_writer.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>

namespace namsan {

DebugConsole::DebugConsole(std::string_view name, Log& log)
    : m_name(name)
    , m_log(log)
{
}

Result<std::unique_ptr<DebugConsole>> DebugConsole::open(const OptionalDevice& device, Log& log)
{
    std::unique_ptr<DebugConsole> console(new DebugConsole(nameOf(device.kind), log));
    if (device.file.empty())
        return console;
    const std::string what = fmt::format("The output of the device {}", console->m_name);
    if (auto possible = checkWritable(what, device.file); !possible)
        return possible.error();
    // Non-blocking, since nobody may read a FIFO; appending, since two consoles may share a file.
    constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NONBLOCK;
    console->m_path = device.file;
    console->m_file = FileDescriptor(::open(device.file.c_str(), flags, 0666));
    if (console->m_file.number() < 0)
        return Error { fmt::format(
            "{} cannot be written to {}: {}. Choose another file.", what, device.file, std::strerror(errno)) };
    return console;
}

void DebugConsole::connect(Timers& timers, std::function<void()> onOutput)
{
    m_patience = std::make_unique<Timer>(timers, std::move(onOutput));
}

void DebugConsole::guestWrote(uint8_t byte)
{
    if (m_gathered.size() < capacity)
        m_gathered.push_back(byte);
    else
        m_lost = true;
    if (!m_patience->armed())
        m_patience->armIn(longestWait);
}

void DebugConsole::deliver(Motherboard& board)
{
    std::vector<uint8_t> bytes;
    bool lost = false;
    {
        const Held held = board.enter();
        m_patience->cancel();
        bytes.swap(m_gathered);
        std::swap(lost, m_lost);
    }
    if (lost)
        complain("lost", "The guest wrote faster than its bytes could be kept, so some are missing.");
    if (m_file.number() >= 0)
        write(bytes);
    else
        m_lines.feed(bytes, [this](std::string_view line) { m_log.add(LogLevel::Note, m_name, line); });
}

void DebugConsole::write(std::span<const uint8_t> bytes)
{
    while (!bytes.empty() && !m_failed) {
        const ssize_t written = ::write(m_file.number(), bytes.data(), bytes.size());
        if (written >= 0) {
            bytes = bytes.subspan(static_cast<size_t>(written));
        } else if (errno == EAGAIN) { // a pipe whose reader is slow
            complain("slow", fmt::format("Nobody read {} in time, so some bytes are missing.", m_path));
            return;
        } else if (errno != EINTR) {
            m_failed = true;
            complain("failed",
                fmt::format("{} cannot be written to any more: {}. What the guest wrote from then on is missing.",
                    m_path, std::strerror(errno)));
        }
    }
}

void DebugConsole::complain(std::string_view kind, std::string_view why)
{
    m_log.once(kind, LogLevel::Warning, m_name, why);
}

} // namespace namsan
