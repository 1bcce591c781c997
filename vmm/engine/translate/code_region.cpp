// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/code_region.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace namsan {

Result<std::unique_ptr<CodeRegion>> CodeRegion::create(size_t size)
{
    const auto refused = [size](const char* what) {
        return Error { fmt::format("The host gave no {} MiB of {} for translated code ({}). Choose the engine "
                                   "soft:interpreter, which needs none.",
            size >> 20, what, std::strerror(errno)) };
    };
    std::unique_ptr<CodeRegion> region(new CodeRegion);
    region->m_size = size;
    region->m_memfd = memfd_create("namsan translated code", MFD_CLOEXEC);
    if (region->m_memfd < 0 || ftruncate(region->m_memfd, static_cast<off_t>(size)) != 0)
        return refused("memory");
    void* writable = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, region->m_memfd, 0);
    if (writable == MAP_FAILED)
        return refused("addresses");
    region->m_writable = static_cast<uint8_t*>(writable);
    void* executable = mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_NORESERVE, region->m_memfd, 0);
    if (executable == MAP_FAILED)
        return refused("executable memory");
    region->m_executable = static_cast<const uint8_t*>(executable);
    return region;
}

// Many pages at once cost much less than a fault for each. A host that cannot do so gives them as ever.
void CodeRegion::prepareMore(size_t end)
{
    constexpr size_t step = 256 << 10;
    const size_t wanted = std::min((end + step - 1) / step * step, m_size);
    madvise(m_writable + m_prepared, wanted - m_prepared, MADV_POPULATE_WRITE);
    m_prepared = std::max(wanted, end);
}

CodeRegion::~CodeRegion()
{
    if (m_writable)
        munmap(m_writable, m_size);
    if (m_executable)
        munmap(const_cast<uint8_t*>(m_executable), m_size);
    if (m_memfd >= 0)
        close(m_memfd);
}

} // namespace namsan
