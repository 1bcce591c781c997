// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/measuring_host.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/utsname.h>

namespace namsan {

Result<FileDescriptor> lockMeasuring(const std::filesystem::path& folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error); // what is wrong with it, open() tells
    const std::filesystem::path path = folder / "measuring.lock";
    FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (file.number() < 0)
        return Error { fmt::format("The file {} can't be made: {}. Make room or change its folder's rights.",
            path.string(), std::strerror(errno)) };
    if (flock(file.number(), LOCK_EX | LOCK_NB) != 0)
        return Error { "Another experiment or race is being measured, and two at once would measure each other; try "
                       "again when it is over, or end it." };
    return file;
}

HostDescription describeHost(const Topology& topology)
{
    utsname name {};
    uname(&name);
    return { topology.processorName, fmt::format("{} {}", name.sysname, name.release),
        static_cast<unsigned>(topology.cpus.size()) };
}

} // namespace namsan
