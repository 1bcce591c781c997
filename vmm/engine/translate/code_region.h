// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace namsan {

// Memory for emitted code, mapped twice from one memfd: what can be written cannot be executed, and the other way
// round.
class CodeRegion {
public:
    // size in bytes, a multiple of the page size. Fails with a sentence where the host refuses executable memory
    // (a hardened kernel, a full /dev/shm quota); the interpreter works without.
    static Result<std::unique_ptr<CodeRegion>> create(size_t size);
    ~CodeRegion();
    CodeRegion(const CodeRegion&) = delete;
    CodeRegion& operator=(const CodeRegion&) = delete;

    size_t size() const { return m_size; }
    uint8_t* writable() const { return m_writable; }
    // Memory up to an offset will be written soon.
    void prepare(size_t end)
    {
        if (end > m_prepared)
            prepareMore(end);
    }
    const uint8_t* executable(const uint8_t* written) const { return m_executable + (written - m_writable); }

private:
    CodeRegion() = default;

    void prepareMore(size_t end);

    size_t m_size = 0;
    size_t m_prepared = 0;
    int m_memfd = -1;
    uint8_t* m_writable = nullptr;
    const uint8_t* m_executable = nullptr;
};

} // namespace namsan
