// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/console/picture_scaling.h"

#include <algorithm>

namespace namsan {

namespace {

QRect centred(QSize size, QSize view)
{
    return { QPoint((view.width() - size.width()) / 2, (view.height() - size.height()) / 2), size };
}

} // namespace

PicturePlace placePicture(QSize picture, QSize view, PictureScaling scaling)
{
    if (picture.isEmpty() || view.isEmpty())
        return {};
    const bool fits = picture.width() <= view.width() && picture.height() <= view.height();
    const int multiple = std::min(view.width() / picture.width(), view.height() / picture.height());
    if (fits && scaling == PictureScaling::Integer)
        return { centred(picture * multiple, view), false, multiple };

    const QSize largest = picture.scaled(view, Qt::KeepAspectRatio);
    return { centred(largest, view), !fits || scaling == PictureScaling::Smooth, 0 };
}

} // namespace namsan
