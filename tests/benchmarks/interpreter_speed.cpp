// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/guest_program.h"

#include <benchmark/benchmark.h>

// How many guest instructions the interpreter carries out in a second, on loops of known mixes.
namespace namsan {

namespace {

void runLoop(benchmark::State& state, GuestProgram& program)
{
    uint64_t instructions = 0;
    for (auto _ : state) {
        program.state.eip = GuestProgram::codeAddress;
        program.state.mpState = MpState::Running;
        const uint64_t before = program.vcpu().counters().instructions.value();
        program.run();
        instructions += program.vcpu().counters().instructions.value() - before;
    }
    state.counters["guest_instructions"]
        = benchmark::Counter(static_cast<double>(instructions), benchmark::Counter::kIsRate);
}

// What compiled integer code looks like: loads, stores, compares, a call, short jumps.
void mixedIntegerLoop(benchmark::State& state)
{
    GuestProgram program;
    program.code({
        0xb9, 0x40, 0x42, 0x0f, 0x00, //        mov ecx,1000000
        0xbe, 0x00, 0x00, 0x02, 0x00, //        mov esi,data
        0x89, 0xc8, //                    next: mov eax,ecx
        0x25, 0xff, 0x03, 0x00, 0x00, //        and eax,3ff
        0x8b, 0x14, 0x86, //                    mov edx,[esi+eax*4]
        0x01, 0xca, //                          add edx,ecx
        0xc1, 0xc2, 0x05, //                    rol edx,5
        0x31, 0xd3, //                          xor ebx,edx
        0x89, 0x14, 0x86, //                    mov [esi+eax*4],edx
        0xf6, 0xc2, 0x01, //                    test dl,1
        0x74, 0x03, //                          jz skip
        0x8d, 0x5b, 0x07, //                    lea ebx,[ebx+7]
        0xe8, 0x04, 0x00, 0x00, 0x00, //  skip: call helper
        0x49, //                                dec ecx
        0x75, 0xdc, //                          jnz next
        0xf4, //                                hlt
        0x55, //                        helper: push ebp
        0x89, 0xe5, //                          mov ebp,esp
        0x0f, 0xb6, 0xc2, //                    movzx eax,dl
        0x39, 0xd8, //                          cmp eax,ebx
        0x0f, 0x47, 0xd8, //                    cmova ebx,eax
        0x5d, //                                pop ebp
        0xc3, //                                ret
    });
    runLoop(state, program);
}
BENCHMARK(mixedIntegerLoop)->Unit(benchmark::kMillisecond);

void tightLoop(benchmark::State& state)
{
    GuestProgram program;
    program.code({ 0xb9, 0x40, 0x42, 0x0f, 0x00, 0x01, 0xc8, 0x49, 0x75, 0xfb }); // l: add eax,ecx; dec ecx; jnz l
    runLoop(state, program);
}
BENCHMARK(tightLoop)->Unit(benchmark::kMillisecond);

} // namespace

} // namespace namsan

BENCHMARK_MAIN();
