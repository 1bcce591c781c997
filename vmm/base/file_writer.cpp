// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/base/file_writer.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace namsan {

namespace {

Error cannotWrite(std::string_view what, const std::string& path, int reason)
{
    return { fmt::format("{} cannot be written to {}: {}. Choose another file.", what, path, std::strerror(reason)) };
}

// A file descriptor that closes itself.
class OpenFile {
public:
    explicit OpenFile(int descriptor)
        : m_descriptor(descriptor)
    {
    }
    ~OpenFile() { close(); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    bool valid() const { return m_descriptor >= 0; }
    int descriptor() const { return m_descriptor; }
    bool close() { return m_descriptor < 0 || ::close(std::exchange(m_descriptor, -1)) == 0; }

private:
    int m_descriptor;
};

bool writeAll(int descriptor, std::string_view content)
{
    while (!content.empty()) {
        const ssize_t written = write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        content.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

Result<void> writeInto(std::string_view what, const std::string& path, std::string_view content)
{
    OpenFile file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.valid() || !writeAll(file.descriptor(), content) || !file.close())
        return cannotWrite(what, path, errno);
    return {};
}

// The file behind a chain of symbolic links, which need not exist yet.
std::filesystem::path behindLinks(const std::string& path)
{
    std::error_code ignored;
    const auto real = std::filesystem::weakly_canonical(path, ignored);
    return real.empty() ? std::filesystem::path(path) : real;
}

std::filesystem::path folderOf(const std::filesystem::path& file)
{
    return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

// What stands in the file's place, if anything does.
std::optional<mode_t> kindOf(const std::filesystem::path& file)
{
    struct stat status { };
    if (stat(file.c_str(), &status) != 0)
        return std::nullopt;
    return status.st_mode & S_IFMT;
}

} // namespace

Result<void> writeWholeFile(std::string_view what, const std::string& path, std::string_view content)
{
    if (const auto kind = kindOf(path); kind && *kind != S_IFREG && *kind != S_IFDIR)
        return writeInto(what, path, content);
    if (auto possible = checkWritable(what, path); !possible)
        return possible;

    const std::filesystem::path target = behindLinks(path);
    std::string beside
        = (folderOf(target) / (".namsan-" + target.filename().string().substr(0, 100) + ".XXXXXX")).string();
    OpenFile file(mkostemp(beside.data(), O_CLOEXEC));
    if (!file.valid())
        return cannotWrite(what, path, errno);
    // mkostemp() gives nobody else the right to read.
    constexpr mode_t readableByAll = 0644;
    if (!writeAll(file.descriptor(), content) || fchmod(file.descriptor(), readableByAll) != 0 || !file.close()
        || rename(beside.c_str(), target.c_str()) != 0) {
        const int reason = errno;
        unlink(beside.c_str());
        return cannotWrite(what, path, reason);
    }
    return {};
}

Result<void> checkWritable(std::string_view what, const std::string& path)
{
    if (path.empty())
        return Error { fmt::format("{} cannot be written: its file has no name. Give it one.", what) };
    const std::filesystem::path target = behindLinks(path);
    const auto kind = kindOf(target);
    if ((kind && *kind == S_IFDIR) || path.ends_with('/'))
        return Error { fmt::format(
            "{} cannot be written to {}: that is a folder. Add the name of a file.", what, path) };
    if (kind && access(target.c_str(), W_OK) != 0)
        return cannotWrite(what, path, errno);
    if (kind && *kind != S_IFREG)
        return {};
    const auto folder = folderOf(target);
    if (kindOf(folder) != S_IFDIR)
        return Error { fmt::format(
            "{} cannot be written to {}: there is no folder {}. Make it, or choose another file.", what, path,
            folder.string()) };
    if (access(folder.c_str(), W_OK | X_OK) != 0)
        return cannotWrite(what, path, errno);
    return {};
}

} // namespace namsan
