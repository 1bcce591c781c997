// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/pci/pci_configuration_space.h"

#include <bit>
#include <cassert>

namespace namsan {

namespace {

// The low bits of a base address register. PCI 2.1, figures 6-5 and 6-6.
constexpr uint32_t barIsIo = 1 << 0;
constexpr uint8_t barPrefetchable = 1 << 3;
constexpr uint32_t barIoFlags = 0x3;
constexpr uint32_t barMemoryFlags = 0xf;

uint8_t barOffset(unsigned index)
{
    assert(index < 6);
    return static_cast<uint8_t>(pci::baseAddress + 4 * index);
}

} // namespace

PciConfigurationSpace::PciConfigurationSpace(uint16_t vendor, uint16_t device, uint32_t classCode, uint8_t revision)
{
    setWord(pci::vendorId, vendor);
    setWord(pci::deviceId, device);
    setByte(pci::revisionId, revision);
    setByte(pci::classCode, static_cast<uint8_t>(classCode));
    setWord(pci::classCode + 1, static_cast<uint16_t>(classCode >> 8));
}

void PciConfigurationSpace::setByte(uint8_t offset, uint8_t value)
{
    m_initial[offset] = value;
    m_bytes[offset] = value;
}

void PciConfigurationSpace::setWord(uint8_t offset, uint16_t value)
{
    setByte(offset, static_cast<uint8_t>(value));
    setByte(static_cast<uint8_t>(offset + 1), static_cast<uint8_t>(value >> 8));
}

void PciConfigurationSpace::setWritable(uint8_t offset, uint8_t mask)
{
    m_writable[offset] = mask;
}

void PciConfigurationSpace::setWritableWord(uint8_t offset, uint16_t mask)
{
    setWritable(offset, static_cast<uint8_t>(mask));
    setWritable(static_cast<uint8_t>(offset + 1), static_cast<uint8_t>(mask >> 8));
}

void PciConfigurationSpace::setClearedByOne(uint8_t offset, uint8_t mask)
{
    m_clearedByOne[offset] = mask;
}

void PciConfigurationSpace::addMemoryBar(unsigned index, uint32_t barSize, bool prefetchable)
{
    assert(barSize >= 16);
    setByte(barOffset(index), prefetchable ? barPrefetchable : 0);
    makeBarWritable(index, barSize);
    m_writable[pci::command] |= pci::memorySpace;
}

void PciConfigurationSpace::addIoBar(unsigned index, uint32_t barSize)
{
    assert(barSize >= 4);
    setByte(barOffset(index), barIsIo);
    makeBarWritable(index, barSize);
    m_writable[pci::command] |= pci::ioSpace;
}

// The guest finds the size out by writing all ones: what stays 0 is within the range.
void PciConfigurationSpace::makeBarWritable(unsigned index, uint32_t barSize)
{
    assert(std::has_single_bit(barSize));
    const uint32_t mask = ~(barSize - 1);
    setWritableWord(barOffset(index), static_cast<uint16_t>(mask));
    setWritableWord(static_cast<uint8_t>(barOffset(index) + 2), static_cast<uint16_t>(mask >> 16));
}

std::optional<uint32_t> PciConfigurationSpace::barAddress(unsigned index) const
{
    const uint32_t bar = read(barOffset(index), Width::Dword);
    const bool io = bar & barIsIo;
    const uint32_t address = bar & ~(io ? barIoFlags : barMemoryFlags);
    const bool enabled = m_bytes[pci::command] & (io ? pci::ioSpace : pci::memorySpace);
    if (!enabled || address == 0)
        return {};
    return address;
}

uint32_t PciConfigurationSpace::read(uint8_t offset, Width width) const
{
    assert(offset + bytesOf(width) <= size);
    uint32_t value = 0;
    for (unsigned i = 0; i < bytesOf(width); ++i)
        value |= static_cast<uint32_t>(m_bytes[offset + i]) << (8 * i);
    return value;
}

void PciConfigurationSpace::write(uint8_t offset, Width width, uint32_t value)
{
    assert(offset + bytesOf(width) <= size);
    for (unsigned i = 0; i < bytesOf(width); ++i) {
        const auto written = static_cast<uint8_t>(value >> (8 * i));
        uint8_t& byte = m_bytes[offset + i];
        const uint8_t writable = m_writable[offset + i];
        byte = static_cast<uint8_t>(
            ((byte & ~writable) | (written & writable)) & ~(written & m_clearedByOne[offset + i]));
    }
}

Result<void> PciConfigurationSpace::restore(StateReader& state, std::string_view device)
{
    const auto bytes = state.take<std::array<uint8_t, size>>();
    if (!bytes)
        return bytes.error();
    for (size_t i = 0; i < size; ++i) {
        const auto fixed = static_cast<uint8_t>(~(m_writable[i] | m_clearedByOne[i]));
        if (((*bytes)[i] ^ m_initial[i]) & fixed)
            return StateReader::impossible(device);
    }
    m_bytes = *bytes;
    return {};
}

} // namespace namsan
