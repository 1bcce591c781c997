// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace namsan {

struct PixelRect {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;

    bool empty() const { return width <= 0 || height <= 0; }
    bool operator==(const PixelRect&) const = default;
};

// The smallest rectangle that holds both.
PixelRect united(const PixelRect&, const PixelRect&);

// One picture of a guest's screen.
struct Frame {
    int width = 0; // pixels
    int height = 0;
    std::vector<uint32_t> pixels; // 0xffRRGGBB, row after row, no padding
    PixelRect damage; // what changed since the viewer's last take
    uint64_t serial = 0; // counts the frames that the display has published
    std::vector<std::string> text; // text modes: the screen's lines as UTF-8, trailing blanks removed; else empty
};

} // namespace namsan
