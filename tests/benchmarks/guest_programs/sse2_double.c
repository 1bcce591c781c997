// SPDX-License-Identifier: GPL-3.0-or-later
// Flags: -mfpmath=sse
// Scalar double precision in SSE registers.
#include "benchmark.h"

#include <string.h>

enum { iterations = 50000 };

static uint32_t batch(void)
{
    volatile double start = 1.000001;
    double x = start;
    double sum = 0;
    for (uint32_t n = 0; n < iterations; ++n) {
        sum += x * 0.75 + 1.0 / (x + 2.0);
        x = x * 1.00001 - 0.000001;
        if (sum > 1.0e6)
            sum -= 1.0e6;
    }
    uint32_t words[2];
    memcpy(words, &sum, sizeof words);
    return words[0] ^ words[1];
}

BENCHMARK(sse2_double, iterations, batch, 0);
