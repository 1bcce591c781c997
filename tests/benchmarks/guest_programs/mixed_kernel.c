// SPDX-License-Identifier: GPL-3.0-or-later
// What CoreMark is made of, in small: a list that is searched and turned round, a matrix of 16-bit numbers, a state
// machine over text, and a cyclic redundancy check over what they come to.
#include "benchmark.h"

enum { iterations = 400, listLength = 64, order = 8 };

struct Node {
    struct Node* next;
    int16_t key;
    int16_t value;
};

static struct Node nodes[listLength];
static struct Node* first;
static int16_t left[order][order];
static int16_t right[order][order];
static const char text[] = "12,-5.5,+7e3,abc,0x1f,3.14159e-2,,99999,--1,1.2.3,e5,42;";

static void prepare(void)
{
    uint32_t state = 99;
    for (int n = 0; n < listLength; ++n) {
        nodes[n].key = (int16_t)(nextRandom(&state) & 0x7fff);
        nodes[n].value = (int16_t)n;
        nodes[n].next = n + 1 < listLength ? &nodes[n + 1] : 0;
    }
    first = nodes;
    for (int row = 0; row < order; ++row)
        for (int column = 0; column < order; ++column) {
            left[row][column] = (int16_t)nextRandom(&state);
            right[row][column] = (int16_t)nextRandom(&state);
        }
}

static uint32_t crc16(uint32_t crc, uint32_t word)
{
    for (int bit = 0; bit < 16; ++bit, word >>= 1)
        crc = ((crc ^ word) & 1) ? (crc >> 1) ^ 0xa001 : crc >> 1;
    return crc;
}

static struct Node* reversed(struct Node* list)
{
    struct Node* result = 0;
    while (list) {
        struct Node* const next = list->next;
        list->next = result;
        result = list;
        list = next;
    }
    return result;
}

static uint32_t smallestAbove(const struct Node* list, int16_t bound)
{
    const struct Node* best = 0;
    for (; list; list = list->next)
        if (list->key > bound && (!best || list->key < best->key))
            best = list;
    return best ? (uint32_t)best->value : 0;
}

static uint32_t matrixSum(int16_t offset)
{
    uint32_t sum = 0;
    for (int row = 0; row < order; ++row)
        for (int column = 0; column < order; ++column) {
            int32_t product = 0;
            for (int n = 0; n < order; ++n)
                product += (int16_t)(left[row][n] + offset) * right[n][column];
            sum += (uint32_t)(product >> 4);
        }
    return sum;
}

enum State { Start, Sign, Digits, Fraction, Exponent, Invalid };

static enum State after(enum State state, char c)
{
    const int digit = c >= '0' && c <= '9';
    switch (state) {
    case Start:
        return digit ? Digits : c == '+' || c == '-' ? Sign : c == '.' ? Fraction : Invalid;
    case Sign:
        return digit ? Digits : c == '.' ? Fraction : Invalid;
    case Digits:
        return digit ? Digits : c == '.' ? Fraction : c == 'e' ? Exponent : Invalid;
    case Fraction:
        return digit ? Fraction : c == 'e' ? Exponent : Invalid;
    case Exponent:
        return digit || c == '-' || c == '+' ? Exponent : Invalid;
    case Invalid:
        break;
    }
    return Invalid;
}

static uint32_t statesSeen(void)
{
    uint32_t seen[Invalid + 1] = { 0 };
    enum State state = Start;
    for (const char* c = text; *c; ++c) {
        if (*c == ',' || *c == ';') {
            ++seen[state];
            state = Start;
        } else {
            state = after(state, *c);
        }
    }
    return seen[Digits] + (seen[Fraction] << 4) + (seen[Exponent] << 8) + (seen[Invalid] << 12);
}

static uint32_t batch(void)
{
    uint32_t crc = 0xffff;
    for (int n = 0; n < iterations; ++n) {
        first = reversed(first);
        crc = crc16(crc, smallestAbove(first, (int16_t)(n * 64)));
        crc = crc16(crc, matrixSum((int16_t)n));
        crc = crc16(crc, statesSeen());
    }
    return crc;
}

BENCHMARK(mixed_kernel, iterations, batch, prepare);
