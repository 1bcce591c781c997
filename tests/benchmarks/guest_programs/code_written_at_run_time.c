// SPDX-License-Identifier: GPL-3.0-or-later
// What a just-in-time compiler does to a small function: writes it, runs it a few times, writes another in its place.
#include "benchmark.h"

#include <string.h>
#include <sys/mman.h>

enum { iterations = 2000, runs = 8 };

static uint8_t* code;

static void prepare(void)
{
    code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        refused("memory for code");
}

static void put(uint8_t** at, uint8_t operation, uint32_t operand)
{
    *(*at)++ = operation;
    memcpy(*at, &operand, sizeof operand);
    *at += sizeof operand;
}

// f(x) = ((x + seed) ^ 3 * seed) - seed / 2, by the calling convention that passes x in EAX.
static void writeFunction(uint32_t seed)
{
    uint8_t* at = code;
    put(&at, 0x05, seed); // add eax, seed
    put(&at, 0x35, seed * 3); // xor eax, 3 * seed
    put(&at, 0x2d, seed / 2); // sub eax, seed / 2
    *at = 0xc3; // ret
}

static uint32_t batch(void)
{
    typedef uint32_t (*Function)(uint32_t) __attribute__((regparm(1)));
    uint32_t x = 1;
    for (uint32_t n = 0; n < iterations; ++n) {
        writeFunction(n * 2654435761u);
        __asm__ volatile("" : : : "memory");
        for (int run = 0; run < runs; ++run)
            x = ((Function)(uintptr_t)code)(x);
    }
    return x;
}

BENCHMARK(code_written_at_run_time, iterations, batch, prepare);
