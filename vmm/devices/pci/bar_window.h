// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/mmio_bus.h"
#include "vmm/board/port_bus.h"

#include <cstdint>
#include <optional>

namespace namsan {

// What a base address register opens on the bus of memory addresses, wherever the guest moves it to.
//
// RAM lies before the bus, so a window over RAM is never seen. Where a window would overlap another owner's addresses
// it stays closed until it is moved again; real buses would have both answer. All calls under the board lock.
class MemoryBarWindow {
public:
    MemoryBarWindow(MmioBus& bus, uint32_t size, MmioHandler& handler)
        : m_bus(bus)
        , m_size(size)
        , m_handler(handler)
    {
    }
    ~MemoryBarWindow() { moveTo({}); }
    MemoryBarWindow(const MemoryBarWindow&) = delete;
    MemoryBarWindow& operator=(const MemoryBarWindow&) = delete;

    // As PciConfigurationSpace::barAddress() gives it; empty closes the window.
    void moveTo(std::optional<uint32_t> address);
    std::optional<uint32_t> address() const { return m_address; } // empty while it is closed

private:
    MmioBus& m_bus;
    uint32_t m_size;
    MmioHandler& m_handler;
    std::optional<uint32_t> m_address;
};

// The same on the bus of I/O ports. Addresses above FFFF are no ports: the window stays closed.
class IoBarWindow {
public:
    // widest is the widest access that the handler understands. size is at most 256 (PCI 2.1, 6.2.5.1).
    IoBarWindow(PortBus& bus, uint32_t size, PortHandler& handler, Width widest = Width::Dword)
        : m_bus(bus)
        , m_size(size)
        , m_handler(handler)
        , m_widest(widest)
    {
    }
    ~IoBarWindow() { moveTo({}); }
    IoBarWindow(const IoBarWindow&) = delete;
    IoBarWindow& operator=(const IoBarWindow&) = delete;

    void moveTo(std::optional<uint32_t> address);
    std::optional<uint32_t> address() const { return m_address; }

private:
    PortBus& m_bus;
    uint32_t m_size;
    PortHandler& m_handler;
    Width m_widest;
    std::optional<uint32_t> m_address;
};

} // namespace namsan
