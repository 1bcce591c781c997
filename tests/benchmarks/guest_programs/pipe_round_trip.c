// SPDX-License-Identifier: GPL-3.0-or-later
// A byte to another process and back; both stay on one processor.
#define _GNU_SOURCE
#include "benchmark.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { iterations = 200 };

static int there[2];
static int back[2];

static void answerForEver(void)
{
    uint8_t byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(there[0], &byte, 1) == 1) {
        byte = (uint8_t)(byte * 3 + 1);
        if (write(back[1], &byte, 1) != 1)
            break;
    }
    _exit(0);
}

static void prepare(void)
{
    cpu_set_t current;
    CPU_ZERO(&current);
    CPU_SET(sched_getcpu(), &current);
    sched_setaffinity(0, sizeof current, &current);
    if (pipe(there) != 0 || pipe(back) != 0)
        refused("pipe");
    const pid_t child = fork();
    if (child < 0)
        refused("fork");
    if (child == 0)
        answerForEver();
}

static uint32_t batch(void)
{
    uint32_t checksum = emptyChecksum;
    for (int n = 0; n < iterations; ++n) {
        uint8_t byte = (uint8_t)n;
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            refused("the pipe");
        checksum = addToChecksum(checksum, byte);
    }
    return checksum;
}

BENCHMARK(pipe_round_trip, iterations, batch, prepare);
