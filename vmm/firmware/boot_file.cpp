// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/boot_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace namsan {

namespace {

class FileDescriptor {
public:
    explicit FileDescriptor(int descriptor)
        : m_descriptor(descriptor)
    {
    }
    ~FileDescriptor()
    {
        if (m_descriptor >= 0)
            close(m_descriptor);
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;

    int get() const { return m_descriptor; }

private:
    int m_descriptor;
};

Error unreadable(std::string_view what, const std::string& path, int reason)
{
    return { fmt::format(
        "The {} {} cannot be read: {}. Check the path and its permissions.", what, path, std::strerror(reason)) };
}

} // namespace

Result<std::vector<uint8_t>> readBootFile(std::string_view what, const std::string& path, uint64_t largest)
{
    // Non-blocking, since opening a FIFO would wait for its writer.
    const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status { };
    if (file.get() < 0 || fstat(file.get(), &status) != 0)
        return unreadable(what, path, errno);
    if (!S_ISREG(status.st_mode))
        return Error { fmt::format("The {} {} is not a file. Name a file.", what, path) };
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size == 0)
        return Error { fmt::format("The {} {} is empty. Name a complete file.", what, path) };
    if (size > largest)
        return Error { fmt::format("The {} {} has {} KiB, and the machine's memory has room for {} KiB of it. Give the "
                                   "machine more memory.",
            what, path, size >> 10, largest >> 10) };

    std::vector<uint8_t> bytes(size);
    size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return unreadable(what, path, errno);
        if (count == 0)
            return Error { fmt::format("The {} {} became shorter while it was read. Try again.", what, path) };
        filled += static_cast<size_t>(count);
    }
    return bytes;
}

} // namespace namsan
