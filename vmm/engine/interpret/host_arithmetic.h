// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/eflags_access.h"

#include <cstdint>

// The host's own instructions with their flags, so that results are the processor's in every bit, those that the
// manual leaves undefined too.
namespace namsan::host_arithmetic {

// Sets the host's arithmetic flags from AX, and saves them there. Two cheap instructions each; PUSHF and POPF are not.
#define NAMSAN_LOAD_FLAGS "addb $127, %%al\n\tsahf\n\t"
#define NAMSAN_SAVE_FLAGS "\n\tlahf\n\tseto %%al"
#define NAMSAN_LOAD_CARRY "btl $8, %k[flags]\n\t"

// name(a, b, flags): a = a op b.
#define NAMSAN_TWO_OPERANDS(name, mnemonic)                                                                            \
    struct name {                                                                                                      \
        template <class T> static T apply(T a, T b, uint16_t& flags)                                                   \
        {                                                                                                              \
            uint16_t after;                                                                                            \
            asm(mnemonic " %[b], %[a]" NAMSAN_SAVE_FLAGS : [a] "+&r"(a), [flags] "=&a"(after) : [b] "r"(b) : "cc");    \
            flags = after;                                                                                             \
            return a;                                                                                                  \
        }                                                                                                              \
    };

#define NAMSAN_TWO_OPERANDS_WITH_CARRY(name, mnemonic)                                                                 \
    struct name {                                                                                                      \
        template <class T> static T apply(T a, T b, uint16_t& flags)                                                   \
        {                                                                                                              \
            asm(NAMSAN_LOAD_CARRY mnemonic " %[b], %[a]" NAMSAN_SAVE_FLAGS                                             \
                : [a] "+&r"(a), [flags] "+&a"(flags)                                                                   \
                : [b] "r"(b)                                                                                           \
                : "cc");                                                                                               \
            return a;                                                                                                  \
        }                                                                                                              \
    };

#define NAMSAN_ONE_OPERAND(name, mnemonic)                                                                             \
    struct name {                                                                                                      \
        template <class T> static T apply(T a, uint16_t& flags)                                                        \
        {                                                                                                              \
            asm(NAMSAN_LOAD_CARRY mnemonic " %[a]" NAMSAN_SAVE_FLAGS : [a] "+&r"(a), [flags] "+&a"(flags) : : "cc");   \
            return a;                                                                                                  \
        }                                                                                                              \
    };

// The count is not masked here: a count that masks to 0 keeps the flags, as it should.
#define NAMSAN_SHIFT(name, mnemonic)                                                                                   \
    struct name {                                                                                                      \
        template <class T> static T apply(T a, uint8_t count, uint16_t& flags)                                         \
        {                                                                                                              \
            asm(NAMSAN_LOAD_FLAGS mnemonic " %%cl, %[a]" NAMSAN_SAVE_FLAGS                                             \
                : [a] "+&r"(a), [flags] "+&a"(flags)                                                                   \
                : [count] "c"(count)                                                                                   \
                : "cc");                                                                                               \
            return a;                                                                                                  \
        }                                                                                                              \
    };

#define NAMSAN_DOUBLE_SHIFT(name, mnemonic)                                                                            \
    struct name {                                                                                                      \
        template <class T> static T apply(T a, T fill, uint8_t count, uint16_t& flags)                                 \
        {                                                                                                              \
            asm(NAMSAN_LOAD_FLAGS mnemonic " %%cl, %[fill], %[a]" NAMSAN_SAVE_FLAGS                                    \
                : [a] "+&r"(a), [flags] "+&a"(flags)                                                                   \
                : [fill] "r"(fill), [count] "c"(count)                                                                 \
                : "cc");                                                                                               \
            return a;                                                                                                  \
        }                                                                                                              \
    };

// a op= b with every incoming flag in place: for instructions that keep some of them, or the destination.
#define NAMSAN_TWO_OPERANDS_KEEPING(name, mnemonic)                                                                    \
    struct name {                                                                                                      \
        template <class T> static T apply(T a, T b, uint16_t& flags)                                                   \
        {                                                                                                              \
            asm(NAMSAN_LOAD_FLAGS mnemonic " %[b], %[a]" NAMSAN_SAVE_FLAGS                                             \
                : [a] "+&r"(a), [flags] "+&a"(flags)                                                                   \
                : [b] "r"(b)                                                                                           \
                : "cc");                                                                                               \
            return a;                                                                                                  \
        }                                                                                                              \
    };

NAMSAN_TWO_OPERANDS(Add, "add")
NAMSAN_TWO_OPERANDS(Sub, "sub")
NAMSAN_TWO_OPERANDS(And, "and")
NAMSAN_TWO_OPERANDS(Or, "or")
NAMSAN_TWO_OPERANDS(Xor, "xor")
NAMSAN_TWO_OPERANDS_WITH_CARRY(Adc, "adc")
NAMSAN_TWO_OPERANDS_WITH_CARRY(Sbb, "sbb")
NAMSAN_ONE_OPERAND(Inc, "inc")
NAMSAN_ONE_OPERAND(Dec, "dec")
NAMSAN_ONE_OPERAND(Neg, "neg")
NAMSAN_SHIFT(Rol, "rol")
NAMSAN_SHIFT(Ror, "ror")
NAMSAN_SHIFT(Rcl, "rcl")
NAMSAN_SHIFT(Rcr, "rcr")
NAMSAN_SHIFT(Shl, "shl")
NAMSAN_SHIFT(Shr, "shr")
NAMSAN_SHIFT(Sar, "sar")
NAMSAN_DOUBLE_SHIFT(Shld, "shld")
NAMSAN_DOUBLE_SHIFT(Shrd, "shrd")
NAMSAN_TWO_OPERANDS_KEEPING(Imul, "imul")
NAMSAN_TWO_OPERANDS_KEEPING(Bsf, "bsf")
NAMSAN_TWO_OPERANDS_KEEPING(Bsr, "bsr")
// The bit's number is within the operand: the register form of BT takes it modulo the width.
NAMSAN_TWO_OPERANDS_KEEPING(Bt, "bt")
NAMSAN_TWO_OPERANDS_KEEPING(Bts, "bts")
NAMSAN_TWO_OPERANDS_KEEPING(Btr, "btr")
NAMSAN_TWO_OPERANDS_KEEPING(Btc, "btc")

#undef NAMSAN_TWO_OPERANDS
#undef NAMSAN_TWO_OPERANDS_WITH_CARRY
#undef NAMSAN_ONE_OPERAND
#undef NAMSAN_SHIFT
#undef NAMSAN_DOUBLE_SHIFT
#undef NAMSAN_TWO_OPERANDS_KEEPING

template <class T> struct Pair {
    T low;
    T high;
};

// MUL, IMUL, DIV, IDIV on (E)DX:(E)AX; for bytes on AX, given and returned as low = AL and high = AH. Divisions must
// be known not to overflow.
#define NAMSAN_WIDE(name, mnemonic)                                                                                    \
    struct name {                                                                                                      \
        template <class T> static Pair<T> apply(Pair<T> value, T operand, uint16_t& flags)                             \
        {                                                                                                              \
            uint16_t f = flags;                                                                                        \
            if constexpr (sizeof(T) == 1) {                                                                            \
                auto ax = static_cast<uint16_t>(value.low | value.high << 8);                                          \
                asm("xchgw %[flags], %%ax\n\t" NAMSAN_LOAD_FLAGS "xchgw %[flags], %%ax\n\t" mnemonic " %[operand]\n\t" \
                    "xchgw %[flags], %%ax" NAMSAN_SAVE_FLAGS "\n\txchgw %[flags], %%ax"                                \
                    : "+&a"(ax), [flags] "+&r"(f)                                                                      \
                    : [operand] "r"(operand)                                                                           \
                    : "cc");                                                                                           \
                value = { static_cast<T>(ax), static_cast<T>(ax >> 8) };                                               \
            } else {                                                                                                   \
                T low = value.low;                                                                                     \
                T high = value.high;                                                                                   \
                uint64_t wide = low;                                                                                   \
                uint64_t flagsWide = f;                                                                                \
                asm("xchgq %[flags], %%rax\n\t" NAMSAN_LOAD_FLAGS "xchgq %[flags], %%rax\n\t" mnemonic                 \
                    " %[operand]\n\t"                                                                                  \
                    "xchgq %[flags], %%rax" NAMSAN_SAVE_FLAGS "\n\txchgq %[flags], %%rax"                              \
                    : "+&a"(wide), "+&d"(high), [flags] "+&r"(flagsWide)                                               \
                    : [operand] "r"(operand)                                                                           \
                    : "cc");                                                                                           \
                f = static_cast<uint16_t>(flagsWide);                                                                  \
                low = static_cast<T>(wide);                                                                            \
                value = { low, high };                                                                                 \
            }                                                                                                          \
            flags = f;                                                                                                 \
            return value;                                                                                              \
        }                                                                                                              \
    };

NAMSAN_WIDE(Mul, "mul")
NAMSAN_WIDE(ImulWide, "imul")
NAMSAN_WIDE(Div, "div")
NAMSAN_WIDE(Idiv, "idiv")

#undef NAMSAN_WIDE
#undef NAMSAN_LOAD_FLAGS
#undef NAMSAN_SAVE_FLAGS
#undef NAMSAN_LOAD_CARRY

} // namespace namsan::host_arithmetic
