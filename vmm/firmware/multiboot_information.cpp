// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/multiboot_information.h"

#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/memory_map.h"
#include "vmm/firmware/multiboot_format.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace namsan {

namespace {

namespace info = multiboot::info;

constexpr std::string_view loaderName = "Namsan";

void describeScreen(std::span<uint8_t> bytes, const std::optional<LinearScreenInfo>& buffer)
{
    if (!buffer) {
        putLittleEndian<uint64_t>(bytes, info::frameBufferAddress, 0xb8000);
        putLittleEndian<uint32_t>(bytes, info::frameBufferPitch, 160);
        putLittleEndian<uint32_t>(bytes, info::frameBufferWidth, 80);
        putLittleEndian<uint32_t>(bytes, info::frameBufferHeight, 25);
        bytes[info::frameBufferDepth] = 16; // a character and its attribute
        bytes[info::frameBufferType] = info::egaText;
        return;
    }
    constexpr std::array<uint8_t, 6> colours { 16, 8, 8, 8, 0, 8 };
    putLittleEndian<uint64_t>(bytes, info::frameBufferAddress, buffer->base);
    putLittleEndian<uint32_t>(bytes, info::frameBufferPitch, buffer->lineLength);
    putLittleEndian<uint32_t>(bytes, info::frameBufferWidth, buffer->width);
    putLittleEndian<uint32_t>(bytes, info::frameBufferHeight, buffer->height);
    bytes[info::frameBufferDepth] = 32;
    bytes[info::frameBufferType] = info::directColour;
    std::copy(colours.begin(), colours.end(), bytes.begin() + info::frameBufferColours);
}

// Takes pieces of what lies behind the structure, one after the other.
class Pieces {
public:
    Pieces(std::span<uint8_t> bytes, uint32_t address)
        : m_bytes(bytes)
        , m_address(address)
    {
    }

    struct Piece {
        std::span<uint8_t> bytes;
        uint32_t address;
    };
    Piece take(uint64_t size)
    {
        const Piece piece { m_bytes.first(size), m_address };
        m_bytes = m_bytes.subspan(size);
        m_address += static_cast<uint32_t>(size);
        return piece;
    }
    // Puts the text with a 0 behind it, and gives its address.
    uint32_t put(std::string_view text)
    {
        const Piece piece = take(text.size() + 1);
        std::copy(text.begin(), text.end(), piece.bytes.begin());
        return piece.address;
    }

private:
    std::span<uint8_t> m_bytes;
    uint32_t m_address;
};

} // namespace

uint64_t MultibootInformation::size() const
{
    uint64_t size = info::size + firmwareMemoryMap(ramSize).size() * multiboot::memoryMapEntrySize
        + modules.size() * multiboot::moduleEntrySize + commandLine.size() + 1 + loaderName.size() + 1;
    for (const LoadedModule& module : modules)
        size += module.text.size() + 1;
    return size;
}

std::vector<uint8_t> MultibootInformation::at(uint32_t address) const
{
    std::vector<uint8_t> all(size());
    Pieces pieces(all, address);
    const std::span<uint8_t> structure = pieces.take(info::size).bytes;

    const std::vector<MemoryRange> ranges = firmwareMemoryMap(ramSize);
    const auto map = pieces.take(ranges.size() * multiboot::memoryMapEntrySize);
    for (size_t i = 0; i < ranges.size(); ++i) {
        const auto entry = map.bytes.subspan(i * multiboot::memoryMapEntrySize);
        putLittleEndian<uint32_t>(entry, 0, multiboot::memoryMapEntrySize - 4); // without this field
        putLittleEndian<uint64_t>(entry, 4, ranges[i].base);
        putLittleEndian<uint64_t>(entry, 12, ranges[i].size());
        putLittleEndian(entry, 20, static_cast<uint32_t>(ranges[i].type));
    }
    const auto table = pieces.take(modules.size() * multiboot::moduleEntrySize);
    for (size_t i = 0; i < modules.size(); ++i) {
        const auto entry = table.bytes.subspan(i * multiboot::moduleEntrySize);
        putLittleEndian(entry, 0, modules[i].begin);
        putLittleEndian(entry, 4, modules[i].end);
        putLittleEndian(entry, 8, pieces.put(modules[i].text));
    }

    putLittleEndian<uint32_t>(structure, info::flags,
        info::hasMemory | info::hasCommandLine | info::hasModules | info::hasMemoryMap | info::hasLoaderName
            | info::hasFrameBuffer);
    putLittleEndian<uint32_t>(structure, info::memoryLower, memorymap::endOfBaseMemory >> 10);
    putLittleEndian(structure, info::memoryUpper, static_cast<uint32_t>((ramSize - memorymap::highMemory) >> 10));
    putLittleEndian(structure, info::commandLine, pieces.put(commandLine));
    putLittleEndian(structure, info::moduleCount, static_cast<uint32_t>(modules.size()));
    putLittleEndian(structure, info::moduleTable, table.address);
    putLittleEndian(structure, info::memoryMapSize, static_cast<uint32_t>(map.bytes.size()));
    putLittleEndian(structure, info::memoryMap, map.address);
    putLittleEndian(structure, info::loaderName, pieces.put(loaderName));
    describeScreen(structure, frameBuffer);
    return all;
}

} // namespace namsan
