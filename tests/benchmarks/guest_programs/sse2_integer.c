// SPDX-License-Identifier: GPL-3.0-or-later
// A picture is blended and its difference summed: packed additions, multiplications, shuffles and sums.
#include "benchmark.h"

#include <emmintrin.h>

enum { size = 16384, iterations = 200 };

static __m128i one[size / 16];
static __m128i other[size / 16];

static void prepare(void)
{
    uint32_t state = 23;
    for (uint32_t n = 0; n < size / 4; ++n) {
        ((uint32_t*)one)[n] = nextRandom(&state);
        ((uint32_t*)other)[n] = nextRandom(&state);
    }
}

__attribute__((noinline)) static uint32_t blend(int weight)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i weights = _mm_set1_epi16((short)weight);
    __m128i sum = zero;
    for (uint32_t n = 0; n < size / 16; ++n) {
        const __m128i a = one[n];
        const __m128i b = other[n];
        const __m128i low = _mm_srli_epi16(_mm_mullo_epi16(_mm_unpacklo_epi8(a, zero), weights), 8);
        const __m128i high = _mm_srli_epi16(_mm_mullo_epi16(_mm_unpackhi_epi8(a, zero), weights), 8);
        const __m128i mixed = _mm_adds_epu8(_mm_packus_epi16(low, high), _mm_subs_epu8(b, a));
        sum = _mm_add_epi64(sum, _mm_sad_epu8(mixed, b));
        sum = _mm_add_epi32(sum, _mm_madd_epi16(_mm_shuffle_epi32(mixed, 0x1b), weights));
    }
    uint32_t words[4];
    _mm_storeu_si128((__m128i*)words, sum);
    return words[0] ^ words[1] ^ words[2] ^ words[3];
}

static uint32_t batch(void)
{
    uint32_t checksum = emptyChecksum;
    for (int n = 0; n < iterations; ++n)
        checksum = addToChecksum(checksum, blend(n + 1));
    return checksum;
}

BENCHMARK(sse2_integer, iterations, batch, prepare);
