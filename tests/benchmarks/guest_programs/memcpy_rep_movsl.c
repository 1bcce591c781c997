// SPDX-License-Identifier: GPL-3.0-or-later
// 4 KiB by one string instruction.
#include "benchmark.h"

enum { length = 1024, iterations = 10000 };

static uint32_t from[length];
static uint32_t to[length];

static void prepare(void)
{
    uint32_t state = 17;
    for (uint32_t n = 0; n < length; ++n)
        from[n] = nextRandom(&state);
}

static uint32_t batch(void)
{
    for (uint32_t n = 0; n < iterations; ++n) {
        from[n % length] = n;
        void* target = to;
        const void* source = from;
        uint32_t count = length;
        __asm__ volatile("rep movsl" : "+D"(target), "+S"(source), "+c"(count) : : "memory");
    }
    uint32_t checksum = emptyChecksum;
    for (uint32_t n = 0; n < length; n += 31)
        checksum = addToChecksum(checksum, to[n]);
    return checksum;
}

BENCHMARK(memcpy_rep_movsl, iterations, batch, prepare);
