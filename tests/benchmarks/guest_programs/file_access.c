// SPDX-License-Identifier: GPL-3.0-or-later
// stat, open, read and close of a small file.
#include "benchmark.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { iterations = 300, size = 512 };

static const char path[] = "file_access.data";

static void prepare(void)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    uint8_t bytes[size];
    for (int n = 0; n < size; ++n)
        bytes[n] = (uint8_t)(n * 7);
    if (file < 0 || write(file, bytes, size) != size)
        refused("a file");
    close(file);
}

static uint32_t batch(void)
{
    uint32_t checksum = emptyChecksum;
    for (int n = 0; n < iterations; ++n) {
        struct stat status;
        uint8_t bytes[size];
        const int known = stat(path, &status);
        const int file = open(path, O_RDONLY);
        if (known != 0 || file < 0 || read(file, bytes, size) != size)
            refused("the file");
        close(file);
        checksum = addToChecksum(checksum, (uint32_t)status.st_size + bytes[n]);
    }
    return checksum;
}

BENCHMARK(file_access, iterations, batch, prepare);
