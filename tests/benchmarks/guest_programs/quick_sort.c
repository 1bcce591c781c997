// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers in order, by a comparison that is called through a pointer, as the C library does it.
#include "benchmark.h"

enum { length = 4000, iterations = 2 };

static uint32_t numbers[length];

typedef int (*Comparison)(const void*, const void*);

__attribute__((noinline)) static int compareNumbers(const void* one, const void* other)
{
    const uint32_t a = *(const uint32_t*)one;
    const uint32_t b = *(const uint32_t*)other;
    return a < b ? -1 : a > b;
}

static void exchange(uint32_t* one, uint32_t* other)
{
    const uint32_t kept = *one;
    *one = *other;
    *other = kept;
}

__attribute__((noinline)) static void sort(uint32_t* first, uint32_t* last, Comparison compare)
{
    while (first < last) {
        exchange(first, first + (last - first) / 2);
        uint32_t* border = first;
        for (uint32_t* each = first + 1; each <= last; ++each)
            if (compare(each, first) < 0)
                exchange(++border, each);
        exchange(first, border);
        if (border - first < last - border) {
            sort(first, border - 1, compare);
            first = border + 1;
        } else {
            sort(border + 1, last, compare);
            last = border - 1;
        }
    }
}

static uint32_t batch(void)
{
    uint32_t checksum = emptyChecksum;
    uint32_t state = 37;
    Comparison volatile compare = compareNumbers;
    for (int n = 0; n < iterations; ++n) {
        for (int at = 0; at < length; ++at)
            numbers[at] = nextRandom(&state);
        sort(numbers, numbers + length - 1, compare);
        for (int at = 0; at < length; at += 37)
            checksum = addToChecksum(checksum, numbers[at]);
    }
    return checksum;
}

BENCHMARK(quick_sort, iterations, batch, 0);
