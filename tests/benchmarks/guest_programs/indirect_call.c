// SPDX-License-Identifier: GPL-3.0-or-later
// Calls through a table of 16 functions in an order that no predictor of one target knows.
#include "benchmark.h"

enum { iterations = 100000, orderLength = 256 };

#define TARGET(n)                                                                                                      \
    __attribute__((noinline)) static uint32_t target##n(uint32_t x)                                                    \
    {                                                                                                                  \
        return x * 3u + n##u;                                                                                          \
    }
TARGET(0)
TARGET(1)
TARGET(2)
TARGET(3) TARGET(4) TARGET(5) TARGET(6) TARGET(7) TARGET(8) TARGET(9) TARGET(10) TARGET(11) TARGET(12) TARGET(13)
    TARGET(14) TARGET(15)

        typedef uint32_t (*Target)(uint32_t);

static const Target targets[16] = { target0, target1, target2, target3, target4, target5, target6, target7, target8,
    target9, target10, target11, target12, target13, target14, target15 };
static Target order[orderLength];

static void prepare(void)
{
    uint32_t state = 43;
    for (int n = 0; n < orderLength; ++n)
        order[n] = targets[nextRandom(&state) >> 28];
}

static uint32_t batch(void)
{
    uint32_t x = 1;
    for (uint32_t n = 0; n < iterations; ++n)
        x = order[n % orderLength](x);
    return x;
}

BENCHMARK(indirect_call, iterations, batch, prepare);
