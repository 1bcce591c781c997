// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/port_bus.h"

namespace namsan {

// The manufacturing test port: firmware writes its checkpoints here, and programs write to it to pass a microsecond.
// IBM PC/AT Technical Reference (1984), "I/O Address Map".
class PostCodePort final : public Device, public PortHandler {
public:
    static constexpr Port address = 0x80;

    explicit PostCodePort(PortBus&);

    uint8_t lastCode() const { return m_code; }

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "POST code port"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    uint8_t m_code = 0;
};

} // namespace namsan
