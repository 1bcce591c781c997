// SPDX-License-Identifier: GPL-3.0-or-later
#include "benchmark.h"

#include <sys/wait.h>
#include <unistd.h>

enum { iterations = 10 };

static uint32_t batch(void)
{
    uint32_t sum = 0;
    for (int n = 0; n < iterations; ++n) {
        const pid_t child = fork();
        if (child < 0)
            refused("fork");
        if (child == 0)
            _exit(n);
        int status = 0;
        waitpid(child, &status, 0);
        sum = sum * 31 + (uint32_t)status;
    }
    return sum;
}

BENCHMARK(fork, iterations, batch, 0);
