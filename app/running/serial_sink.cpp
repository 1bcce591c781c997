// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/serial_sink.h"

#include "vmm/base/file_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

namespace namsan {

namespace {

// So often a write that is held up looks whether it has been abandoned.
constexpr int lookAgainMilliseconds = 100;

} // namespace

Result<std::unique_ptr<SerialSink>> SerialSink::open(const std::string& where)
{
    if (where == "stdio")
        return std::unique_ptr<SerialSink>(new SerialSink(STDOUT_FILENO, false));
    if (auto possible = checkWritable("The serial output", where); !possible)
        return possible.error();
    const int descriptor = ::open(where.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return Error { fmt::format(
            "The serial output cannot be written to {}: {}. Choose another file.", where, std::strerror(errno)) };
    return std::unique_ptr<SerialSink>(new SerialSink(descriptor, true));
}

SerialSink::SerialSink(int descriptor, bool owned)
    : m_descriptor(descriptor)
    , m_owned(owned)
{
}

SerialSink::~SerialSink()
{
    if (m_owned)
        close(m_descriptor);
}

bool SerialSink::write(std::span<const uint8_t> bytes)
{
    while (!bytes.empty() && m_error == 0 && !m_abandoned) {
        pollfd ready { m_descriptor, POLLOUT, 0 };
        if (poll(&ready, 1, lookAgainMilliseconds) == 0)
            continue;
        // A pipe that is ready takes this much without blocking: pipe(7).
        const ssize_t written = ::write(m_descriptor, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
        if (written >= 0)
            bytes = bytes.subspan(static_cast<size_t>(written));
        else if (errno != EINTR && errno != EAGAIN)
            m_error = errno;
    }
    return m_error == 0 && !m_abandoned;
}

} // namespace namsan
