// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/display/frame.h"

#include <QImage>

#include <string>

namespace namsan {

// A copy of a guest's picture.
QImage toImage(const Frame&);

// Writes the picture as PNG, whole or not at all. Fails with a sentence for the user. Needs no Qt application.
Result<void> writeScreenshot(const Frame&, const std::string& path);

} // namespace namsan
