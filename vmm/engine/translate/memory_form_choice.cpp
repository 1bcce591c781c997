// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/memory_form_choice.h"

#include "vmm/engine/paging/guarded_memory.h"
#include "vmm/engine/translate/translator.h"

#include <fmt/format.h>

namespace namsan {

MemoryFormChoice chooseMemoryForm(MemoryFormWish wish)
{
    if (wish == MemoryFormWish::Tlb)
        return { false, "It compares with tables of its memory (tlb), as was asked for." };
    const auto instead = [](const std::string& why) {
        return MemoryFormChoice { false, fmt::format("It compares with tables of its memory (tlb): {}", why) };
    };
    if (const auto possible = Translator::canBeFlat(); !possible)
        return instead(possible.error().message);
    const auto memory = GuestMemory::create(GuestMemory::smallest);
    if (!memory)
        return instead(memory.error().message);
    const auto guarded = GuardedMemory::create(**memory);
    if (!guarded)
        return instead(guarded.error().message);
    const bool guardPages = (*guarded)->means() == GuardedMemory::Means::GuardPages;
    return { true,
        fmt::format("It believes the tables of its memory (flat); {} keep accesses from running over a page's end.",
            guardPages ? "guard pages" : "userfaultfd's minor faults") };
}

} // namespace namsan
