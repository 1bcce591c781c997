// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/port_bus.h"

namespace namsan {

class GateA20;
class ResetLine;

// System control port A of the PS/2: one byte that gates address line 20 and resets the machine.
// IBM Personal System/2 Hardware Interface Technical Reference (1988), "System Control Port A".
class FastResetPort final : public Device, public PortHandler {
public:
    static constexpr Port address = 0x92;

    FastResetPort(PortBus&, GateA20&, ResetLine&);

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "system control port A"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    static constexpr uint8_t fastReset = 1 << 0;
    static constexpr uint8_t alternateGateA20 = 1 << 1;

    GateA20& m_gateA20;
    ResetLine& m_resetLine;
    uint8_t m_value = 0;
};

} // namespace namsan
