// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

// Writes the byte code of ACPI's definition blocks: each function gives the bytes of one term, to be nested like the
// source language. ACPI 6.5, chapter 20 (AML) and 6.4 (resource descriptors). Names are paths such as "\\_SB.PCI0",
// each part of one to four characters.
namespace namsan::aml {

using Bytes = std::vector<uint8_t>;
using Terms = std::initializer_list<Bytes>;

Bytes integer(uint64_t); // in as few bytes as it takes
Bytes text(std::string_view);
Bytes eisaId(std::string_view); // "PNP0A03"
Bytes package(Terms elements);
Bytes package(const std::vector<Bytes>& elements);
Bytes buffer(const Bytes&);

Bytes name(std::string_view path, const Bytes& value);
Bytes scope(std::string_view path, Terms);
Bytes device(std::string_view path, Terms);

Bytes method(std::string_view path, unsigned arguments, Terms);
Bytes storeArgument(unsigned argument, std::string_view path); // into a named integer
Bytes reference(std::string_view path);
Bytes ifThen(const Bytes& condition, Terms);
Bytes giveBack(std::string_view path); // Return

// A buffer of resource descriptors, with the end tag.
Bytes resources(Terms descriptors);
Bytes ioPorts(uint16_t first, uint8_t count); // decoded with 16 bits, at this place only
Bytes irq(unsigned number); // edge triggered, not shared: 0 to 15
// Windows that a bridge forwards: both ends included.
Bytes busNumbers(uint16_t first, uint16_t last);
Bytes ioWindow(uint16_t first, uint16_t last);
Bytes memoryWindow(uint32_t first, uint32_t last); // not cached, writable

} // namespace namsan::aml
