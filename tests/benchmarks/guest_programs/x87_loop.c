// SPDX-License-Identifier: GPL-3.0-or-later
#include "benchmark.h"

#include <string.h>

enum { iterations = 50000 };

static uint32_t batch(void)
{
    volatile long double start = 1.000001L;
    long double x = start;
    long double sum = 0;
    for (uint32_t n = 0; n < iterations; ++n) {
        sum += x * 0.75L + 1.0L / (x + 2.0L);
        x = x * 1.00001L - 0.000001L;
        if (sum > 1.0e6L)
            sum -= 1.0e6L;
    }
    uint32_t words[3] = { 0 };
    memcpy(words, &sum, 10);
    return words[0] ^ words[1] ^ words[2];
}

BENCHMARK(x87_loop, iterations, batch, 0);
