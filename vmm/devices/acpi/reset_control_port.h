// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/port_bus.h"

namespace namsan {

class ResetLine;

// The reset control register of the PIIX: Intel 82371SB (PIIX3) datasheet, 2.5.4.1 (RC). It answers to byte accesses
// only and lies within the dword register of PCI's configuration address, so it claims no port: PciBus hands it the
// cycles that are its own.
class ResetControlPort final : public Device, public PortHandler {
public:
    static constexpr Port address = 0xcf9;
    static constexpr uint8_t systemReset = 1 << 1; // a hard reset rather than one of the processor only
    static constexpr uint8_t resetProcessor = 1 << 2; // the rising edge resets
    static constexpr uint8_t hardReset = systemReset | resetProcessor; // FADT's RESET_VALUE

    explicit ResetControlPort(ResetLine&);

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "reset control register"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    ResetLine& m_resetLine;
    uint8_t m_value = 0;
};

} // namespace namsan
