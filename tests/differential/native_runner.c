// SPDX-License-Identifier: GPL-3.0-or-later

// Runs single instructions on the host CPU in 32-bit mode: native_runner FILE, an array of struct NativeCase; and whole
// streams of them: native_runner --streams FILE, an array of struct NativeStream.
//
// No assembly: a signal's frame holds every register there is, and returning from the handler loads them. So one
// handler does it all. Whatever ends a case (the INT3 behind the instruction, or its fault) brings the handler the
// state after it, and the handler leaves with the state before the next one.
#define _GNU_SOURCE
#include "native_case.h"
#include "native_stream.h"

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

static struct NativeCase* cases; // or
static struct NativeStream* streams;
static uint8_t* streamCode; // the pages of the streams' code where they can be written
static size_t count;
static size_t current;
static const uint32_t initialFlags = 0x202;

static const int gprPlaces[8] = { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI };

static void fail(const char* what)
{
    perror(what);
    _exit(2);
}

static void takeRegisters(const ucontext_t* context, uint32_t* gpr, uint32_t* eip, uint32_t* eflags, uint8_t* fxsave)
{
    const greg_t* registers = context->uc_mcontext.gregs;
    const struct FpuFrame* fpu = (const struct FpuFrame*)context->uc_mcontext.fpregs;
    for (int i = 0; i < 8; ++i)
        gpr[i] = (uint32_t)registers[gprPlaces[i]];
    *eip = (uint32_t)registers[REG_EIP];
    if (registers[REG_TRAPNO] == 3)
        --*eip;
    *eflags = (uint32_t)registers[REG_EFL];
    memcpy(fxsave, fpu->fxsave, sizeof fpu->fxsave);
}

static void finishCase(const ucontext_t* context, struct NativeCase* done)
{
    const greg_t* registers = context->uc_mcontext.gregs;
    struct NativeState* after = &done->after;
    takeRegisters(context, after->gpr, &after->eip, &after->eflags, after->fxsave);
    memcpy(after->memory, (const void*)nativeMemory, nativeMemoryBytes);
    memset((void*)(uintptr_t)done->codeAddress, 0xcc, nativeCodeBytes);
    done->trap = (uint32_t)registers[REG_TRAPNO];
    done->errorCode = (uint32_t)registers[REG_ERR];
    done->cr2 = (uint32_t)context->uc_mcontext.cr2;
    done->done = 1;
}

static void finishStream(const ucontext_t* context, struct NativeStream* done)
{
    const greg_t* registers = context->uc_mcontext.gregs;
    takeRegisters(context, done->gpr, &done->eip, &done->eflags, done->fxsave);
    memcpy(done->memory, (const void*)nativeStreamMemory, nativeStreamMemoryBytes);
    memset(streamCode + (done->codeAddress - nativeStreamCodePage), 0xcc, nativeStreamCodeBytes);
    done->trap = (uint32_t)registers[REG_TRAPNO];
    done->errorCode = (uint32_t)registers[REG_ERR];
    done->cr2 = (uint32_t)context->uc_mcontext.cr2;
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

static void giveRegisters(
    ucontext_t* context, const uint32_t* gpr, uint32_t eip, uint32_t eflags, const uint8_t* fxsave)
{
    greg_t* registers = context->uc_mcontext.gregs;
    struct FpuFrame* fpu = (struct FpuFrame*)context->uc_mcontext.fpregs;
    for (int i = 0; i < 8; ++i)
        registers[gprPlaces[i]] = (greg_t)gpr[i];
    registers[REG_EIP] = (greg_t)eip;
    registers[REG_EFL] = (greg_t)(eflags | initialFlags);
    memcpy(fpu->fxsave, fxsave, 416); // the rest describes the frame itself
    const uint16_t* words = (const uint16_t*)fxsave;
    fpu->control = words[0];
    fpu->status = words[1];
    fpu->tags = wideTags(fxsave[4]);
    for (int i = 0; i < 8; ++i)
        memcpy(fpu->registers[i], fxsave + 32 + 16 * i, 10);
}

static void beginCase(ucontext_t* context, const struct NativeCase* next)
{
    const struct NativeState* state = &next->before;
    giveRegisters(context, state->gpr, state->eip, state->eflags, state->fxsave);
    memcpy((void*)nativeMemory, state->memory, nativeMemoryBytes);
    memcpy((void*)(uintptr_t)next->codeAddress, next->code, nativeCodeBytes);
}

static void beginStream(ucontext_t* context, const struct NativeStream* next)
{
    giveRegisters(context, next->gpr, next->eip, next->eflags, next->fxsave);
    memcpy((void*)nativeStreamMemory, next->memory, nativeStreamMemoryBytes);
    memcpy(streamCode + (next->codeAddress - nativeStreamCodePage), next->code, nativeStreamCodeBytes);
}

static void onSignal(int number, siginfo_t* info, void* frame)
{
    (void)info;
    ucontext_t* context = frame;
    if (number != beginSignal) {
        if (streams)
            finishStream(context, &streams[current]);
        else
            finishCase(context, &cases[current]);
        ++current;
    }
    if (current == count)
        _exit(0);
    if (streams)
        beginStream(context, &streams[current]);
    else
        beginCase(context, &cases[current]);
}

static void mapPages(uint32_t address, size_t pages, int protection, int fill)
{
    void* at = mmap((void*)(uintptr_t)address, pages * 4096, PROT_READ | PROT_WRITE | protection,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != (void*)(uintptr_t)address)
        fail("The fixed addresses of the test cannot be mapped");
    memset(at, fill, pages * 4096);
}

// Twice: for the streams to run and read, and for this program to write.
static void mapStreamPages(void)
{
    const size_t size = nativeStreamCodePages * 4096;
    const int file = memfd_create("stream-code", 0);
    if (file < 0 || ftruncate(file, (off_t)size) < 0)
        fail("memfd_create");
    streamCode = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (streamCode == MAP_FAILED)
        fail("mmap");
    memset(streamCode, 0xcc, size);
    void* wanted = (void*)nativeStreamCodePage;
    if (mmap(wanted, size, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0) != wanted)
        fail("The fixed addresses of the test cannot be mapped");
    mapPages(nativeStreamMemory, nativeStreamMemoryBytes / 4096, 0, 0);
}

int main(int argc, char** argv)
{
    const int wantStreams = argc == 3 && !strcmp(argv[1], "--streams");
    if (argc != 2 && !wantStreams) {
        fputs("native_runner [--streams] FILE: runs the cases or streams in it\n", stderr);
        return 2;
    }
    const char* name = argv[argc - 1];
    const int file = open(name, O_RDWR);
    struct stat status;
    if (file < 0 || fstat(file, &status) < 0)
        fail(name);
    void* content = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (content == MAP_FAILED)
        fail("mmap");
    count = (size_t)status.st_size / (wantStreams ? sizeof(struct NativeStream) : sizeof(struct NativeCase));
    if (wantStreams)
        streams = content;
    else
        cases = content;

    mapPages(nativeCodePage, nativeCodePages, PROT_EXEC, 0xcc);
    mapPages(nativeDataPage, 1, 0, 0);
    mapStreamPages();

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
