// SPDX-License-Identifier: GPL-3.0-or-later
// 64 KiB in pieces of 64 bytes through four SSE registers.
#include "benchmark.h"

#include <emmintrin.h>

enum { size = 65536, iterations = 200 };

static __m128i from[size / 16];
static __m128i to[size / 16];

static void prepare(void)
{
    uint32_t state = 13;
    for (uint32_t n = 0; n < size / 4; ++n)
        ((uint32_t*)from)[n] = nextRandom(&state);
}

__attribute__((noinline)) static void copy(__m128i* target, const __m128i* source)
{
    for (uint32_t n = 0; n < size / 16; n += 4) {
        const __m128i a = _mm_loadu_si128(source + n);
        const __m128i b = _mm_loadu_si128(source + n + 1);
        const __m128i c = _mm_loadu_si128(source + n + 2);
        const __m128i d = _mm_loadu_si128(source + n + 3);
        _mm_store_si128(target + n, a);
        _mm_store_si128(target + n + 1, b);
        _mm_store_si128(target + n + 2, c);
        _mm_store_si128(target + n + 3, d);
    }
}

static uint32_t batch(void)
{
    for (uint32_t n = 0; n < iterations; ++n) {
        ((uint32_t*)from)[n] = n;
        copy(to, from);
    }
    uint32_t checksum = emptyChecksum;
    for (uint32_t n = 0; n < size / 4; n += 127)
        checksum = addToChecksum(checksum, ((const uint32_t*)to)[n]);
    return checksum;
}

BENCHMARK(memcpy_sse, iterations, batch, prepare);
