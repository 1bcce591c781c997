// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/guest_memory.h"

namespace namsan {

// The ROM from which the processor starts: it ends at 4 GiB, where the first instruction is fetched, and its last
// 128 KiB (all of a smaller one) are there below 1 MiB, too, for code in real mode.
// Intel 82371SB (PIIX3) datasheet (290550-002), "XBCS: X-Bus Chip Select Register".
//
// The copy below 1 MiB is RAM on this board (the host bridge's PAM registers do nothing): each reset makes it anew, and
// the guest may write to it.
class FirmwareRom final : public Device {
public:
    // Memory and region, which holds the image, outlive the device.
    FirmwareRom(GuestMemory&, const GuestMemory::Region&);

    std::string_view name() const override { return "firmware ROM"; }
    void reset() override;
    void save(StateWriter&) const override { } // has no state
    Result<void> restore(StateReader&) override { return {}; }

private:
    GuestMemory& m_memory;
    GuestMemory::Region m_region;
};

} // namespace namsan
