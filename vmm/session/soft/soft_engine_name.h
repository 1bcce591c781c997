// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/translate/memory_form_choice.h"

#include <optional>
#include <string_view>

namespace namsan {

// What the name of a software engine asks for: "soft", "soft:interpreter", "soft:translator" or "soft:lockstep". Behind
// the last two, for developers who look for what is wrong or slow, ",memory=tlb" or ",memory=flat" chooses the form of
// memory, and ",bases=unkept" after that has what base registers point to looked up at each access.
struct SoftEngineName {
    enum class Kind { Best, Interpreter, Translator, Lockstep };

    Kind kind = Kind::Best;
    MemoryFormWish memory = MemoryFormWish::Best;
    bool keepsBases = true;

    bool operator==(const SoftEngineName&) const = default;
};

// Empty: it is no such name.
std::optional<SoftEngineName> parseSoftEngineName(std::string_view);

} // namespace namsan
