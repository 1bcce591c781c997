// SPDX-License-Identifier: GPL-3.0-or-later
#include "benchmark.h"

enum { argument = 20, iterations = 20 };

__attribute__((noinline, optimize("no-optimize-sibling-calls"))) static uint32_t fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint32_t batch(void)
{
    uint32_t sum = 0;
    for (uint32_t n = 0; n < iterations; ++n)
        sum += fibonacci(argument + n % 2);
    return sum;
}

BENCHMARK(recursive_fibonacci, iterations, batch, 0);
