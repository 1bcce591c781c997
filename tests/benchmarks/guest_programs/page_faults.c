// SPDX-License-Identifier: GPL-3.0-or-later
// An iteration is 256 fresh pages: mapped, touched one by one, given back.
#include "benchmark.h"

#include <sys/mman.h>

enum { iterations = 8, pages = 256, pageSize = 4096 };

static uint32_t batch(void)
{
    uint32_t sum = 0;
    for (uint32_t n = 0; n < iterations; ++n) {
        uint8_t* const memory = mmap(0, pages * pageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            refused("memory to touch");
        madvise(memory, pages * pageSize, MADV_NOHUGEPAGE); // fails where there are none, which is as good
        for (uint32_t page = 0; page < pages; ++page) {
            sum += memory[page * pageSize + 1]; // 0
            memory[page * pageSize] = (uint8_t)page;
        }
        for (uint32_t page = 0; page < pages; ++page)
            sum += memory[page * pageSize];
        munmap(memory, pages * pageSize);
    }
    return sum;
}

BENCHMARK(page_faults, iterations, batch, 0);
