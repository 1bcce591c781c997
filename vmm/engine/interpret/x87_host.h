// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/fxsave_image.h"

#include <cstdint>

namespace namsan {

// The host's x87 unit, lent to the guest for one instruction: its control word is the guest's and its exception flags
// are clear; afterwards the control word is the host's again.
//
// The guest's exceptions may be unmasked here without harm: an x87 exception only comes at the next waiting
// instruction, and every piece of code below reads the status with FNSTSW and clears it with FNCLEX before one.
// That way a register result is what hardware gives, even where it depends on the masks (SDM volume 1, 8.5.4 and 8.5.5:
// unmasked overflow and underflow leave a result with a changed exponent).
class HostX87 {
public:
    explicit HostX87(uint16_t guestControl)
    {
        uint16_t status;
        asm volatile("fnstcw %0\n\tfnstsw %1" : "=m"(m_hostControl), "=a"(status));
        if (status & (x87_status::exceptions | x87_status::stackFault)) [[unlikely]] {
            asm volatile("fnclex");
        }
        m_changed = guestControl != m_hostControl;
        if (m_changed)
            asm volatile("fldcw %0" ::"m"(guestControl));
    }
    ~HostX87()
    {
        if (m_changed)
            asm volatile("fldcw %0" ::"m"(m_hostControl));
    }
    HostX87(const HostX87&) = delete;
    HostX87& operator=(const HostX87&) = delete;

private:
    uint16_t m_hostControl;
    bool m_changed;
};

// Pieces of host code, each a function object without state. They leave the host's register stack as it was (empty),
// and return the status word as it was right after the instruction itself.

// ST(0) changed in place.
#define NAMSAN_X87_UNARY(code)                                                                                         \
    [](Register80& value) {                                                                                            \
        uint16_t status;                                                                                               \
        asm volatile("fldt %0\n\t" code "\n\tfnstsw %1\n\tfnclex\n\tfstpt %0" : "+m"(value), "=&a"(status));           \
        return status;                                                                                                 \
    }

// ST(0) and ST(1), result in ST(0); source stays.
#define NAMSAN_X87_BINARY(code)                                                                                        \
    [](Register80& value, const Register80& source) {                                                                  \
        uint16_t status;                                                                                               \
        asm volatile("fldt %2\n\tfldt %0\n\t" code "\n\tfnstsw %1\n\tfnclex\n\tfstpt %0\n\tfstp %%st(0)"               \
                     : "+m"(value), "=&a"(status)                                                                      \
                     : "m"(source));                                                                                   \
        return status;                                                                                                 \
    }

// ST(0) and ST(1) become one: the result is in value unless an unmasked exception kept both.
#define NAMSAN_X87_BINARY_POP(code)                                                                                    \
    [](Register80& value, const Register80& source) {                                                                  \
        uint16_t status;                                                                                               \
        asm volatile("fldt %0\n\tfldt %2\n\t" code "\n\tfnstsw %1\n\tfnclex\n\t"                                       \
                     "testb $8, %%ah\n\tjnz 1f\n\tfstp %%st(0)\n1:\tfstpt %0"                                          \
                     : "+m"(value), "=&a"(status)                                                                      \
                     : "m"(source)                                                                                     \
                     : "cc");                                                                                          \
        return status;                                                                                                 \
    }

// ST(0) becomes two: pushed is set unless the instruction did not push.
#define NAMSAN_X87_UNARY_PUSH(code)                                                                                    \
    [](Register80& value, Register80& pushed) {                                                                        \
        uint16_t status;                                                                                               \
        asm volatile("fldt %0\n\t" code "\n\tfnstsw %1\n\tfnclex\n\t"                                                  \
                     "testb $8, %%ah\n\tjnz 1f\n\tfstpt %2\n1:\tfstpt %0"                                              \
                     : "+m"(value), "=&a"(status), "+m"(pushed)                                                        \
                     :                                                                                                 \
                     : "cc");                                                                                          \
        return status;                                                                                                 \
    }

// ST(0) and an operand in memory of type T.
#define NAMSAN_X87_WITH_MEMORY(T, code)                                                                                \
    [](Register80& value, const T& operand) {                                                                          \
        uint16_t status;                                                                                               \
        asm volatile("fldt %0\n\t" code " %2\n\tfnstsw %1\n\tfnclex\n\tfstpt %0"                                       \
                     : "+m"(value), "=&a"(status)                                                                      \
                     : "m"(operand));                                                                                  \
        return status;                                                                                                 \
    }

// A load of some kind onto the empty stack; nothing was loaded if the status word's TOP is still 0.
#define NAMSAN_X87_LOAD(T, code)                                                                                       \
    [](Register80& value, const T& operand) {                                                                          \
        uint16_t status;                                                                                               \
        asm volatile(code " %2\n\tfnstsw %1\n\tfnclex\n\ttestb $0x38, %%ah\n\tjz 1f\n\tfstpt %0\n1:"                   \
                     : "+m"(value), "=&a"(status)                                                                      \
                     : "m"(operand)                                                                                    \
                     : "cc");                                                                                          \
        return status;                                                                                                 \
    }

// A store that pops; the value is dropped too if an exception prevented the store.
#define NAMSAN_X87_STORE(T, code)                                                                                      \
    [](const Register80& value, T& destination) {                                                                      \
        uint16_t status;                                                                                               \
        asm volatile("fldt %2\n\t" code " %0\n\tfnstsw %1\n\tfnclex\n\ttestb $0x38, %%ah\n\tjz 1f\n\tfstp %%st(0)\n1:" \
                     : "+m"(destination), "=&a"(status)                                                                \
                     : "m"(value)                                                                                      \
                     : "cc");                                                                                          \
        return status;                                                                                                 \
    }

} // namespace namsan
