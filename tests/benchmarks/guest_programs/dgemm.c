// SPDX-License-Identifier: GPL-3.0-or-later
// Flags: -mfpmath=sse
// The product of two matrices of 48 by 48 numbers of double precision, two columns at a time.
#include "benchmark.h"

#include <emmintrin.h>
#include <string.h>

enum { order = 48, iterations = 16 };

static __m128d left[order][order / 2];
static __m128d right[order][order / 2];
static __m128d product[order][order / 2];

static void prepare(void)
{
    uint32_t state = 19;
    for (int row = 0; row < order; ++row)
        for (int column = 0; column < order; ++column) {
            ((double*)left[row])[column] = (double)(int32_t)nextRandom(&state) / 65536.0;
            ((double*)right[row])[column] = (double)(int32_t)nextRandom(&state) / 65536.0;
        }
}

__attribute__((noinline)) static void multiply(void)
{
    for (int row = 0; row < order; ++row)
        for (int column = 0; column < order / 2; ++column) {
            __m128d sum = _mm_setzero_pd();
            for (int n = 0; n < order; ++n)
                sum = _mm_add_pd(sum, _mm_mul_pd(_mm_set1_pd(((const double*)left[row])[n]), right[n][column]));
            product[row][column] = sum;
        }
}

static uint32_t batch(void)
{
    for (int n = 0; n < iterations; ++n) {
        ((double*)left[n])[0] = n;
        multiply();
    }
    uint32_t checksum = emptyChecksum;
    uint32_t words[2];
    for (int row = 0; row < order; ++row) {
        memcpy(words, (const double*)product[row] + row, sizeof words);
        checksum = addToChecksum(addToChecksum(checksum, words[0]), words[1]);
    }
    return checksum;
}

BENCHMARK(dgemm, iterations, batch, prepare);
