// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"
#include "vmm/board/state_stream.h"
#include "vmm/board/width.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace namsan {

// Offsets in the configuration space's header. PCI Local Bus Specification 2.1, 6.1 and 6.2.
namespace pci {
constexpr uint8_t vendorId = 0x00;
constexpr uint8_t deviceId = 0x02;
constexpr uint8_t command = 0x04;
constexpr uint8_t status = 0x06;
constexpr uint8_t revisionId = 0x08;
constexpr uint8_t classCode = 0x09; // 3 bytes: programming interface, sub-class, base class
constexpr uint8_t headerType = 0x0e;
constexpr uint8_t baseAddress = 0x10; // six dwords
constexpr uint8_t subsystemVendorId = 0x2c;
constexpr uint8_t subsystemId = 0x2e;
constexpr uint8_t capabilitiesPointer = 0x34;
constexpr uint8_t interruptLine = 0x3c;
constexpr uint8_t interruptPin = 0x3d;

// Bits of the command register.
constexpr uint16_t ioSpace = 1 << 0;
constexpr uint16_t memorySpace = 1 << 1;
constexpr uint16_t busMaster = 1 << 2;
constexpr uint16_t interruptDisable = 1 << 10; // PCI 2.3

// Bits of the status register.
constexpr uint16_t capabilitiesList = 1 << 4; // PCI 2.2
} // namespace pci

// The 256 bytes of one function: what they hold, what the guest may change, and the base address registers. A function
// describes itself in its constructor; nothing is writable that it does not name.
class PciConfigurationSpace {
public:
    // classCode is the 24 bits of base class, sub-class and programming interface: 0x060000 is a host bridge.
    PciConfigurationSpace(uint16_t vendor, uint16_t device, uint32_t classCode, uint8_t revision);

    // What a register holds after reset.
    void setByte(uint8_t offset, uint8_t value);
    void setWord(uint8_t offset, uint16_t value);
    // The bits that the guest may write, and those that a 1 written clears.
    void setWritable(uint8_t offset, uint8_t mask);
    void setWritableWord(uint8_t offset, uint16_t mask);
    void setClearedByOne(uint8_t offset, uint8_t mask);

    // size is a power of two, at least 16 bytes of memory or 4 ports; index 0 to 5. PCI 2.1, 6.2.5.1.
    void addMemoryBar(unsigned index, uint32_t size, bool prefetchable);
    void addIoBar(unsigned index, uint32_t size);
    // Where the guest put it; empty while the command register does not enable it or it lies at 0.
    std::optional<uint32_t> barAddress(unsigned index) const;

    uint32_t read(uint8_t offset, Width) const;
    void write(uint8_t offset, Width, uint32_t value);
    uint8_t byte(uint8_t offset) const { return m_bytes[offset]; }
    uint16_t commandRegister() const { return static_cast<uint16_t>(read(pci::command, Width::Word)); }

    void reset() { m_bytes = m_initial; }
    void save(StateWriter& state) const { state.put(m_bytes); }
    // Read-only bits must be those of this function.
    Result<void> restore(StateReader&, std::string_view device);

private:
    static constexpr size_t size = 256;

    void makeBarWritable(unsigned index, uint32_t size);

    std::array<uint8_t, size> m_initial {};
    std::array<uint8_t, size> m_bytes {};
    std::array<uint8_t, size> m_writable {};
    std::array<uint8_t, size> m_clearedByOne {};
};

} // namespace namsan
