// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>

// How many random streams are run, and which.
//
// NAMSAN_STREAM_INSTRUCTIONS (how many in all) and NAMSAN_STREAM_SEED (of the first stream; the next has the next one)
// change the default run, which is the same each time. A report's seed with NAMSAN_STREAM_INSTRUCTIONS=1 repeats it.
// NAMSAN_STREAM_SECONDS lets the streams against the translator go on at least for so long.
namespace namsan {

struct StreamSettings {
    static uint64_t setting(const char* name, uint64_t otherwise)
    {
        const char* value = std::getenv(name);
        return value ? std::strtoull(value, nullptr, 0) : otherwise;
    }

    uint64_t instructions;
    uint64_t firstSeed = setting("NAMSAN_STREAM_SEED", 20260101);

    // share: of the instructions that are asked for; engines that are slower get less.
    explicit StreamSettings(uint64_t otherwise, uint64_t share = 1)
        : instructions(setting("NAMSAN_STREAM_INSTRUCTIONS", otherwise * share) / share)
    {
    }

    // Whether there are to be more after so many instructions.
    bool goOnAfter(uint64_t ran) const
    {
        return ran < instructions || (m_seconds > 0 && Clock::now() - m_begin < std::chrono::seconds(m_seconds));
    }

    static unsigned lengthOf(uint64_t seed) { return 8 + static_cast<unsigned>(seed % 56); }

private:
    using Clock = std::chrono::steady_clock;

    uint64_t m_seconds = setting("NAMSAN_STREAM_SECONDS", 0);
    Clock::time_point m_begin = Clock::now();
};

} // namespace namsan
