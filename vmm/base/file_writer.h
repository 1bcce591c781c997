// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <string>
#include <string_view>

namespace namsan {

// Writes a whole file so that there is never half of one: beside it first, then renamed. Keeps what a symbolic link
// points at a link, and writes straight into what is no regular file (/dev/stdout, a pipe). what is the thing's name in
// the sentence when it fails: "The record".
Result<void> writeWholeFile(std::string_view what, const std::string& path, std::string_view content);

// Tells before a long run what writeWholeFile() would stumble over after it, as far as that can be known: no such
// folder, no right to write there, a folder in the file's place. Creates nothing.
Result<void> checkWritable(std::string_view what, const std::string& path);

} // namespace namsan
