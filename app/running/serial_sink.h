// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace namsan {

// Where a guest's serial output goes as it comes: a file, or standard output. Each piece is with the kernel when
// write() returns, so nothing is lost however the program ends.
//
// A reader that does not read (a stopped pager behind a pipe) holds the guest up, as on a real serial line with
// handshake; abandon() lets it go.
class SerialSink {
public:
    // "stdio" or the path of a file, which is emptied first. Fails with a sentence for the user.
    static Result<std::unique_ptr<SerialSink>> open(const std::string& where);
    ~SerialSink();
    SerialSink(const SerialSink&) = delete;
    SerialSink& operator=(const SerialSink&) = delete;

    // One thread at a time. Returns false from the moment on at which nothing can be written any more.
    bool write(std::span<const uint8_t>);
    void abandon() { m_abandoned = true; } // any thread

    // Why writing ended, or 0. Any thread.
    int errorNumber() const { return m_error; }

private:
    SerialSink(int descriptor, bool owned);

    int m_descriptor;
    bool m_owned;
    std::atomic<bool> m_abandoned = false;
    std::atomic<int> m_error = 0;
};

} // namespace namsan
