// SPDX-License-Identifier: GPL-3.0-or-later
#include "benchmark.h"

enum { iterations = 200000 };

static uint32_t batch(void)
{
    uint32_t a = 1;
    uint32_t b = 0x12345678;
    for (uint32_t n = 0; n < iterations; ++n) {
        a += b ^ n;
        b = (b << 7 | b >> 25) * 0x9e3779b1u;
        a ^= a >> 11;
        if (a & 4)
            b -= n;
    }
    return a ^ b;
}

BENCHMARK(integer_loop, iterations, batch, 0);
