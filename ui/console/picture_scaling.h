// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QRect>
#include <QSize>

namespace namsan {

enum class PictureScaling {
    Integer, // whole multiples: every pixel of the guest is the same square of device pixels
    Smooth, // as large as fits, interpolated
    Sharp, // as large as fits, each device pixel the nearest pixel of the guest
};

// Where a guest's picture goes in a view, everything in device pixels, so that nothing is resampled twice on screens
// with a fractional scale.
struct PicturePlace {
    QRect target; // centred in the view
    bool smooth = false; // interpolate
    int multiple = 0; // of whole-number scaling, else 0
};

// A picture that is larger than the view is shrunk, and then interpolated, in every mode.
PicturePlace placePicture(QSize picture, QSize view, PictureScaling);

} // namespace namsan
