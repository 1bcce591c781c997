// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/paint/screenshot.h"

#include "vmm/base/file_writer.h"

#include <QBuffer>

#include <algorithm>
#include <string_view>

namespace namsan {

QImage toImage(const Frame& frame)
{
    QImage image(frame.width, frame.height, QImage::Format_RGB32);
    for (int y = 0; y < image.height(); ++y) {
        const auto row = frame.pixels.begin() + static_cast<std::ptrdiff_t>(y) * frame.width;
        std::copy_n(row, frame.width, reinterpret_cast<uint32_t*>(image.scanLine(y)));
    }
    return image;
}

Result<void> writeScreenshot(const Frame& frame, const std::string& path)
{
    QByteArray png;
    QBuffer buffer(&png);
    buffer.open(QIODevice::WriteOnly);
    if (!toImage(frame).save(&buffer, "PNG"))
        return Error { "The screenshot cannot be written: the guest has shown no picture yet. Try again when it has." };
    return writeWholeFile("The screenshot", path, { png.constData(), static_cast<size_t>(png.size()) });
}

} // namespace namsan
