// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/translated_host.h"

#include <stdexcept>

namespace namsan {

TranslatedHost::TranslatedHost(bool flat)
{
    TranslatorOptions options;
    options.codeBytes = 8 << 20;
    options.hotAfter = 1;
    options.longestUnit = 1;
    options.exactFlags = true;
    options.unitByUnit = true;
    options.flat = flat;
    auto translator = Translator::create(*m_processor, *m_memory, m_codeCache, m_decoder, m_attention, options);
    if (!translator)
        throw std::runtime_error(translator.error().message);
    m_translator = std::move(*translator);
}

std::optional<Outcome> TranslatedHost::run(const NativeCase& test)
{
    constexpr uint32_t breakpoint = 3;
    Processor& processor = *m_processor;
    m_memory->write(test.codeAddress, test.code);
    m_codeCache.codeWrittenHere(test.codeAddress, nativeCodeBytes);
    give(test.before);
    processor.nextEip = processor.eip;
    Instruction instruction;
    m_decoder.decode(test.code, true, instruction);
    const uint32_t operand = processor.offsetOf(instruction);
    const uint32_t size = instruction.operandSize;
    Accelerator::Outcome outcome {};
    // A repeated string instruction may stop between two repetitions.
    do {
        outcome = m_translator->run();
    } while (outcome == Accelerator::Outcome::GoOn && processor.nextEip == test.before.eip);
    if (outcome == Accelerator::Outcome::Interpret)
        return {};
    if (outcome == Accelerator::Outcome::GoOn) {
        processor.eip = processor.nextEip;
        return Outcome { take(), breakpoint, 0, 0, operand, size };
    }
    const Fault fault = *m_translator->takeFault();
    const uint32_t cr2 = fault.exception == Exception::PageFault ? processor.cr2 : 0;
    return Outcome { take(), static_cast<uint32_t>(fault.exception), fault.errorCode.value_or(0), cr2, operand, size };
}

} // namespace namsan
