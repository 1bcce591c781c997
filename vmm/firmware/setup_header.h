// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

// Offsets of the fields of struct boot_params ("zero page") and of the setup header in it. The setup header's offsets
// hold for the kernel's file too. Linux, Documentation/arch/x86/boot.rst and zero-page.rst.
namespace namsan::bootparams {

constexpr uint32_t size = 4096;

// struct screen_info, at the beginning. Linux, include/uapi/linux/screen_info.h.
constexpr uint32_t originalVideoMode = 0x06;
constexpr uint32_t originalVideoColumns = 0x07;
constexpr uint32_t originalVideoEgaBx = 0x0a;
constexpr uint32_t originalVideoLines = 0x0e;
constexpr uint32_t originalVideoIsVga = 0x0f;
constexpr uint32_t originalVideoPoints = 0x10; // height of a character
constexpr uint32_t frameBufferWidth = 0x12;
constexpr uint32_t frameBufferHeight = 0x14;
constexpr uint32_t frameBufferDepth = 0x16;
constexpr uint32_t frameBufferBase = 0x18;
constexpr uint32_t frameBufferSize = 0x1c; // in units of 64 KiB
constexpr uint32_t frameBufferLineLength = 0x24; // bytes
constexpr uint32_t frameBufferColours = 0x26; // size and position of red, green, blue, reserved: 8 bytes

constexpr uint32_t acpiRsdpAddress = 0x70;
constexpr uint32_t alternativeMemoryKib = 0x1e0; // above 1 MiB
constexpr uint32_t e820Entries = 0x1e8;
constexpr uint32_t sentinel = 0x1ef; // not zero: the loader did not clear what it did not know
constexpr uint32_t e820Table = 0x2d0;
constexpr uint32_t e820EntrySize = 20;

constexpr uint32_t setupSectors = 0x1f1;
constexpr uint32_t systemSize = 0x1f4; // of the protected-mode kernel, in units of 16 bytes
constexpr uint32_t bootFlag = 0x1fe; // AA55
constexpr uint32_t jumpOffset = 0x201; // the header ends this far behind 0x202
constexpr uint32_t headerMagic = 0x202; // "HdrS"
constexpr uint32_t protocolVersion = 0x206;
constexpr uint32_t typeOfLoader = 0x210;
constexpr uint32_t loadFlags = 0x211;
constexpr uint32_t code32Start = 0x214;
constexpr uint32_t ramdiskImage = 0x218;
constexpr uint32_t ramdiskSize = 0x21c;
constexpr uint32_t commandLinePointer = 0x228;
constexpr uint32_t initrdAddressMax = 0x22c;
constexpr uint32_t extendedLoadFlags = 0x236; // from 2.12
constexpr uint32_t commandLineSize = 0x238; // from 2.06
constexpr uint32_t payloadOffset = 0x248; // from 2.08
constexpr uint32_t payloadLength = 0x24c;
constexpr uint32_t preferredAddress = 0x258; // from 2.10
constexpr uint32_t initSize = 0x260; // from 2.10
constexpr uint32_t largestHeaderEnd = 0x290; // boot_params goes on with something else here

} // namespace namsan::bootparams
