// SPDX-License-Identifier: GPL-3.0-or-later
// The program that holds all guest programs:
//
//   guest_programs run NAME MILLISECONDS          one of them, for at least that long
//   guest_programs time NAME FILE COMMAND...      a command with its output in the file
//   guest_programs text BYTES                     text to work on, the same everywhere
//   guest_programs nothing                        for those who start programs
//
// What it measures goes to standard output as
//
//   ! BEGIN: NAME
//   ! VALUE: NAME NANOSECONDS ns CHECKSUM         of one iteration
//   ! PERF: NAME SECONDS s ok                     (or failed) since BEGIN, by the guest's clock
#include "benchmark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const struct Benchmark* const __start_benchmarks[];
extern const struct Benchmark* const __stop_benchmarks[];

uint64_t nowNanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void refused(const char* what)
{
    printf("! REFUSED: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void printBegin(const char* name)
{
    printf("! BEGIN: %s\n", name);
    fflush(stdout);
}

// Without floating point, which may be what is wrong in the machine that is measured.
static void printEnd(const char* name, uint64_t began, int ok)
{
    const uint64_t microseconds = (nowNanoseconds() - began) / 1000;
    printf("! PERF: %s %" PRIu64 ".%06" PRIu64 " s %s\n", name, microseconds / 1000000, microseconds % 1000000,
        ok ? "ok" : "failed");
    fflush(stdout);
}

static void printValue(const char* name, uint64_t picoseconds, uint32_t checksum)
{
    printf("! VALUE: %s %" PRIu64 ".%03" PRIu64 " ns %08" PRIx32 "\n", name, picoseconds / 1000, picoseconds % 1000,
        checksum);
}

// So many batches that they should take a little longer than the target.
static uint64_t nextCount(uint64_t count, uint64_t elapsed, uint64_t target)
{
    if (elapsed * 16 < target)
        return count * 8;
    return count * target / elapsed + count / 8 + 1;
}

// The time of that many batches, or 0 after one whose checksum was wrong.
static uint64_t timeBatches(const struct Benchmark* benchmark, uint64_t count, uint32_t expected)
{
    const uint64_t start = nowNanoseconds();
    for (uint64_t n = 0; n < count; ++n) {
        const uint32_t checksum = benchmark->batch();
        if (checksum == expected)
            continue;
        printf("! DIFFERS: %s %08" PRIx32 " after %08" PRIx32 "\n", benchmark->name, checksum, expected);
        return 0;
    }
    return nowNanoseconds() - start + 1;
}

// The fastest of several measurements: what else the host does can only add to them.
static int runBenchmark(const struct Benchmark* benchmark, uint64_t target)
{
    enum { measurements = 5 };
    printBegin(benchmark->name);
    const uint64_t began = nowNanoseconds();
    if (benchmark->prepare)
        benchmark->prepare();
    const uint32_t expected = benchmark->batch();
    uint64_t fastest = UINT64_MAX; // picoseconds of an iteration
    uint64_t count = 1;
    for (int measured = 0; measured < measurements;) {
        const uint64_t elapsed = timeBatches(benchmark, count, expected);
        if (elapsed == 0) {
            printEnd(benchmark->name, began, 0);
            return 1;
        }
        if (elapsed < target / measurements) {
            count = nextCount(count, elapsed, target / measurements);
            continue;
        }
        const uint64_t picoseconds = elapsed * 1000 / (count * benchmark->iterations);
        fastest = picoseconds < fastest ? picoseconds : fastest;
        ++measured;
    }
    printValue(benchmark->name, fastest, expected);
    printEnd(benchmark->name, began, 1);
    return 0;
}

static int runNamed(const char* name, const char* milliseconds)
{
    for (const struct Benchmark* const* entry = __start_benchmarks; entry != __stop_benchmarks; ++entry)
        if (strcmp((*entry)->name, name) == 0)
            return runBenchmark(*entry, strtoull(milliseconds, NULL, 10) * 1000000);
    printf("! REFUSED: there is no guest program \"%s\"\n", name);
    return 1;
}

static uint32_t checksumOfFile(const char* path)
{
    static unsigned char bytes[65536];
    uint32_t checksum = emptyChecksum;
    const int file = open(path, O_RDONLY);
    ssize_t length;
    if (file < 0)
        refused(path);
    while ((length = read(file, bytes, sizeof bytes)) > 0)
        for (ssize_t n = 0; n < length; ++n)
            checksum = (checksum ^ bytes[n]) * 16777619u;
    close(file);
    return checksum;
}

static int runTo(const char* path, char** command)
{
    const pid_t child = fork();
    if (child < 0)
        refused("fork");
    if (child == 0) {
        const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (file < 0 || dup2(file, STDOUT_FILENO) < 0)
            _exit(126);
        execvp(command[0], command);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

static int timeCommand(const char* name, const char* path, char** command)
{
    printBegin(name);
    const uint64_t began = nowNanoseconds();
    const int status = runTo(path, command);
    const uint64_t elapsed = nowNanoseconds() - began;
    if (status == 0)
        printValue(name, elapsed * 1000, checksumOfFile(path));
    printEnd(name, began, status == 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Words of a small language in lines of some 60 characters, so that text tools find something to do.
static int writeText(uint32_t bytes)
{
    static const char* const syllables[]
        = { "na", "mo", "ri", "sel", "tun", "ka", "be", "lor", "is", "ha", "gan", "pu", "en", "dol", "vi", "shu" };
    uint32_t state = 2463534242u;
    uint32_t written = 0;
    while (written < bytes) {
        int column = printf("%" PRIu32, nextRandom(&state) % 1000000);
        while (column < 60) {
            column += printf(" ");
            // The smaller of two: frequent words and rare ones.
            for (uint32_t n = nextRandom(&state) % 3 + 1; n > 0; --n) {
                const uint32_t one = nextRandom(&state) % 16;
                const uint32_t other = nextRandom(&state) % 16;
                column += printf("%s", syllables[one < other ? one : other]);
            }
        }
        written += (uint32_t)column + 1;
        putchar('\n');
    }
    return 0;
}

int main(int count, char** arguments)
{
    if (count == 2 && strcmp(arguments[1], "nothing") == 0)
        return 0;
    if (count == 4 && strcmp(arguments[1], "run") == 0)
        return runNamed(arguments[2], arguments[3]);
    if (count >= 5 && strcmp(arguments[1], "time") == 0)
        return timeCommand(arguments[2], arguments[3], arguments + 4);
    if (count == 3 && strcmp(arguments[1], "text") == 0)
        return writeText((uint32_t)strtoul(arguments[2], NULL, 10));
    fprintf(stderr, "guest_programs: the arguments are not understood; main.c explains them.\n");
    return 2;
}
