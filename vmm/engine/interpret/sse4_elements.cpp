// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/handler_table.h"
#include "vmm/engine/interpret/simd_handlers.h"
#include "vmm/engine/interpret/simd_operands.h"

// SSE4.1: single elements in and out, and blends of two registers by an immediate or by the signs in XMM0. Nothing is
// computed. Intel SDM volume 1, 12.8.5 to 12.8.9.
namespace namsan {

namespace {

template <class Element> using Elements = std::array<Element, 16 / sizeof(Element)>;

template <class Element> Elements<Element> elementsOf(Processor& processor, unsigned number)
{
    return std::bit_cast<Elements<Element>>(xmmRegister(processor, number));
}

template <class Element>
void put(Processor& processor, const Instruction& instruction, const Elements<Element>& elements)
{
    xmmRegister(processor, instruction.reg) = std::bit_cast<RegisterXmm>(elements);
}

// A register takes the element with zeros above, memory just the element.
template <class Element> void extract(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto elements = elementsOf<Element>(processor, instruction.reg);
    const Element element = elements[instruction.immediate % elements.size()];
    if (instruction.rmIsMemory)
        processor.writeOperand<Element>(instruction, element);
    else
        processor.gpr[instruction.rm] = element;
}

template <class Element> void insert(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const auto element = instruction.rmIsMemory ? processor.readOperand<Element>(instruction)
                                                : static_cast<Element>(processor.gpr[instruction.rm]);
    auto elements = elementsOf<Element>(processor, instruction.reg);
    elements[instruction.immediate % elements.size()] = element;
    put<Element>(processor, instruction, elements);
}

// Immediate bits 7 and 6: the source's single, if it is a register; 5 and 4: the destination's; 3 to 0: which of the
// destination become 0.
void insertSingle(Processor& processor, const Instruction& instruction)
{
    requireSse(processor);
    const uint32_t single = instruction.rmIsMemory
        ? processor.readOperand<uint32_t>(instruction)
        : elementsOf<uint32_t>(processor, instruction.rm)[instruction.immediate >> 6 & 3];
    auto singles = elementsOf<uint32_t>(processor, instruction.reg);
    singles[instruction.immediate >> 4 & 3] = single;
    for (unsigned i = 0; i < 4; ++i)
        if (instruction.immediate >> i & 1)
            singles[i] = 0;
    put<uint32_t>(processor, instruction, singles);
}

template <class Element, class Chooses>
void blend(Processor& processor, const Instruction& instruction, const Chooses& fromSource)
{
    requireSse(processor);
    const auto source = std::bit_cast<Elements<Element>>(readXmmRm<16>(processor, instruction));
    auto elements = elementsOf<Element>(processor, instruction.reg);
    for (unsigned i = 0; i < elements.size(); ++i)
        if (fromSource(i))
            elements[i] = source[i];
    put<Element>(processor, instruction, elements);
}

template <class Element> void blendByImmediate(Processor& processor, const Instruction& instruction)
{
    blend<Element>(processor, instruction, [&](unsigned i) { return instruction.immediate >> i & 1; });
}

template <class Element> void blendBySigns(Processor& processor, const Instruction& instruction)
{
    const auto signs = elementsOf<Element>(processor, 0);
    blend<Element>(processor, instruction, [&](unsigned i) { return signs[i] >> (8 * sizeof(Element) - 1); });
}

} // namespace

void bindSse4Elements(HandlerTable& table)
{
    table.bind(Operation::Pextrb, extract<uint8_t>);
    table.bind(Operation::Pextrw, extract<uint16_t>);
    table.bind(Operation::Pextrd, extract<uint32_t>);
    table.bind(Operation::Pinsrb, insert<uint8_t>);
    table.bind(Operation::Pinsrd, insert<uint32_t>);
    table.bind(Operation::Insertps, insertSingle);
    table.bind(Operation::Blendps, blendByImmediate<uint32_t>);
    table.bind(Operation::Blendpd, blendByImmediate<uint64_t>);
    table.bind(Operation::Pblendw, blendByImmediate<uint16_t>);
    table.bind(Operation::Blendvps, blendBySigns<uint32_t>);
    table.bind(Operation::Blendvpd, blendBySigns<uint64_t>);
    table.bind(Operation::Pblendvb, blendBySigns<uint8_t>);
}

} // namespace namsan
