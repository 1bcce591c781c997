// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/linear_frame_buffer.h"

#include "vmm/base/bits.h"

#include <algorithm>
#include <atomic>
#include <cassert>

namespace namsan {

namespace {
constexpr uint32_t opaque = 0xff000000;

struct Columns {
    size_t first;
    size_t end; // one past the last; not above first: none
};

// Copies a piece of a row and tells which of its pixels were not the same before. vCPUs may be writing meanwhile: what
// is missed here has made its page dirty again. That race is the hardware's own and no business of ThreadSanitizer.
__attribute__((no_sanitize("thread"))) Columns copyPixels(const uint8_t* from, uint32_t* to, size_t count)
{
    const auto* pixels = reinterpret_cast<const volatile uint32_t*>(from);
    Columns changed { count, 0 };
    for (size_t i = 0; i < count; ++i) {
        const uint32_t pixel = pixels[i] | opaque;
        if (to[i] == pixel)
            continue;
        to[i] = pixel;
        changed.first = std::min(changed.first, i);
        changed.end = i + 1;
    }
    return changed;
}
} // namespace

uint64_t LinearFrameBuffer::sizeFor(int width, int height)
{
    const uint64_t bytes = static_cast<uint64_t>(width) * static_cast<uint64_t>(height) * bytesPerPixel;
    return alignUp(bytes, GuestMemory::pageSize);
}

LinearFrameBuffer::LinearFrameBuffer(GuestMemory& memory, const GuestMemory::Region& region, int width, int height)
    : m_memory(memory)
    , m_region(region)
    , m_width(width)
    , m_height(height)
{
    assert(width > 0 && height > 0 && region.size >= sizeFor(width, height));
}

void LinearFrameBuffer::paint(Frame& frame)
{
    frame.damage = {};
    if (frame.width != m_width || frame.height != m_height) {
        frame.width = m_width;
        frame.height = m_height;
        frame.pixels.assign(static_cast<size_t>(m_width) * static_cast<size_t>(m_height), opaque);
        frame.text.clear();
        m_everything = true;
    }

    PixelRect damage;
    const auto copy = [&](PhysicalAddress page) { damage = united(damage, copyPage(page - m_region.base, frame)); };
    const uint64_t size = sizeFor(m_width, m_height);
    if (m_everything) {
        m_memory.harvestDirty(m_region.base, size, [](PhysicalAddress) {});
        for (uint64_t offset = 0; offset < size; offset += GuestMemory::pageSize)
            copy(m_region.base + offset);
        damage = { 0, 0, m_width, m_height };
        m_everything = false;
    } else {
        m_memory.harvestDirty(m_region.base, size, copy);
    }
    frame.damage = damage;
}

// The pixels of one page, which are pieces of one or more rows.
PixelRect LinearFrameBuffer::copyPage(uint64_t offset, Frame& frame) const
{
    const auto width = static_cast<size_t>(m_width);
    const size_t end = std::min<size_t>((offset + GuestMemory::pageSize) / bytesPerPixel, frame.pixels.size());
    PixelRect damage;
    for (size_t pixel = offset / bytesPerPixel; pixel < end;) {
        const size_t column = pixel % width;
        const size_t count = std::min(width - column, end - pixel);
        const auto [first, last] = copyPixels(m_region.host + pixel * bytesPerPixel, &frame.pixels[pixel], count);
        if (first < last) {
            damage = united(damage,
                { static_cast<int>(column + first), static_cast<int>(pixel / width), static_cast<int>(last - first),
                    1 });
        }
        pixel += count;
    }
    return damage;
}

void LinearFrameBuffer::reset()
{
    m_memory.fill(m_region.base, m_region.size, 0);
    m_everything = true;
}

void LinearFrameBuffer::save(StateWriter& state) const
{
    state.put(m_region.base, m_width, m_height);
}

Result<void> LinearFrameBuffer::restore(StateReader& state)
{
    PhysicalAddress base = 0;
    int width = 0;
    int height = 0;
    if (auto taken = state.takeInto(base, width, height); !taken)
        return taken.error();
    // The size of the screen is the machine's configuration: a snapshot of another one does not fit.
    if (base != m_region.base || width != m_width || height != m_height)
        return StateReader::impossible(name());
    m_everything = true;
    return {};
}

} // namespace namsan
