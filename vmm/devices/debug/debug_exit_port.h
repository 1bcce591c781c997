// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"
#include "vmm/board/device.h"
#include "vmm/board/messages.h"
#include "vmm/board/port_bus.h"

namespace namsan {

// Four ports that no PC has: a write of 1, 2 or 4 bytes to them ends the run and tells how it went. They read as 0.
// Test guests know them from other machines as "isa-debug-exit".
class DebugExitPort final : public Device, public PortHandler {
public:
    static constexpr Port address = 0xf4; // to F7

    DebugExitPort(PortBus&, Channel<DebugExit>&);

    uint32_t portIn(Port, Width) override { return 0; }
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "debug exit port"; }
    void reset() override { }
    void save(StateWriter&) const override { } // has no state
    Result<void> restore(StateReader&) override { return {}; }

private:
    Channel<DebugExit>& m_exits;
};

} // namespace namsan
