// SPDX-License-Identifier: GPL-3.0-or-later
// A function whose counter lies in its own page, 2 KiB away.
#include "benchmark.h"

#include <string.h>
#include <sys/mman.h>

enum { iterations = 20000, counterAt = 2048 };

static uint8_t* page;

static void prepare(void)
{
    page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        refused("memory for code");
    const uint32_t counter = (uint32_t)(uintptr_t)page + counterAt;
    page[0] = 0x83; // add dword [counter], 3
    page[1] = 0x05;
    memcpy(page + 2, &counter, sizeof counter);
    page[6] = 3;
    page[7] = 0xc3; // ret
}

static uint32_t batch(void)
{
    volatile uint32_t* const counter = (volatile uint32_t*)(page + counterAt);
    *counter = 0;
    for (uint32_t n = 0; n < iterations; ++n)
        ((void (*)(void))(uintptr_t)page)();
    return *counter;
}

BENCHMARK(store_beside_code, iterations, batch, prepare);
