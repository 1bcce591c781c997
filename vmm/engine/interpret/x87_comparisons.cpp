// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/x87_handlers.h"
#include "vmm/engine/interpret/x87_host.h"
#include "vmm/engine/interpret/x87_stack.h"

// FCOM, FUCOM, FICOM and the forms of them that pop or set EFLAGS; FTST, FXAM; FCMOVcc. Intel SDM volume 1, 8.3.6.
namespace namsan {

namespace {

constexpr uint16_t unordered = x87_status::c0 | x87_status::c2 | x87_status::c3;

#define NAMSAN_X87_COMPARE(code)                                                                                       \
    [](const Register80& value, const Register80& source) {                                                            \
        uint16_t status;                                                                                               \
        asm volatile("fldt %2\n\tfldt %1\n\t" code "\n\tfnstsw %0\n\tfnclex\n\tfstp %%st(0)\n\tfstp %%st(0)"           \
                     : "=&a"(status)                                                                                   \
                     : "m"(value), "m"(source));                                                                       \
        return status;                                                                                                 \
    }

// flags go in and out as LAHF and SETO give them: whether an unmasked exception leaves EFLAGS alone is the host's
// answer too.
#define NAMSAN_X87_COMPARE_TO_FLAGS(code)                                                                              \
    [](const Register80& value, const Register80& source, uint16_t& flags) {                                           \
        uint16_t status;                                                                                               \
        uint16_t after;                                                                                                \
        asm volatile("fldt %4\n\tfldt %3\n\tmovw %2, %%ax\n\taddb $0x7f, %%al\n\tsahf\n\t" code                        \
                     "\n\tlahf\n\tseto %%al\n\tmovw %%ax, %1\n\tfnstsw %%ax\n\tfnclex\n\tfstp %%st(0)\n\tfstp %%st(0)" \
                     : "=&a"(status), "=&r"(after)                                                                     \
                     : "r"(flags), "m"(value), "m"(source)                                                             \
                     : "cc");                                                                                          \
        flags = after;                                                                                                 \
        return status;                                                                                                 \
    }

template <auto host>
void compareRegisters(Processor& processor, const Instruction& instruction, unsigned other, unsigned pops)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    bool done;
    if (x87.empty(0) || x87.empty(other)) {
        done = x87.underflow();
        x87.setConditions(unordered, unordered);
    } else {
        HostX87 lent(x87.control());
        const uint16_t status = host(x87.st(0), x87.st(other));
        x87.take(status, x87_status::conditions);
        done = !x87.unmasked(status & x87_status::beforeComputing);
    }
    for (; done && pops > 0; --pops)
        x87.pop();
}

constexpr auto ordered = NAMSAN_X87_COMPARE("fcom %%st(1)");
constexpr auto quiet = NAMSAN_X87_COMPARE("fucom %%st(1)");

template <auto host, unsigned pops> void compare(Processor& processor, const Instruction& instruction)
{
    compareRegisters<host>(processor, instruction, instruction.rm, pops);
}
template <auto host> void compareAndPopBoth(Processor& processor, const Instruction& instruction)
{
    compareRegisters<host>(processor, instruction, 1, 2);
}

template <auto host, class T, bool pop> void compareOperand(Processor& processor, const Instruction& instruction)
{
    X87 x87(processor);
    const T operand = processor.readOperand<T>(instruction);
    notePointers(processor, instruction);
    bool done;
    if (x87.empty(0)) {
        done = x87.underflow();
        x87.setConditions(unordered, unordered);
    } else {
        HostX87 lent(x87.control());
        Register80 value = x87.st(0);
        const uint16_t status = host(value, operand);
        x87.take(status, x87_status::conditions);
        done = !x87.unmasked(status & x87_status::beforeComputing);
    }
    if (pop && done)
        x87.pop();
}

constexpr auto withSingle = NAMSAN_X87_WITH_MEMORY(uint32_t, "fcoms");
constexpr auto withDouble = NAMSAN_X87_WITH_MEMORY(uint64_t, "fcoml");
constexpr auto withInteger16 = NAMSAN_X87_WITH_MEMORY(uint16_t, "ficoms");
constexpr auto withInteger32 = NAMSAN_X87_WITH_MEMORY(uint32_t, "ficoml");

template <bool pop> void compareWithMemory(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    switch (instruction.opcode) {
    case 0xd8:
        return compareOperand<withSingle, uint32_t, pop>(processor, instruction);
    case 0xda:
        return compareOperand<withInteger32, uint32_t, pop>(processor, instruction);
    case 0xdc:
        return compareOperand<withDouble, uint64_t, pop>(processor, instruction);
    default:
        return compareOperand<withInteger16, uint16_t, pop>(processor, instruction);
    }
}

template <auto host, bool pop> void compareToFlags(Processor& processor, const Instruction& instruction)
{
    constexpr uint16_t unorderedFlags = 0x4700; // ZF, PF, CF and the bit that is always 1, in LAHF's places
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    bool done;
    if (x87.empty(0) || x87.empty(instruction.rm)) {
        done = x87.underflow();
        processor.arithmeticFlags = unorderedFlags;
    } else {
        HostX87 lent(x87.control());
        const uint16_t status = host(x87.st(0), x87.st(instruction.rm), processor.arithmeticFlags);
        x87.take(status, x87_status::c1);
        done = !x87.unmasked(status & x87_status::beforeComputing);
    }
    if (pop && done)
        x87.pop();
}

constexpr auto orderedToFlags = NAMSAN_X87_COMPARE_TO_FLAGS("fcomi %%st(1), %%st");
constexpr auto quietToFlags = NAMSAN_X87_COMPARE_TO_FLAGS("fucomi %%st(1), %%st");

void testAgainstZero(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (x87.empty(0)) {
        x87.underflow();
        x87.setConditions(unordered, unordered);
        return;
    }
    constexpr auto host = NAMSAN_X87_UNARY("ftst");
    HostX87 lent(x87.control());
    x87.take(host(x87.st(0)), x87_status::conditions);
}

void examine(Processor& processor, const Instruction& instruction)
{
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (x87.empty(0)) {
        const uint16_t sign = x87.st(0).signExponent & 0x8000 ? x87_status::c1 : 0;
        x87.setConditions(x87_status::conditions, x87_status::c3 | x87_status::c0 | sign);
        return;
    }
    constexpr auto host = NAMSAN_X87_UNARY("fxam");
    HostX87 lent(x87.control());
    x87.take(host(x87.st(0)), x87_status::conditions);
}

// FCMOVB, E, BE, U (DA) and their opposites (DB).
void conditionalMove(Processor& processor, const Instruction& instruction)
{
    constexpr std::array<uint16_t, 4> flagsTested { 0x0100, 0x4000, 0x4100, 0x0400 }; // CF, ZF, both, PF
    requireWaitingX87(processor);
    X87 x87(processor);
    notePointers(processor, instruction);
    if (x87.empty(0) || x87.empty(instruction.rm)) {
        if (x87.underflow())
            x87.setRegister(0, X87::indefinite);
        return;
    }
    const bool any = processor.arithmeticFlags & flagsTested[instruction.reg & 3];
    if (any == (instruction.opcode == 0xda))
        x87.setRegister(0, x87.st(instruction.rm));
}

} // namespace

void bindX87Comparisons(HandlerTable& table)
{
    for (const unsigned width : { 1u, 2u, 4u }) {
        table.bind(Operation::Fcom, width, RmForm::Memory, compareWithMemory<false>);
        table.bind(Operation::Fcom, width, RmForm::Register, compare<ordered, 0>);
        table.bind(Operation::Fcomp, width, RmForm::Memory, compareWithMemory<true>);
        table.bind(Operation::Fcomp, width, RmForm::Register, compare<ordered, 1>);
    }
    table.bind(Operation::Fcompp, compareAndPopBoth<ordered>);
    table.bind(Operation::Fucom, compare<quiet, 0>);
    table.bind(Operation::Fucomp, compare<quiet, 1>);
    table.bind(Operation::Fucompp, compareAndPopBoth<quiet>);
    table.bind(Operation::Fcomi, compareToFlags<orderedToFlags, false>);
    table.bind(Operation::Fcomip, compareToFlags<orderedToFlags, true>);
    table.bind(Operation::Fucomi, compareToFlags<quietToFlags, false>);
    table.bind(Operation::Fucomip, compareToFlags<quietToFlags, true>);
    table.bind(Operation::Ftst, testAgainstZero);
    table.bind(Operation::Fxam, examine);
    table.bind(Operation::Fcmov, conditionalMove);
}

} // namespace namsan
