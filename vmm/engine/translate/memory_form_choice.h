// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace namsan {

// How translated code reaches the guest's memory: by tables that it compares with (tlb), or by tables that it believes
// (flat), which is faster and asks more of the host.
enum class MemoryFormWish { Best, Tlb, Flat };

struct MemoryFormChoice {
    bool flat = false;
    std::string reason; // what was chosen and why, in a sentence
};

// What this host can do, tried with a small memory. For Flat it may not be possible; then the reason says why not.
MemoryFormChoice chooseMemoryForm(MemoryFormWish);

} // namespace namsan
