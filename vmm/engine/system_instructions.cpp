// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_state.h"
#include "vmm/engine/instruction_table.h"

// Segment registers, far transfers, interrupts, I/O and the operating system's instructions. Intel SDM volume 2,
// chapters 3 and 4 and appendix A.
namespace namsan {

namespace {

using namespace attribute;
using enum Operand;

constexpr uint32_t anyFlag = eflags::arithmetic | eflags::trap | eflags::interruptEnable | eflags::direction
    | eflags::ioPrivilege | eflags::nestedTask | eflags::resume | eflags::alignmentCheck | eflags::identification;
constexpr uint32_t interruptFlags
    = eflags::trap | eflags::interruptEnable | eflags::nestedTask | eflags::resume | eflags::virtual8086;

using Operands = std::array<Operand, 3>;

struct Facts {
    uint16_t attributes = 0;
    uint32_t flagsRead = 0;
    uint32_t flagsWritten = 0;
    Feature feature = Feature::Base;
};

struct Opcode {
    OpcodeMap map;
    uint8_t opcode;
    ModRm modRm = ModRm::Absent;
    int8_t extension = -1;
};

constexpr Opcode one(uint8_t opcode, ModRm modRm = ModRm::Absent, int extension = -1)
{
    return { OpcodeMap::Primary, opcode, modRm, static_cast<int8_t>(extension) };
}

constexpr Opcode two(uint8_t opcode, ModRm modRm = ModRm::Absent, int extension = -1)
{
    return { OpcodeMap::Extended0F, opcode, modRm, static_cast<int8_t>(extension) };
}

constexpr InstructionEntry entry(
    Opcode opcode, std::string_view mnemonic, Operands operands, Operation operation, Facts facts = {})
{
    return { opcode.map, opcode.opcode, MandatoryPrefix::Any, opcode.modRm, opcode.extension, -1, mnemonic, operands,
        operation, facts.flagsRead, facts.flagsWritten, 0, facts.attributes, facts.feature };
}

constexpr uint16_t writes = writesDestination;
constexpr uint16_t control = privileged | endsBlock;
constexpr Facts transfer { endsBlock };
constexpr Facts interruptCall { endsBlock, anyFlag, interruptFlags };
constexpr Facts asksAboutSelector { writesDestination, 0, eflags::zero };

constexpr InstructionEntry entries[] = {
    // -- segment registers
    entry(one(0x8c, ModRm::Register), "MOV", { RmV, SegmentReg }, Operation::MoveFromSegment, { writes }),
    entry(one(0x8c, ModRm::Memory), "MOV", { Mem16, SegmentReg }, Operation::MoveFromSegment, { writes }),
    entry(one(0x8e, ModRm::Any), "MOV", { SegmentReg, Rm16 }, Operation::MoveToSegment, { writes | endsBlock }),
    entry(one(0x06), "PUSH", { ImpliedSegment }, Operation::PushSegment),
    entry(one(0x0e), "PUSH", { ImpliedSegment }, Operation::PushSegment),
    entry(one(0x16), "PUSH", { ImpliedSegment }, Operation::PushSegment),
    entry(one(0x1e), "PUSH", { ImpliedSegment }, Operation::PushSegment),
    entry(two(0xa0), "PUSH", { ImpliedSegment }, Operation::PushSegment),
    entry(two(0xa8), "PUSH", { ImpliedSegment }, Operation::PushSegment),
    entry(one(0x07), "POP", { ImpliedSegment }, Operation::PopSegment, { writes }),
    entry(one(0x17), "POP", { ImpliedSegment }, Operation::PopSegment, { writes | endsBlock }),
    entry(one(0x1f), "POP", { ImpliedSegment }, Operation::PopSegment, { writes }),
    entry(two(0xa1), "POP", { ImpliedSegment }, Operation::PopSegment, { writes }),
    entry(two(0xa9), "POP", { ImpliedSegment }, Operation::PopSegment, { writes }),
    entry(one(0xc4, ModRm::Memory), "LES", { RegV, MemFarV }, Operation::LoadFarPointer, { writes }),
    entry(one(0xc5, ModRm::Memory), "LDS", { RegV, MemFarV }, Operation::LoadFarPointer, { writes }),
    entry(two(0xb2, ModRm::Memory), "LSS", { RegV, MemFarV }, Operation::LoadFarPointer, { writes }),
    entry(two(0xb4, ModRm::Memory), "LFS", { RegV, MemFarV }, Operation::LoadFarPointer, { writes }),
    entry(two(0xb5, ModRm::Memory), "LGS", { RegV, MemFarV }, Operation::LoadFarPointer, { writes }),

    // -- far transfers and interrupts
    entry(one(0xea), "JMP", { FarPointerV }, Operation::JmpFar, transfer),
    entry(one(0xff, ModRm::Memory, 5), "JMP", { MemFarV }, Operation::JmpFarIndirect, transfer),
    entry(one(0x9a), "CALL", { FarPointerV }, Operation::CallFar, transfer),
    entry(one(0xff, ModRm::Memory, 3), "CALL", { MemFarV }, Operation::CallFarIndirect, transfer),
    entry(one(0xca), "RETF", { Imm16 }, Operation::RetFar, transfer),
    entry(one(0xcb), "RETF", {}, Operation::RetFar, transfer),
    entry(one(0xcf), "IRET", {}, Operation::Iret, { endsBlock, eflags::nestedTask, anyFlag }),
    entry(one(0xcd), "INT", { Imm8 }, Operation::Int, interruptCall),
    entry(one(0xcc), "INT3", {}, Operation::Int3, interruptCall),
    entry(one(0xce), "INTO", {}, Operation::Into, interruptCall),
    entry(one(0xf1), "INT1", {}, Operation::Int1, interruptCall),
    entry(two(0x34), "SYSENTER", {}, Operation::Sysenter,
        { endsBlock, 0, eflags::interruptEnable | eflags::virtual8086 | eflags::resume, Feature::Sep }),
    entry(two(0x35), "SYSEXIT", {}, Operation::Sysexit, { control, 0, 0, Feature::Sep }),

    // -- descriptor tables and questions about selectors
    entry(two(0x00, ModRm::Register, 0), "SLDT", { RmV }, Operation::Sldt, { writes }),
    entry(two(0x00, ModRm::Memory, 0), "SLDT", { Mem16 }, Operation::Sldt, { writes }),
    entry(two(0x00, ModRm::Register, 1), "STR", { RmV }, Operation::Str, { writes }),
    entry(two(0x00, ModRm::Memory, 1), "STR", { Mem16 }, Operation::Str, { writes }),
    entry(two(0x00, ModRm::Any, 2), "LLDT", { Rm16 }, Operation::Lldt, { privileged }),
    entry(two(0x00, ModRm::Any, 3), "LTR", { Rm16 }, Operation::Ltr, { privileged }),
    entry(two(0x00, ModRm::Any, 4), "VERR", { Rm16 }, Operation::Verr, { 0, 0, eflags::zero }),
    entry(two(0x00, ModRm::Any, 5), "VERW", { Rm16 }, Operation::Verw, { 0, 0, eflags::zero }),
    entry(two(0x01, ModRm::Memory, 0), "SGDT", { Memory }, Operation::Sgdt, { writes }),
    entry(two(0x01, ModRm::Memory, 1), "SIDT", { Memory }, Operation::Sidt, { writes }),
    entry(two(0x01, ModRm::Memory, 2), "LGDT", { Memory }, Operation::Lgdt, { privileged }),
    entry(two(0x01, ModRm::Memory, 3), "LIDT", { Memory }, Operation::Lidt, { privileged }),
    entry(two(0x02, ModRm::Any), "LAR", { RegV, Rm16 }, Operation::Lar, asksAboutSelector),
    entry(two(0x03, ModRm::Any), "LSL", { RegV, Rm16 }, Operation::Lsl, asksAboutSelector),
    entry(one(0x63, ModRm::Any), "ARPL", { Rm16, Reg16 }, Operation::Arpl,
        { readsDestination | writesDestination, 0, eflags::zero }),

    // -- control registers, caches, flags
    entry(two(0x01, ModRm::Register, 4), "SMSW", { RmV }, Operation::Smsw, { writes }),
    entry(two(0x01, ModRm::Memory, 4), "SMSW", { Mem16 }, Operation::Smsw, { writes }),
    entry(two(0x01, ModRm::Any, 6), "LMSW", { Rm16 }, Operation::Lmsw, { control }),
    entry(two(0x01, ModRm::Memory, 7), "INVLPG", { Memory }, Operation::Invlpg, { control }),
    entry(two(0x06), "CLTS", {}, Operation::Clts, { control }),
    entry(two(0x08), "INVD", {}, Operation::Invd, { privileged }),
    entry(two(0x09), "WBINVD", {}, Operation::Wbinvd, { privileged }),
    // ModRM.mod is ignored: the operands are registers whatever it says.
    entry(two(0x20, ModRm::Any), "MOV", { Rm32, ControlReg }, Operation::MoveFromControl, { privileged | writes }),
    entry(two(0x21, ModRm::Any), "MOV", { Rm32, DebugReg }, Operation::MoveFromDebug, { privileged | writes }),
    entry(two(0x22, ModRm::Any), "MOV", { ControlReg, Rm32 }, Operation::MoveToControl, { control }),
    entry(two(0x23, ModRm::Any), "MOV", { DebugReg, Rm32 }, Operation::MoveToDebug, { control }),
    entry(one(0xf4), "HLT", {}, Operation::Hlt, { control }),
    entry(one(0xfa), "CLI", {}, Operation::Cli, { ioPrivileged, 0, eflags::interruptEnable }),
    entry(one(0xfb), "STI", {}, Operation::Sti, { ioPrivileged | endsBlock, 0, eflags::interruptEnable }),
    entry(one(0x9c), "PUSHF", {}, Operation::Pushf, { 0, anyFlag, 0 }),
    entry(one(0x9d), "POPF", {}, Operation::Popf, { endsBlock, 0, anyFlag }),

    // -- ports
    entry(one(0xe4), "IN", { Al, Imm8 }, Operation::In, { ioPrivileged | endsBlock | writes }),
    entry(one(0xe5), "IN", { AccumulatorV, Imm8 }, Operation::In, { ioPrivileged | endsBlock | writes }),
    entry(one(0xe6), "OUT", { Imm8, Al }, Operation::Out, { ioPrivileged | endsBlock }),
    entry(one(0xe7), "OUT", { Imm8, AccumulatorV }, Operation::Out, { ioPrivileged | endsBlock }),
    entry(one(0xec), "IN", { Al, Dx }, Operation::In, { ioPrivileged | endsBlock | writes }),
    entry(one(0xed), "IN", { AccumulatorV, Dx }, Operation::In, { ioPrivileged | endsBlock | writes }),
    entry(one(0xee), "OUT", { Dx, Al }, Operation::Out, { ioPrivileged | endsBlock }),
    entry(one(0xef), "OUT", { Dx, AccumulatorV }, Operation::Out, { ioPrivileged | endsBlock }),
    entry(one(0x6c), "INS", { StringDestinationB, Dx }, Operation::Ins,
        { ioPrivileged | endsBlock | repeatable | writes, eflags::direction }),
    entry(one(0x6d), "INS", { StringDestinationV, Dx }, Operation::Ins,
        { ioPrivileged | endsBlock | repeatable | writes, eflags::direction }),
    entry(one(0x6e), "OUTS", { Dx, StringSourceB }, Operation::Outs,
        { ioPrivileged | endsBlock | repeatable, eflags::direction }),
    entry(one(0x6f), "OUTS", { Dx, StringSourceV }, Operation::Outs,
        { ioPrivileged | endsBlock | repeatable, eflags::direction }),

    // -- counters, model-specific registers, identification
    entry(two(0x30), "WRMSR", {}, Operation::Wrmsr, { privileged, 0, 0, Feature::Msr }),
    entry(two(0x31), "RDTSC", {}, Operation::Rdtsc, { 0, 0, 0, Feature::Tsc }),
    entry(two(0x32), "RDMSR", {}, Operation::Rdmsr, { privileged, 0, 0, Feature::Msr }),
    entry(two(0x33), "RDPMC", {}, Operation::Rdpmc, { 0, 0, 0, Feature::Mmx }), // came with MMX
    entry(two(0xa2), "CPUID", {}, Operation::Cpuid),
};

} // namespace

std::span<const InstructionEntry> systemInstructions()
{
    return entries;
}

} // namespace namsan
