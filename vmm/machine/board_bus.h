// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/motherboard.h"
#include "vmm/devices/interrupt/dual_pic.h"
#include "vmm/devices/interrupt/io_apic.h"
#include "vmm/session/vm_session.h"

namespace namsan {

// The way from a vCPU to the board: every access enters the board on the vCPU's own thread.
class BoardBus final : public GuestBus {
public:
    BoardBus(Motherboard& board, DualPic& pic, IoApic& ioApic)
        : m_board(board)
        , m_pic(pic)
        , m_ioApic(ioApic)
    {
    }

    uint32_t portIn(Port port, Width width) override
    {
        const Held held = m_board.enter();
        return m_board.ports(held).in(port, width);
    }
    void portOut(Port port, Width width, uint32_t value) override
    {
        const Held held = m_board.enter();
        m_board.ports(held).out(port, width, value);
    }
    uint64_t mmioRead(PhysicalAddress address, unsigned size) override
    {
        const Held held = m_board.enter();
        return m_board.mmio(held).read(address, size);
    }
    void mmioWrite(PhysicalAddress address, unsigned size, uint64_t value) override
    {
        const Held held = m_board.enter();
        m_board.mmio(held).write(address, size, value);
    }
    uint8_t acknowledgeInterrupt() override
    {
        const Held held = m_board.enter();
        return m_pic.acknowledge();
    }
    void endOfInterrupt(uint8_t vector) override
    {
        const Held held = m_board.enter();
        m_ioApic.endOfInterrupt(vector);
    }

private:
    Motherboard& m_board;
    DualPic& m_pic;
    IoApic& m_ioApic;
};

} // namespace namsan
