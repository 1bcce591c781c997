// SPDX-License-Identifier: GPL-3.0-or-later
// An interpreter of a small stack machine whose instructions are chosen by a switch; an iteration is one of them.
#include "benchmark.h"

enum Operation { Push, Add, Multiply, Subtract, Duplicate, Swap, ExclusiveOr, Store, Load, Decrement, JumpIfNot0, End };

enum { rounds = 10000, perRound = 17, iterations = rounds * perRound };

struct Instruction {
    uint8_t operation;
    int32_t operand;
};

static const struct Instruction program[] = { { Push, rounds }, { Store, 0 }, { Push, 1 }, { Store, 1 },
    // Round:
    { Load, 1 }, { Push, 31 }, { Multiply, 0 }, { Load, 0 }, { Add, 0 }, { Duplicate, 0 }, { Push, 0x55aa },
    { ExclusiveOr, 0 }, { Swap, 0 }, { Push, 7 }, { Subtract, 0 }, { Add, 0 }, { Store, 1 }, { Decrement, 0 },
    { Load, 0 }, { Push, 0 }, { JumpIfNot0, 4 }, { End, 0 } };

__attribute__((noinline)) static uint32_t execute(const struct Instruction* code)
{
    uint32_t stack[16] = { 0 };
    uint32_t variables[2] = { 0 };
    uint32_t* top = stack;
    for (const struct Instruction* at = code;; ++at) {
        switch ((enum Operation)at->operation) {
        case Push:
            *++top = (uint32_t)at->operand;
            break;
        case Add:
            top[-1] += top[0];
            --top;
            break;
        case Multiply:
            top[-1] *= top[0];
            --top;
            break;
        case Subtract:
            top[-1] -= top[0];
            --top;
            break;
        case Duplicate:
            top[1] = top[0];
            ++top;
            break;
        case Swap: {
            const uint32_t kept = top[0];
            top[0] = top[-1];
            top[-1] = kept;
            break;
        }
        case ExclusiveOr:
            top[-1] ^= top[0];
            --top;
            break;
        case Store:
            variables[at->operand] = *top--;
            break;
        case Load:
            *++top = variables[at->operand];
            break;
        case Decrement:
            --variables[at->operand];
            break;
        case JumpIfNot0:
            top -= 2;
            if (top[1] != top[2])
                at = code + at->operand - 1;
            break;
        case End:
            return variables[1];
        }
    }
}

static uint32_t batch(void)
{
    const struct Instruction* volatile code = program;
    return execute(code);
}

BENCHMARK(switch_machine, iterations, batch, 0);
