// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/interpreted_host.h"
#include "vmm/engine/decode/code_cache.h"
#include "vmm/engine/interpret/attention.h"
#include "vmm/engine/translate/translator.h"

#include <memory>
#include <optional>

namespace namsan {

// The same with the instruction in translated form.
class TranslatedHost : public InterpretedHost {
public:
    explicit TranslatedHost(bool flat);

    // Nothing where the translator leaves the instruction to the interpreter.
    std::optional<Outcome> run(const NativeCase&);

private:
    Attention m_attention;
    CodeCache m_codeCache { *m_memory, m_processor->memory, bus(), m_decoder, m_counters, m_attention };
    std::unique_ptr<Translator> m_translator;
};

} // namespace namsan
