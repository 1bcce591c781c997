// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/translation_sets.h"

#include "vmm/engine/paging/flat_tables.h"

#include <algorithm>

namespace namsan {

TranslationSet::TranslationSet()
{
    tables[1].user = true;
}

TranslationSet::~TranslationSet() = default;

TranslationSets::~TranslationSets() = default;

TranslationSets::TranslationSets()
{
    m_directories.push_back(0);
    m_sets.push_back(std::make_unique<TranslationSet>());
}

TranslationSets::Found TranslationSets::find(uint32_t directory)
{
    ++m_now;
    const auto place = std::ranges::find(m_directories, directory);
    if (place != m_directories.end()) {
        TranslationSet& set = *m_sets[static_cast<size_t>(place - m_directories.begin())];
        set.lastUse = m_now;
        return { &set, true };
    }
    size_t number = m_sets.size();
    if (number < mostSets) {
        m_directories.push_back(directory);
        m_sets.push_back(std::make_unique<TranslationSet>());
    } else {
        const auto oldest = std::ranges::min_element(m_sets, {}, [](const auto& set) { return set->lastUse; });
        number = static_cast<size_t>(oldest - m_sets.begin());
        m_directories[number] = directory;
    }
    TranslationSet& set = *m_sets[number];
    set.directory = directory;
    set.lastUse = m_now;
    return { &set, false };
}

} // namespace namsan
