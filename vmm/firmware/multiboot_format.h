// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

// Magic numbers, bits and offsets of the Multiboot Specification 0.6.96: 3.1 for the header in the kernel's file, 3.3
// for the information that the loader leaves.
namespace namsan::multiboot {

constexpr uint32_t searchedBytes = 8192; // the header lies within these, whole
constexpr uint32_t headerAlignment = 4;
constexpr uint32_t headerMagic = 0x1badb002;
constexpr uint32_t headerMagicOfVersion2 = 0xe85250d6;
constexpr uint32_t loaderMagic = 0x2badb002; // in EAX at the entry

namespace header {
constexpr uint32_t magic = 0;
constexpr uint32_t flags = 4;
constexpr uint32_t checksum = 8;
constexpr uint32_t headerAddress = 12;
constexpr uint32_t loadAddress = 16;
constexpr uint32_t loadEndAddress = 20;
constexpr uint32_t bssEndAddress = 24;
constexpr uint32_t entryAddress = 28;
constexpr uint32_t modeType = 32;
constexpr uint32_t width = 36;
constexpr uint32_t height = 40;
constexpr uint32_t depth = 44;
constexpr uint32_t size = 12; // without addresses
constexpr uint32_t sizeWithAddresses = 32;
constexpr uint32_t sizeWithVideo = 48;

// Bits of flags.
constexpr uint32_t alignModules = 1 << 0;
constexpr uint32_t memoryInformation = 1 << 1;
constexpr uint32_t videoMode = 1 << 2;
constexpr uint32_t mustBeUnderstood = 0xffff; // the others may be ignored
constexpr uint32_t addressFields = 1 << 16;

// Values of modeType.
constexpr uint32_t linearGraphics = 0;
constexpr uint32_t text = 1;
} // namespace header

namespace info {
constexpr uint32_t flags = 0;
constexpr uint32_t memoryLower = 4; // KiB
constexpr uint32_t memoryUpper = 8; // KiB, from 1 MiB on
constexpr uint32_t commandLine = 16;
constexpr uint32_t moduleCount = 20;
constexpr uint32_t moduleTable = 24;
constexpr uint32_t memoryMapSize = 44; // bytes
constexpr uint32_t memoryMap = 48;
constexpr uint32_t loaderName = 64;
constexpr uint32_t frameBufferAddress = 88; // 64 bits
constexpr uint32_t frameBufferPitch = 96;
constexpr uint32_t frameBufferWidth = 100;
constexpr uint32_t frameBufferHeight = 104;
constexpr uint32_t frameBufferDepth = 108; // 8 bits
constexpr uint32_t frameBufferType = 109; // 8 bits
constexpr uint32_t frameBufferColours = 110; // position and size of red, green, blue: 6 bytes
constexpr uint32_t size = 116;

// Bits of flags.
constexpr uint32_t hasMemory = 1 << 0;
constexpr uint32_t hasCommandLine = 1 << 2;
constexpr uint32_t hasModules = 1 << 3;
constexpr uint32_t hasMemoryMap = 1 << 6;
constexpr uint32_t hasLoaderName = 1 << 9;
constexpr uint32_t hasFrameBuffer = 1 << 12;

// Values of frameBufferType.
constexpr uint8_t directColour = 1;
constexpr uint8_t egaText = 2;
} // namespace info

constexpr uint32_t moduleEntrySize = 16; // start, end, string, reserved
constexpr uint32_t memoryMapEntrySize = 24; // size of what follows (20), base, length, type

} // namespace namsan::multiboot
