// SPDX-License-Identifier: GPL-3.0-or-later
#include "benchmark.h"

enum { length = 4096, iterations = 200 };

static uint32_t left[length];
static uint32_t right[length];
static uint32_t sum[length];

static void prepare(void)
{
    uint32_t state = 11;
    for (uint32_t n = 0; n < length; ++n) {
        left[n] = nextRandom(&state);
        right[n] = nextRandom(&state);
    }
}

__attribute__((noinline)) static void add(uint32_t* to, const uint32_t* one, const uint32_t* other)
{
    for (uint32_t n = 0; n < length; ++n)
        to[n] = one[n] + other[n];
}

static uint32_t batch(void)
{
    for (uint32_t n = 0; n < iterations; ++n) {
        left[n] = n;
        add(sum, left, right);
    }
    uint32_t checksum = emptyChecksum;
    for (uint32_t n = 0; n < length; n += 61)
        checksum = addToChecksum(checksum, sum[n]);
    return checksum;
}

BENCHMARK(stream_add, iterations, batch, prepare);
