// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <stdint.h>

// A whole stream of instructions for the host CPU, in the manner of native_case.h: from a state to the first INT3 or
// fault. Plain C, the same layout in 32 and 64 bits.

enum {
    nativeStreamCodePage
    = 0x00180000, // three pages of INT3, to be read but not written, of which a stream fills a part
    nativeStreamCodePages = 3,
    nativeStreamCodeBytes = 1024,
    nativeStreamMemory = 0x00280000, // two pages; those beside them are not there
    nativeStreamMemoryBytes = 8192,
};

struct NativeStream {
    uint8_t code[nativeStreamCodeBytes]; // filled up with INT3
    uint32_t codeAddress; // where its first byte goes
    uint32_t trap; // exception vector that ended it, written by the runner: 3 is an INT3
    uint32_t errorCode;
    uint32_t cr2;
    uint32_t done;
    // For guests, not for the native runner:
    uint32_t endsAt; // where the interpreter came to its INT3
    uint32_t pageRights; // of the pages, three of code and two of memory: two bits each, present and writable; 0: all
    uint32_t reserved;
    uint16_t selectors[8]; // by SegmentIndex; 0 in CS: as for the native runner
    // The state, before and then after.
    uint32_t gpr[8]; // in encoding order
    uint32_t eip;
    uint32_t eflags;
    uint8_t fxsave[512] __attribute__((aligned(16)));
    uint8_t memory[nativeStreamMemoryBytes];
};
