// SPDX-License-Identifier: GPL-3.0-or-later
#include "benchmark.h"

#include <stdio.h>

enum { iterations = 4000 };

static uint32_t batch(void)
{
    uint32_t checksum = emptyChecksum;
    uint32_t state = 41;
    char line[96];
    for (int n = 0; n < iterations; ++n) {
        const uint32_t number = nextRandom(&state);
        const int length = snprintf(
            line, sizeof line, "%d %08x %-8s|%5u", (int)number, (unsigned)number, "name", (unsigned)(number & 0xffff));
        checksum = addToChecksum(checksum, (uint32_t)length ^ (uint32_t)line[length / 2] << 8);
    }
    return checksum;
}

BENCHMARK(sprintf, iterations, batch, 0);
