// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace namsan {

constexpr auto longEnough = std::chrono::seconds(20); // for what takes milliseconds; sanitizers and busy hosts are slow

// Waits for what other threads bring about; false where that takes too long.
inline bool comesTrue(const std::function<bool()>& condition)
{
    const auto deadline = std::chrono::steady_clock::now() + longEnough;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::yield();
    }
    return true;
}

} // namespace namsan
