// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/experiment.h"
#include "vmm/base/file_descriptor.h"
#include "vmm/base/result.h"
#include "vmm/host/topology.h"

#include <filesystem>

namespace namsan {

// Held while something is measured: two at once would measure each other. The folder is that of the archive;
// it is made if need be. The kernel lets go of it with the program. Fails with a sentence where another program holds
// it.
Result<FileDescriptor> lockMeasuring(const std::filesystem::path& folder);

// The host as results name it.
HostDescription describeHost(const Topology&);

} // namespace namsan
