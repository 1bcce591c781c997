// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/soft/soft_engine_name.h"

namespace namsan {

namespace {

bool takeFront(std::string_view& text, std::string_view front)
{
    if (!text.starts_with(front))
        return false;
    text.remove_prefix(front.size());
    return true;
}

} // namespace

std::optional<SoftEngineName> parseSoftEngineName(std::string_view name)
{
    using Kind = SoftEngineName::Kind;
    if (name == "soft")
        return SoftEngineName {};
    if (name == "soft:interpreter")
        return SoftEngineName { .kind = Kind::Interpreter };
    SoftEngineName parsed;
    if (takeFront(name, "soft:translator"))
        parsed.kind = Kind::Translator;
    else if (takeFront(name, "soft:lockstep"))
        parsed.kind = Kind::Lockstep;
    else
        return std::nullopt;
    if (takeFront(name, ",memory=tlb"))
        parsed.memory = MemoryFormWish::Tlb;
    else if (takeFront(name, ",memory=flat"))
        parsed.memory = MemoryFormWish::Flat;
    parsed.keepsBases = !takeFront(name, ",bases=unkept");
    return name.empty() ? std::optional(parsed) : std::nullopt;
}

} // namespace namsan
