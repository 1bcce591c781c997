// SPDX-License-Identifier: GPL-3.0-or-later
// A random cycle through 16 KiB: each load needs the one before.
#include "benchmark.h"

enum { length = 16384 / 4, iterations = 400000 };

static void* cells[length];

static void prepare(void)
{
    static uint16_t order[length];
    uint32_t state = 7;
    for (uint32_t n = 0; n < length; ++n)
        order[n] = (uint16_t)n;
    for (uint32_t n = length - 1; n > 0; --n) {
        const uint32_t other = nextRandom(&state) % (n + 1);
        const uint16_t kept = order[n];
        order[n] = order[other];
        order[other] = kept;
    }
    for (uint32_t n = 0; n < length; ++n)
        cells[order[n]] = &cells[order[(n + 1) % length]];
}

static uint32_t batch(void)
{
    void** cell = cells;
    for (uint32_t n = 0; n < iterations; ++n)
        cell = *cell;
    return (uint32_t)((void**)cell - cells);
}

BENCHMARK(pointer_chase, iterations, batch, prepare);
