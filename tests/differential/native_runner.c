// SPDX-License-Identifier: GPL-3.0-or-later

// Runs single instructions on the host CPU in 32-bit mode: native_runner FILE, an array of struct NativeCase.
//
// No assembly: a signal's frame holds every register there is, and returning from the handler loads them. So one
// handler does it all. Whatever ends a case (the INT3 behind the instruction, or its fault) brings the handler the
// state after it, and the handler leaves with the state before the next one.
#define _GNU_SOURCE
#include "native_case.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/ucontext.h>
#include <unistd.h>

// The FPU part of a 32-bit signal frame: FSAVE's 108 bytes with a status and a magic word, then FXSAVE's 512 bytes.
// x87 registers, control, status and tags are taken from the first part, the rest from the second. Linux,
// arch/x86/include/uapi/asm/sigcontext.h, struct _fpstate_32.
struct FpuFrame {
    uint32_t control;
    uint32_t status;
    uint32_t tags;
    uint32_t instructionOffset;
    uint32_t codeSelector;
    uint32_t dataOffset;
    uint32_t dataSelector;
    uint8_t registers[8][10];
    uint16_t statusAgain;
    uint16_t magic; // 0: the second part is there
    uint8_t fxsave[512];
};

enum { beginSignal = SIGUSR1 };

static struct NativeCase* cases;
static size_t caseCount;
static size_t current;
static const uint32_t initialFlags = 0x202;

static const int gprPlaces[8] = { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI };

static void fail(const char* what)
{
    perror(what);
    _exit(2);
}

static void takeState(const ucontext_t* context, struct NativeCase* done)
{
    const greg_t* registers = context->uc_mcontext.gregs;
    const struct FpuFrame* fpu = (const struct FpuFrame*)context->uc_mcontext.fpregs;
    for (int i = 0; i < 8; ++i)
        done->after.gpr[i] = (uint32_t)registers[gprPlaces[i]];
    done->after.eip = (uint32_t)registers[REG_EIP];
    done->after.eflags = (uint32_t)registers[REG_EFL];
    memcpy(done->after.fxsave, fpu->fxsave, sizeof fpu->fxsave);
    memcpy(done->after.memory, (const void*)nativeMemory, nativeMemoryBytes);
    done->trap = (uint32_t)registers[REG_TRAPNO];
    done->errorCode = (uint32_t)registers[REG_ERR];
    done->cr2 = (uint32_t)context->uc_mcontext.cr2;
    if (done->trap == 3)
        --done->after.eip;
    done->done = 1;
}

// The FSAVE form of the tag word: which of valid, zero and special a register is does not matter to a load.
static uint32_t wideTags(uint8_t narrow)
{
    uint32_t tags = 0;
    for (int i = 0; i < 8; ++i)
        if (!(narrow >> i & 1))
            tags |= 3u << (2 * i);
    return 0xffff0000 | tags;
}

static void giveState(ucontext_t* context, const struct NativeCase* next)
{
    greg_t* registers = context->uc_mcontext.gregs;
    struct FpuFrame* fpu = (struct FpuFrame*)context->uc_mcontext.fpregs;
    const struct NativeState* state = &next->before;
    for (int i = 0; i < 8; ++i)
        registers[gprPlaces[i]] = (greg_t)state->gpr[i];
    registers[REG_EIP] = (greg_t)state->eip;
    registers[REG_EFL] = (greg_t)(state->eflags | initialFlags);
    memcpy(fpu->fxsave, state->fxsave, 416); // the rest describes the frame itself
    const uint16_t* words = (const uint16_t*)state->fxsave;
    fpu->control = words[0];
    fpu->status = words[1];
    fpu->tags = wideTags(state->fxsave[4]);
    for (int i = 0; i < 8; ++i)
        memcpy(fpu->registers[i], state->fxsave + 32 + 16 * i, 10);
    memcpy((void*)nativeMemory, state->memory, nativeMemoryBytes);
    memcpy((void*)(uintptr_t)next->codeAddress, next->code, nativeCodeBytes);
}

static void onSignal(int number, siginfo_t* info, void* frame)
{
    (void)info;
    ucontext_t* context = frame;
    if (number != beginSignal) {
        takeState(context, &cases[current]);
        memset((void*)(uintptr_t)cases[current].codeAddress, 0xcc, nativeCodeBytes);
        ++current;
    }
    if (current == caseCount)
        _exit(0);
    giveState(context, &cases[current]);
}

static void mapPages(uint32_t address, size_t pages, int protection, int fill)
{
    void* at = mmap((void*)(uintptr_t)address, pages * 4096, PROT_READ | PROT_WRITE | protection,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != (void*)(uintptr_t)address)
        fail("The fixed addresses of the test cannot be mapped");
    memset(at, fill, pages * 4096);
}

int main(int argc, char** argv)
{
    if (argc != 2) {
        fputs("native_runner FILE: runs the cases in it\n", stderr);
        return 2;
    }
    const int file = open(argv[1], O_RDWR);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0)
        fail(argv[1]);
    caseCount = (size_t)status.st_size / sizeof(struct NativeCase);
    cases = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (cases == MAP_FAILED)
        fail("mmap");

    mapPages(nativeCodePage, nativeCodePages, PROT_EXEC, 0xcc);
    mapPages(nativeDataPage, 1, 0, 0);

    static uint8_t signalStack[1 << 16];
    const stack_t alternate = { .ss_sp = signalStack, .ss_size = sizeof signalStack };
    if (sigaltstack(&alternate, NULL) < 0)
        fail("sigaltstack");
    struct sigaction action = { .sa_sigaction = onSignal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    const int signals[] = { SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS, beginSignal };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; ++i)
        if (sigaction(signals[i], &action, NULL) < 0)
            fail("sigaction");
    alarm(60); // whatever loops for ever
    raise(beginSignal);
    return 1; // not reached: the handler ends the program
}
