// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/translate/translator_bench.h"

#include "vmm/engine/interpret/interrupt_delivery.h"

#include <cstring>
#include <fmt/format.h>

namespace namsan {

std::optional<Interpreter::Stop> TranslatorBench::stepUntilHalt(uint32_t eip, unsigned most)
{
    cpu.eip = cpu.nextEip = eip;
    try {
        for (; most > 0 && !cpu.halted; --most)
            step();
    } catch (const TripleFault&) {
        return Interpreter::Stop::TripleFault;
    }
    cpu.eip = cpu.nextEip;
    if (!cpu.halted)
        return {};
    return Interpreter::Stop::Halted;
}

void TranslatorBench::noteFlags(const Instruction& instruction)
{
    const InstructionEntry& entry = *instruction.entry;
    // Shifts by a count "read" what a count of 0 leaves alone, which is no question about it.
    const bool shift = (entry.operation >= Operation::Rol && entry.operation <= Operation::Sar)
        || entry.operation == Operation::Shld || entry.operation == Operation::Shrd;
    const bool throughCarry = entry.operation == Operation::Rcl || entry.operation == Operation::Rcr;
    const uint32_t read = shift ? (throughCarry ? eflags::carry : 0) : entry.flagsRead;
    usedUndefinedFlags |= (read & undefinedFlags) != 0;
    if (!shift)
        undefinedFlags &= ~entry.flagsWritten;
    undefinedFlags |= entry.flagsUndefined;
}

void TranslatorBench::step()
{
    try {
        cpu.eip = cpu.nextEip;
        const Block& block = codeCache.find(cpu.eip, cpu.code32(), cpu.memory.fetchGeneration());
        codeCache.setRunning(block);
        noteFlags(block.instructions[0]);
        cpu.nextEip = cpu.eip + block.instructions[0].length;
        cpu.otherFlags &= ~eflags::resume; // as the interpreter's loop does: it holds for one instruction
        block.instructions[0].execute(cpu, block.instructions[0]);
        if (cpu.nextEip != cpu.eip)
            counters.instructions.add();
    } catch (const Fault& fault) {
        deliverException(cpu, fault);
    }
}

std::string differenceOf(const TranslatorBench& interpreted, const TranslatorBench& translated, uint32_t flags)
{
    std::string difference;
    const auto compare = [&](std::string_view what, uint32_t left, uint32_t right) {
        if (left != right)
            difference += fmt::format("{} {:08x}, translated {:08x}; ", what, left, right);
    };
    static constexpr std::array<std::string_view, 8> names { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
    for (size_t n = 0; n < names.size(); ++n)
        compare(names[n], interpreted.cpu.gpr[n], translated.cpu.gpr[n]);
    compare("eip", interpreted.cpu.eip, translated.cpu.eip);
    compare("cr2", interpreted.cpu.cr2, translated.cpu.cr2);
    const uint32_t compared = flags | ~eflags::arithmetic;
    compare("eflags", interpreted.cpu.eflags() & compared, translated.cpu.eflags() & compared);
    constexpr uint64_t mapped = 4 << 20; // all that the bench's page tables reach
    for (uint64_t page = 0; page < mapped; page += GuestMemory::pageSize) {
        const uint8_t* left = interpreted.memory->pageHost(page);
        const uint8_t* right = translated.memory->pageHost(page);
        if (!left || !right || std::memcmp(left, right, GuestMemory::pageSize) == 0)
            continue;
        for (size_t n = 0; n < GuestMemory::pageSize; ++n)
            if (left[n] != right[n]) {
                difference += fmt::format("[{:x}] {:02x}, translated {:02x}; ", page + n, left[n], right[n]);
                break;
            }
    }
    return difference;
}

} // namespace namsan
