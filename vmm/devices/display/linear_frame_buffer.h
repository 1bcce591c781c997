// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/guest_memory.h"
#include "vmm/display/screen_source.h"

namespace namsan {

// A screen that is plain memory: 32 bits per pixel (blue in the lowest byte, red in bits 16-23, the upper byte
// unused), row after row without gaps, as screen_info describes it to Linux.
//
// The memory is written without anybody being told, so this must be polled: a look costs one byte per 4096 bytes of
// picture, and only what lies on written pages is compared and copied.
class LinearFrameBuffer final : public Device, public ScreenSource {
public:
    static constexpr unsigned bytesPerPixel = 4;

    // The memory that a picture needs, in whole pages: what GuestMemory::addTrackedRegion() is to be asked for.
    static uint64_t sizeFor(int width, int height);

    // The region has at least sizeFor(width, height) bytes and is this device's alone.
    LinearFrameBuffer(GuestMemory&, const GuestMemory::Region&, int width, int height);

    PhysicalAddress base() const { return m_region.base; }
    int width() const { return m_width; }
    int height() const { return m_height; }
    int bytesPerRow() const { return m_width * static_cast<int>(bytesPerPixel); }

    void paint(Frame&) override;
    bool mustBePolled() const override { return true; }
    std::optional<GuestTime> nextBlink() const override { return {}; }

    // Only the geometry is state: the picture itself is part of the guest's memory.
    std::string_view name() const override { return "linear frame buffer"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    PixelRect copyPage(uint64_t offset, Frame&) const;

    GuestMemory& m_memory;
    GuestMemory::Region m_region;
    int m_width;
    int m_height;
    bool m_everything = true; // copy all of it next time
};

} // namespace namsan
