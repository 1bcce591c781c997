// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/aml_builder.h"

#include <algorithm>
#include <cassert>

namespace namsan::aml {

namespace {

// ACPI 6.5, table 20.1 and 20.2.
enum Opcode : uint8_t {
    ZeroOp = 0x00,
    OneOp = 0x01,
    NameOp = 0x08,
    BytePrefix = 0x0a,
    WordPrefix = 0x0b,
    DWordPrefix = 0x0c,
    StringPrefix = 0x0d,
    QWordPrefix = 0x0e,
    ScopeOp = 0x10,
    BufferOp = 0x11,
    MethodOp = 0x14,
    StoreOp = 0x70,
    Arg0Op = 0x68,
    IfOp = 0xa0,
    ReturnOp = 0xa4,
    PackageOp = 0x12,
    DualNamePrefix = 0x2e,
    MultiNamePrefix = 0x2f,
    ExtOpPrefix = 0x5b,
    DeviceOp = 0x82, // after ExtOpPrefix
};

void append(Bytes& bytes, const Bytes& more)
{
    bytes.insert(bytes.end(), more.begin(), more.end());
}

void appendNumber(Bytes& bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; ++i)
        bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

Bytes joined(Terms terms)
{
    Bytes bytes;
    for (const Bytes& term : terms)
        append(bytes, term);
    return bytes;
}

// PkgLength counts its own bytes too: one up to 63, otherwise 4 bits in the first and 8 in each further one.
Bytes withPackageLength(const Bytes& content)
{
    Bytes bytes;
    if (content.size() + 1 <= 0x3f) {
        bytes.push_back(static_cast<uint8_t>(content.size() + 1));
    } else {
        unsigned further = 1;
        while (content.size() + 1 + further >= uint64_t { 1 } << (4 + 8 * further))
            ++further;
        assert(further <= 3);
        const uint64_t length = content.size() + 1 + further;
        bytes.push_back(static_cast<uint8_t>(further << 6 | (length & 0xf)));
        appendNumber(bytes, length >> 4, further);
    }
    append(bytes, content);
    return bytes;
}

Bytes nameString(std::string_view path)
{
    Bytes bytes;
    if (path.starts_with('\\')) {
        bytes.push_back('\\');
        path.remove_prefix(1);
    }
    Bytes segments;
    uint8_t count = 0;
    while (!path.empty()) {
        const std::string_view segment = path.substr(0, path.find('.'));
        assert(!segment.empty() && segment.size() <= 4);
        for (size_t i = 0; i < 4; ++i)
            segments.push_back(static_cast<uint8_t>(i < segment.size() ? segment[i] : '_'));
        ++count;
        path.remove_prefix(std::min(path.size(), segment.size() + 1));
    }
    if (count == 2) {
        bytes.push_back(DualNamePrefix);
    } else if (count > 2) {
        bytes.push_back(MultiNamePrefix);
        bytes.push_back(count);
    }
    append(bytes, segments);
    return bytes;
}

Bytes namedBlock(std::string_view path, Terms terms)
{
    Bytes content = nameString(path);
    append(content, joined(terms));
    return withPackageLength(content);
}

// Address space descriptors. ACPI 6.5, 6.4.3.5.
enum class AddressSpace : uint8_t {
    Memory = 0,
    Io = 1,
    BusNumber = 2,
};

Bytes window(AddressSpace space, uint8_t specificFlags, unsigned numberSize, uint64_t first, uint64_t last)
{
    constexpr uint8_t wordDescriptor = 0x88;
    constexpr uint8_t doubleWordDescriptor = 0x87;
    constexpr uint8_t bothEndsFixed = 0x0c; // produced, decoded positively
    Bytes bytes { numberSize == 2 ? wordDescriptor : doubleWordDescriptor };
    appendNumber(bytes, 3 + 5 * numberSize, 2);
    bytes.push_back(static_cast<uint8_t>(space));
    bytes.push_back(bothEndsFixed);
    bytes.push_back(specificFlags);
    for (const uint64_t number : { uint64_t { 0 }, first, last, uint64_t { 0 }, last - first + 1 })
        appendNumber(bytes, number, numberSize); // granularity, minimum, maximum, translation, length
    return bytes;
}

} // namespace

Bytes integer(uint64_t value)
{
    if (value <= 1)
        return { value ? OneOp : ZeroOp };
    Bytes bytes;
    if (value <= UINT8_MAX) {
        bytes.push_back(BytePrefix);
        appendNumber(bytes, value, 1);
    } else if (value <= UINT16_MAX) {
        bytes.push_back(WordPrefix);
        appendNumber(bytes, value, 2);
    } else if (value <= UINT32_MAX) {
        bytes.push_back(DWordPrefix);
        appendNumber(bytes, value, 4);
    } else {
        bytes.push_back(QWordPrefix);
        appendNumber(bytes, value, 8);
    }
    return bytes;
}

Bytes text(std::string_view value)
{
    Bytes bytes { StringPrefix };
    for (const char character : value)
        bytes.push_back(static_cast<uint8_t>(character));
    bytes.push_back(0);
    return bytes;
}

// Three letters of 5 bits and four hexadecimal digits, high byte first. ACPI 6.5, 19.6.36.
Bytes eisaId(std::string_view id)
{
    assert(id.size() == 7);
    uint32_t value = 0;
    for (const char letter : id.substr(0, 3))
        value = value << 5 | (static_cast<uint32_t>(letter - 'A' + 1) & 0x1f);
    for (const char digit : id.substr(3))
        value = value << 4 | static_cast<uint32_t>(digit <= '9' ? digit - '0' : digit - 'A' + 10);
    Bytes bytes { DWordPrefix };
    appendNumber(bytes, __builtin_bswap32(value), 4);
    return bytes;
}

Bytes package(Terms elements)
{
    Bytes content { static_cast<uint8_t>(elements.size()) };
    append(content, joined(elements));
    Bytes bytes { PackageOp };
    append(bytes, withPackageLength(content));
    return bytes;
}

Bytes package(const std::vector<Bytes>& elements)
{
    assert(elements.size() <= UINT8_MAX);
    Bytes content { static_cast<uint8_t>(elements.size()) };
    for (const Bytes& element : elements)
        append(content, element);
    Bytes bytes { PackageOp };
    append(bytes, withPackageLength(content));
    return bytes;
}

Bytes buffer(const Bytes& data)
{
    Bytes content = integer(data.size());
    append(content, data);
    Bytes bytes { BufferOp };
    append(bytes, withPackageLength(content));
    return bytes;
}

Bytes name(std::string_view path, const Bytes& value)
{
    Bytes bytes { NameOp };
    append(bytes, nameString(path));
    append(bytes, value);
    return bytes;
}

Bytes scope(std::string_view path, Terms terms)
{
    Bytes bytes { ScopeOp };
    append(bytes, namedBlock(path, terms));
    return bytes;
}

Bytes device(std::string_view path, Terms terms)
{
    Bytes bytes { ExtOpPrefix, DeviceOp };
    append(bytes, namedBlock(path, terms));
    return bytes;
}

Bytes method(std::string_view path, unsigned arguments, Terms terms)
{
    Bytes content = nameString(path);
    content.push_back(static_cast<uint8_t>(arguments)); // not serialized
    append(content, joined(terms));
    Bytes bytes { MethodOp };
    append(bytes, withPackageLength(content));
    return bytes;
}

Bytes storeArgument(unsigned argument, std::string_view path)
{
    Bytes bytes { StoreOp, static_cast<uint8_t>(Arg0Op + argument) };
    append(bytes, nameString(path));
    return bytes;
}

Bytes reference(std::string_view path)
{
    return nameString(path);
}

Bytes ifThen(const Bytes& condition, Terms terms)
{
    Bytes content = condition;
    append(content, joined(terms));
    Bytes bytes { IfOp };
    append(bytes, withPackageLength(content));
    return bytes;
}

Bytes giveBack(std::string_view path)
{
    Bytes bytes { ReturnOp };
    append(bytes, nameString(path));
    return bytes;
}

Bytes resources(Terms descriptors)
{
    constexpr uint8_t endTag = 0x79;
    Bytes bytes = joined(descriptors);
    bytes.push_back(endTag);
    bytes.push_back(0); // a checksum of 0 is always right
    return buffer(bytes);
}

Bytes ioPorts(uint16_t first, uint8_t count)
{
    constexpr uint8_t ioPortDescriptor = 0x47;
    constexpr uint8_t decodes16Bits = 1;
    constexpr uint8_t alignment = 1;
    Bytes bytes { ioPortDescriptor, decodes16Bits };
    appendNumber(bytes, first, 2);
    appendNumber(bytes, first, 2);
    bytes.push_back(alignment);
    bytes.push_back(count);
    return bytes;
}

Bytes irq(unsigned number)
{
    constexpr uint8_t irqDescriptor = 0x22;
    assert(number < 16);
    Bytes bytes { irqDescriptor };
    appendNumber(bytes, uint64_t { 1 } << number, 2);
    return bytes;
}

Bytes busNumbers(uint16_t first, uint16_t last)
{
    return window(AddressSpace::BusNumber, 0, 2, first, last);
}

Bytes ioWindow(uint16_t first, uint16_t last)
{
    constexpr uint8_t entireRange = 3;
    return window(AddressSpace::Io, entireRange, 2, first, last);
}

Bytes memoryWindow(uint32_t first, uint32_t last)
{
    constexpr uint8_t writable = 1;
    return window(AddressSpace::Memory, writable, 4, first, last);
}

} // namespace namsan::aml
