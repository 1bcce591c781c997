// SPDX-License-Identifier: GPL-3.0-or-later
// A compressor of the LZ kind: a hash of four bytes finds an earlier place, matches become distance and length.
#include "benchmark.h"

#include <string.h>

enum { size = 32768, hashBits = 12, shortest = 4, longest = 255, iterations = 5 };

static uint8_t input[size];
static uint8_t output[size * 2];
static uint32_t lastPlace[1 << hashBits];

static void prepare(void)
{
    uint32_t state = 31;
    uint32_t at = 0;
    while (at < size) {
        uint32_t length = nextRandom(&state) % 24 + 1;
        if (at > 256 && nextRandom(&state) % 4 != 0) {
            const uint32_t from = at - 1 - nextRandom(&state) % 255;
            for (uint32_t n = 0; n < length && at < size; ++n)
                input[at++] = input[from + n];
        } else {
            for (; length > 0 && at < size; --length)
                input[at++] = (uint8_t)(nextRandom(&state) % 64 + 32);
        }
    }
}

static uint32_t wordAt(uint32_t at)
{
    uint32_t word;
    memcpy(&word, input + at, sizeof word);
    return word;
}

static uint32_t matchLength(uint32_t one, uint32_t other)
{
    uint32_t length = 0;
    while (length < longest && other + length < size && input[one + length] == input[other + length])
        ++length;
    return length;
}

__attribute__((noinline)) static uint32_t compress(void)
{
    uint8_t* to = output;
    memset(lastPlace, 0, sizeof lastPlace);
    for (uint32_t at = 0; at < size;) {
        uint32_t length = 0;
        uint32_t from = 0;
        if (at + shortest <= size) {
            uint32_t* const place = &lastPlace[wordAt(at) * 2654435761u >> (32 - hashBits)];
            from = *place;
            *place = at;
            if (from < at && at - from < 65536 && wordAt(from) == wordAt(at))
                length = matchLength(from, at);
        }
        if (length >= shortest) {
            *to++ = 0;
            *to++ = (uint8_t)length;
            *to++ = (uint8_t)(at - from);
            *to++ = (uint8_t)((at - from) >> 8);
            at += length;
        } else {
            *to++ = input[at++];
        }
    }
    return (uint32_t)(to - output);
}

static uint32_t batch(void)
{
    uint32_t checksum = emptyChecksum;
    for (int n = 0; n < iterations; ++n) {
        input[n * 100] ^= 1; // so that no two are alike
        const uint32_t length = compress();
        input[n * 100] ^= 1;
        for (uint32_t at = 0; at < length; at += 8)
            checksum = (checksum ^ output[at]) * 16777619u;
        checksum = addToChecksum(checksum, length);
    }
    return checksum;
}

BENCHMARK(lz_compression, iterations, batch, prepare);
