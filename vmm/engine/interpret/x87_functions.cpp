// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/x87_handlers.h"
#include "vmm/engine/interpret/x87_host.h"
#include "vmm/engine/interpret/x87_stack.h"

// What works on the top of the stack alone: roots, remainders, logarithms, trigonometry. Intel SDM volume 1, 8.3.5
// and 8.3.7 to 8.3.9.
namespace namsan {

namespace {

// ST(0) = f(ST(0))
template <auto host, uint16_t conditions> void unary(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    x87.setConditions(conditions, 0);
    if (x87.empty(0)) {
        if (x87.underflow())
            x87.setRegister(0, X87::indefinite);
        return;
    }
    HostX87 lent(x87.control());
    x87.take(host(x87.st(0)), conditions);
}

bool isNaN(const Register80& value)
{
    return (value.signExponent & 0x7fff) == 0x7fff && (value.significand << 1) != 0;
}

// ST(0) = f(ST(0), ST(1)). Where there is no result, the remainders' quotient bits stay and only C1 and C2 are cleared.
template <auto host, uint16_t conditions> void binary(Processor& processor, const Instruction& instruction)
{
    constexpr uint16_t cleared = conditions & (x87_status::c1 | x87_status::c2);
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (x87.empty(0) || x87.empty(1)) {
        x87.setConditions(cleared, 0);
        if (x87.underflow())
            x87.setRegister(0, X87::indefinite);
        return;
    }
    HostX87 lent(x87.control());
    const uint16_t status = host(x87.st(0), x87.st(1));
    if (isNaN(x87.st(0)) || status & x87_status::invalid || x87.unmasked(status & x87_status::beforeComputing))
        x87.take(status & static_cast<uint16_t>(~cleared), cleared);
    else
        x87.take(status, conditions);
}

// ST(1) = f(ST(1), ST(0)), and pop
template <auto host> void binaryAndPop(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (x87.empty(0) || x87.empty(1)) {
        if (!x87.underflow())
            return;
        x87.setRegister(1, X87::indefinite);
        return x87.pop();
    }
    HostX87 lent(x87.control());
    const uint16_t status = host(x87.st(1), x87.st(0));
    x87.take(status, x87_status::c1);
    if (!x87.unmasked(status & x87_status::beforeComputing))
        x87.pop();
}

// ST(0) = f(ST(0)), and a second result is pushed.
template <auto host, uint16_t conditions> void unaryAndPush(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    x87.setConditions(conditions, 0);
    const bool underflow = x87.empty(0);
    if (underflow || !x87.empty(7)) {
        if (!(underflow ? x87.underflow() : x87.overflow()))
            return;
        x87.setRegister(0, X87::indefinite);
        return x87.push(X87::indefinite);
    }
    HostX87 lent(x87.control());
    Register80 pushed;
    const uint16_t status = host(x87.st(0), pushed);
    x87.take(status, conditions);
    constexpr uint16_t topAfterPush = 6 << x87_status::topShift;
    if ((status & x87_status::topMask) == topAfterPush)
        x87.push(pushed);
}

template <auto host> void constant(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (!x87.empty(7)) {
        if (x87.overflow())
            x87.push(X87::indefinite);
        return;
    }
    HostX87 lent(x87.control());
    Register80 value;
    host(value);
    x87.setConditions(x87_status::c1, 0);
    x87.push(value);
}

#define NAMSAN_X87_CONSTANT(code) [](Register80& value) { asm volatile(code "\n\tfstpt %0" : "=m"(value)); }

void bindConstants(HandlerTable& table)
{
    table.bind(Operation::Fld1, constant<NAMSAN_X87_CONSTANT("fld1")>);
    table.bind(Operation::Fldl2t, constant<NAMSAN_X87_CONSTANT("fldl2t")>);
    table.bind(Operation::Fldl2e, constant<NAMSAN_X87_CONSTANT("fldl2e")>);
    table.bind(Operation::Fldpi, constant<NAMSAN_X87_CONSTANT("fldpi")>);
    table.bind(Operation::Fldlg2, constant<NAMSAN_X87_CONSTANT("fldlg2")>);
    table.bind(Operation::Fldln2, constant<NAMSAN_X87_CONSTANT("fldln2")>);
    table.bind(Operation::Fldz, constant<NAMSAN_X87_CONSTANT("fldz")>);
}

} // namespace

void bindX87Functions(HandlerTable& table)
{
    constexpr uint16_t c1 = x87_status::c1;
    constexpr uint16_t c1AndC2 = x87_status::c1 | x87_status::c2; // C2: the argument was out of range
    bindConstants(table);
    table.bind(Operation::Fchs, unary<NAMSAN_X87_UNARY("fchs"), c1>);
    table.bind(Operation::Fabs, unary<NAMSAN_X87_UNARY("fabs"), c1>);
    table.bind(Operation::Fsqrt, unary<NAMSAN_X87_UNARY("fsqrt"), c1>);
    table.bind(Operation::Frndint, unary<NAMSAN_X87_UNARY("frndint"), c1>);
    table.bind(Operation::F2xm1, unary<NAMSAN_X87_UNARY("f2xm1"), c1>);
    table.bind(Operation::Fsin, unary<NAMSAN_X87_UNARY("fsin"), c1AndC2>);
    table.bind(Operation::Fcos, unary<NAMSAN_X87_UNARY("fcos"), c1AndC2>);
    table.bind(Operation::Fscale, binary<NAMSAN_X87_BINARY("fscale"), c1>);
    table.bind(Operation::Fprem, binary<NAMSAN_X87_BINARY("fprem"), x87_status::conditions>);
    table.bind(Operation::Fprem1, binary<NAMSAN_X87_BINARY("fprem1"), x87_status::conditions>);
    table.bind(Operation::Fyl2x, binaryAndPop<NAMSAN_X87_BINARY_POP("fyl2x")>);
    table.bind(Operation::Fyl2xp1, binaryAndPop<NAMSAN_X87_BINARY_POP("fyl2xp1")>);
    table.bind(Operation::Fpatan, binaryAndPop<NAMSAN_X87_BINARY_POP("fpatan")>);
    table.bind(Operation::Fxtract, unaryAndPush<NAMSAN_X87_UNARY_PUSH("fxtract"), c1>);
    table.bind(Operation::Fptan, unaryAndPush<NAMSAN_X87_UNARY_PUSH("fptan"), c1AndC2>);
    table.bind(Operation::Fsincos, unaryAndPush<NAMSAN_X87_UNARY_PUSH("fsincos"), c1AndC2>);
}

} // namespace namsan
