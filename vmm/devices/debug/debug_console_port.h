// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"
#include "vmm/board/device.h"
#include "vmm/board/messages.h"
#include "vmm/board/port_bus.h"

namespace namsan {

// A port that no PC has: what a guest writes to it, the machine's owner reads. A read gives E9h, by which a guest can
// tell that the port is there. Bochs introduced it at E9; SeaBIOS writes its messages to 402h.
class DebugConsolePort final : public Device, public PortHandler {
public:
    static constexpr Port bochsAddress = 0xe9;
    static constexpr Port seaBiosAddress = 0x402;
    static constexpr uint8_t presence = 0xe9;

    DebugConsolePort(PortBus&, Port address, std::string_view name, Channel<DebugOutput>&);

    uint32_t portIn(Port, Width) override { return presence; }
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return m_name; }
    void reset() override { }
    void save(StateWriter&) const override { } // has no state
    Result<void> restore(StateReader&) override { return {}; }

private:
    std::string_view m_name;
    Channel<DebugOutput>& m_output;
};

} // namespace namsan
