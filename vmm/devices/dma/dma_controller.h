// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/port_bus.h"
#include "vmm/devices/dma/dma_8237.h"

namespace namsan {

// The DMA controllers of the PC/AT: two 8237A at ports 00-0F (byte channels 0-3) and C0-DF (word channels 4-7, one
// register at every second port), and the page registers at 81-8F, which give address bits 16-23. No device of this
// board asks for a transfer: it is what programs set up and read back.
// IBM PC/AT Technical Reference (1984), "System DMA".
class DmaController final : public Device, public PortHandler {
public:
    explicit DmaController(PortBus&);

    const Dma8237& byteChannels() const { return m_byteChannels; }
    const Dma8237& wordChannels() const { return m_wordChannels; }

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "DMA controllers"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    Dma8237 m_byteChannels;
    Dma8237 m_wordChannels;
    std::array<uint8_t, 16> m_pages {}; // by the port's last digit; the first is the POST code port's
};

} // namespace namsan
