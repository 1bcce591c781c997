// SPDX-License-Identifier: GPL-3.0-or-later
// A guest program is one file that ends in BENCHMARK(...): a batch of work that takes about a millisecond on real
// hardware and always comes to the same checksum. How long it is repeated is decided by main.c.
#pragma once

#include <stdint.h>

struct Benchmark {
    const char* name;
    uint32_t iterations; // in a batch; the figure that is printed is the time of one
    uint32_t (*batch)(void); // does them, and returns their checksum
    void (*prepare)(void); // once, not timed; may be null
};

// The linker collects the programs: nobody keeps a list of them.
#define BENCHMARK(name, iterations, batch, prepare)                                                                    \
    static const struct Benchmark name##_benchmark = { #name, iterations, batch, prepare };                            \
    __attribute__((section("benchmarks"), used)) static const struct Benchmark* const name##_entry = &name##_benchmark

// Nanoseconds of the guest's own clock.
uint64_t nowNanoseconds(void);

// Ends the program with a line that says what the guest's kernel refused.
__attribute__((noreturn)) void refused(const char* what);

// A small generator, the same everywhere (xorshift32; the seed must not be 0).
static inline uint32_t nextRandom(uint32_t* state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

// FNV-1a, 32 bits.
static const uint32_t emptyChecksum = 0x811c9dc5;
static inline uint32_t addToChecksum(uint32_t checksum, uint32_t word)
{
    for (int n = 0; n < 4; ++n, word >>= 8)
        checksum = (checksum ^ (word & 0xff)) * 16777619u;
    return checksum;
}
