// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/differential/native_case.h"
#include "tests/differential/native_stream.h"
#include "vmm/base/result.h"

#include <span>

namespace namsan {

// Runs the cases or streams on the host CPU: each one's results are in it afterwards. Fails where the host's kernel
// runs no 32-bit programs, or a case brought the runner down.
Result<void> runOnHost(std::span<NativeCase>);
Result<void> runOnHost(std::span<NativeStream>);

} // namespace namsan
