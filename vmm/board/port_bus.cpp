// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/board/port_bus.h"

#include <array>
#include <cassert>

namespace namsan {

struct PortBus::Owner {
    PortHandler* handler = nullptr;
    Width widest = Width::Byte;

    bool operator==(const Owner&) const = default;
};

struct PortBus::Table {
    std::array<Owner, 0x10000> owners;
};

PortBus::PortBus()
    : m_table(std::make_unique<Table>())
{
}

PortBus::~PortBus() = default;

void PortBus::claim(Port first, Port last, PortHandler& handler, Width widest)
{
    for (uint32_t port = first; port <= last; ++port) {
        assert(!m_table->owners[port].handler && "two devices claim one port");
        m_table->owners[port] = { &handler, widest };
    }
}

void PortBus::release(Port first, Port last)
{
    for (uint32_t port = first; port <= last; ++port)
        m_table->owners[port] = {};
}

bool PortBus::isFree(Port first, Port last) const
{
    for (uint32_t port = first; port <= last; ++port) {
        if (m_table->owners[port].handler)
            return false;
    }
    return true;
}

uint32_t PortBus::in(Port port, Width width)
{
    if (const Owner* owner = ownerOfWhole(port, width))
        return owner->handler->portIn(port, width) & allOnes(width);
    return inByParts(port, width);
}

void PortBus::out(Port port, Width width, uint32_t value)
{
    if (const Owner* owner = ownerOfWhole(port, width))
        return owner->handler->portOut(port, width, value & allOnes(width));
    outByParts(port, width, value);
}

uint32_t PortBus::inByParts(Port port, Width width)
{
    if (width == Width::Byte)
        return allOnes(Width::Byte);
    const Width half = width == Width::Dword ? Width::Word : Width::Byte;
    const unsigned bits = 8 * bytesOf(half);
    const uint32_t low = in(port, half);
    return low | in(static_cast<Port>(port + bytesOf(half)), half) << bits;
}

void PortBus::outByParts(Port port, Width width, uint32_t value)
{
    if (width == Width::Byte)
        return;
    const Width half = width == Width::Dword ? Width::Word : Width::Byte;
    out(port, half, value);
    out(static_cast<Port>(port + bytesOf(half)), half, value >> (8 * bytesOf(half)));
}

// The owner of every port that the access touches, where one owner has them all and takes the width in one piece.
const PortBus::Owner* PortBus::ownerOfWhole(Port port, Width width) const
{
    const Owner& owner = m_table->owners[port];
    if (!owner.handler || bytesOf(width) > bytesOf(owner.widest))
        return nullptr;
    for (unsigned i = 1; i < bytesOf(width); ++i) {
        if (m_table->owners[static_cast<Port>(port + i)] != owner)
            return nullptr;
    }
    return &owner;
}

} // namespace namsan
