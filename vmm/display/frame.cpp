// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/display/frame.h"

#include <algorithm>

namespace namsan {

PixelRect united(const PixelRect& a, const PixelRect& b)
{
    if (a.empty())
        return b;
    if (b.empty())
        return a;
    const int left = std::min(a.x, b.x);
    const int top = std::min(a.y, b.y);
    const int right = std::max(a.x + a.width, b.x + b.width);
    const int bottom = std::max(a.y + a.height, b.y + b.height);
    return { left, top, right - left, bottom - top };
}

} // namespace namsan
