// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/mmio_bus.h"

#include <algorithm>
#include <cassert>

namespace namsan {

namespace {
uint64_t allOnesOf(unsigned size)
{
    return size == 8 ? ~uint64_t { 0 } : (uint64_t { 1 } << (8 * size)) - 1;
}
} // namespace

void MmioBus::claim(PhysicalAddress base, uint64_t size, MmioHandler& handler)
{
    assert(size > 0);
    const auto next = std::upper_bound(
        m_ranges.begin(), m_ranges.end(), base, [](PhysicalAddress a, const Range& r) { return a < r.base; });
    assert((next == m_ranges.end() || base + size <= next->base) && "two devices claim one address");
    assert((next == m_ranges.begin() || std::prev(next)->base + std::prev(next)->size <= base)
        && "two devices claim one address");
    m_ranges.insert(next, { base, size, &handler });
}

void MmioBus::release(PhysicalAddress base)
{
    std::erase_if(m_ranges, [base](const Range& range) { return range.base == base; });
}

bool MmioBus::isFree(PhysicalAddress base, uint64_t size) const
{
    return std::ranges::none_of(m_ranges,
        [=](const Range& range) { return range.base < base + size && base < range.base + range.size; });
}

uint64_t MmioBus::read(PhysicalAddress address, unsigned size)
{
    const Range* range = find(address);
    if (range && address + size <= range->base + range->size)
        return range->handler->mmioRead(address, size) & allOnesOf(size);
    if (size == 1)
        return 0xff;
    uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i)
        value |= read(address + i, 1) << (8 * i);
    return value;
}

void MmioBus::write(PhysicalAddress address, unsigned size, uint64_t value)
{
    const Range* range = find(address);
    if (range && address + size <= range->base + range->size)
        return range->handler->mmioWrite(address, size, value & allOnesOf(size));
    if (size == 1)
        return;
    for (unsigned i = 0; i < size; ++i)
        write(address + i, 1, value >> (8 * i) & 0xff);
}

const MmioBus::Range* MmioBus::find(PhysicalAddress address) const
{
    const auto next = std::upper_bound(
        m_ranges.begin(), m_ranges.end(), address, [](PhysicalAddress a, const Range& r) { return a < r.base; });
    if (next == m_ranges.begin())
        return nullptr;
    const Range& range = *std::prev(next);
    return address - range.base < range.size ? &range : nullptr;
}

} // namespace namsan
