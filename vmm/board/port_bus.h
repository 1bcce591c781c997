// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/width.h"

#include <cstdint>
#include <memory>

namespace namsan {

using Port = uint16_t;

// A device's side of the I/O ports that it owns. Called under the board lock.
class PortHandler {
public:
    virtual ~PortHandler() = default;

    // width is at most what the owner claimed with; the result's upper bits are ignored.
    virtual uint32_t portIn(Port, Width) = 0;
    virtual void portOut(Port, Width, uint32_t value) = 0;
};

// The 65,536 I/O ports: one owner per port, found by table.
//
// An access that is wider than its owner takes, or that runs over the end of an owner's range, becomes several
// narrower cycles, lowest address first, as the ISA bus does it. Unowned ports read as all ones and swallow writes.
// All calls under the board lock.
class PortBus {
public:
    PortBus();
    ~PortBus();
    PortBus(const PortBus&) = delete;
    PortBus& operator=(const PortBus&) = delete;

    // Gives first..last to the handler, which outlives the bus or releases them. widest is the widest single access
    // that the handler understands. Claiming an owned port is a programmer's mistake (asserted).
    void claim(Port first, Port last, PortHandler&, Width widest = Width::Byte);
    void claim(Port port, PortHandler& handler, Width widest = Width::Byte) { claim(port, port, handler, widest); }
    void release(Port first, Port last);
    // Whether nobody owns any of them: for ranges that the guest moves.
    bool isFree(Port first, Port last) const;

    uint32_t in(Port, Width);
    void out(Port, Width, uint32_t value);

private:
    struct Owner;
    struct Table;

    uint32_t inByParts(Port, Width);
    void outByParts(Port, Width, uint32_t value);
    const Owner* ownerOfWhole(Port, Width) const;

    std::unique_ptr<Table> m_table;
};

} // namespace namsan
