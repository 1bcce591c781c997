// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <sys/ioctl.h>
#include <vector>

namespace namsan {

// One call of the host's KVM; what says in words what it was for: "KVM refused <what> (<errno>)."
template <class Argument>
Result<void> kvmCall(int file, unsigned long request, Argument argument, std::string_view what)
{
    if (ioctl(file, request, argument) >= 0)
        return {};
    return Error { fmt::format("The host's KVM refused {} ({}). The software CPU (--engine soft) does without KVM.",
        what, std::strerror(errno)) };
}

// The kernel's structures that end in an array whose length they hold.
template <class Head, class Entry> class KvmList {
public:
    explicit KvmList(size_t count)
        : m_words((sizeof(Head) + count * sizeof(Entry) + sizeof(uint64_t) - 1) / sizeof(uint64_t))
    {
    }
    Head* head() { return reinterpret_cast<Head*>(m_words.data()); }
    Entry* entries() { return reinterpret_cast<Entry*>(reinterpret_cast<uint8_t*>(m_words.data()) + sizeof(Head)); }

private:
    std::vector<uint64_t> m_words;
};

} // namespace namsan
