// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdint.h>

// What the differential tests and the program that runs instructions on the host CPU tell each other: an array of these
// in a file that both map. Plain C, the same layout in 32 and 64 bits.

enum {
    nativeCodePage = 0x00100000, // the instruction is in the middle one of three pages, the rest are INT3
    nativeCodePages = 3,
    nativeDataPage = 0x00200000, // operands in memory; the pages beside it are not there
    nativeMemoryBytes = 1024, // how much of the data page a case describes, its end
    nativeMemory = 0x00200c00,
    nativeCodeBytes = 16,
};

struct NativeState {
    uint32_t gpr[8]; // in encoding order
    uint32_t eip;
    uint32_t eflags;
    uint8_t fxsave[512] __attribute__((aligned(16)));
    uint8_t memory[nativeMemoryBytes];
};

struct NativeCase {
    uint8_t code[nativeCodeBytes]; // filled up with INT3
    uint32_t codeAddress; // where its first byte goes
    uint32_t reserved[3];
    struct NativeState before;
    struct NativeState after; // written by the runner, as are those below
    uint32_t trap; // exception vector that ended the case: 3 is the INT3 after the instruction
    uint32_t errorCode;
    uint32_t cr2;
    uint32_t done;
};
