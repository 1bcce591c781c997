// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/bits.h"
#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/multiboot_format.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

// Tiny guests as bytes, for tests of what loads and serves them.
namespace namsan::testguest {

using Code = std::vector<uint8_t>;

inline Code join(std::initializer_list<Code> pieces)
{
    Code all;
    for (const Code& piece : pieces)
        all.insert(all.end(), piece.begin(), piece.end());
    return all;
}

// These three are the same in 16 and in 32 bits.

inline Code say(std::string_view text) // mov al,c; out 0E9h,al
{
    Code code;
    for (const char c : text)
        for (const int byte : { 0xb0, static_cast<int>(c), 0xe6, 0xe9 })
            code.push_back(static_cast<uint8_t>(byte));
    return code;
}
inline Code exitWith(uint8_t value) // mov al,value; out 0F4h,al; jmp $
{
    return { 0xb0, value, 0xe6, 0xf4, 0xeb, 0xfe };
}
inline Code resetMachine() // mov al,0FEh; out 64h,al; jmp $
{
    return { 0xb0, 0xfe, 0xe6, 0x64, 0xeb, 0xfe };
}

inline Code bootSector(Code code)
{
    code.resize(510);
    code.insert(code.end(), { 0x55, 0xaa });
    return code;
}

// A ROM with code at F000:0000 and a jump there at F000:FFF0.
inline Code rom(size_t size, const Code& code)
{
    Code image(size, 0xff);
    std::copy(code.begin(), code.end(), image.end() - 0x10000);
    const Code jump { 0xea, 0x00, 0x00, 0x00, 0xf0 };
    std::copy(jump.begin(), jump.end(), image.end() - 16);
    return image;
}

// A flat Multiboot kernel: filler, the header with its address fields, code.
struct MultibootKernel {
    static constexpr uint32_t codeOffset = multiboot::header::sizeWithVideo; // behind the header

    Code code = exitWith(0);
    uint32_t flags = multiboot::header::addressFields;
    uint32_t filler = 0; // bytes before the header, loaded, too
    uint32_t loadAddress = 0x100000;
    uint32_t loadEnd = 0; // as in the header
    uint32_t bssEnd = 0; // likewise
    uint32_t modeType = 0;
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t checksumError = 0;

    uint32_t entry() const { return loadAddress + filler + codeOffset; }
    Code build() const
    {
        namespace header = multiboot::header;
        Code file(filler, 0x90);
        file.resize(filler + codeOffset);
        const auto put
            = [&](uint32_t field, uint32_t value) { putLittleEndian(std::span(file), filler + field, value); };
        put(header::magic, multiboot::headerMagic);
        put(header::flags, flags);
        put(header::checksum, checksumError - multiboot::headerMagic - flags);
        put(header::headerAddress, loadAddress + filler);
        put(header::loadAddress, loadAddress);
        put(header::loadEndAddress, loadEnd);
        put(header::bssEndAddress, bssEnd);
        put(header::entryAddress, entry());
        put(header::modeType, modeType);
        put(header::width, width);
        put(header::height, height);
        put(header::depth, 32);
        file.insert(file.end(), code.begin(), code.end());
        return file;
    }
};

// 32-bit code that says its command line, its first module, and that module's string, each with a full stop, and exits
// with 10h; with 1 where EAX does not hold the loader's magic number.
inline Code sayMultibootInformation()
{
    // again: lodsb; test al,al; jz end; out 0E9h,al; jmp again
    const Code sayString { 0xac, 0x84, 0xc0, 0x74, 0x04, 0xe6, 0xe9, 0xeb, 0xf7 };
    const Code body = join({
        { 0x8b, 0x73, 0x10 }, // mov esi,[ebx+16]
        sayString,
        say("."),
        { 0x8b, 0x7b, 0x18 }, // mov edi,[ebx+24]
        { 0x8b, 0x37, 0x8b, 0x4f, 0x04, 0x29, 0xf1 }, // mov esi,[edi]; mov ecx,[edi+4]; sub ecx,esi
        { 0x66, 0xba, 0xe9, 0x00, 0xf3, 0x6e }, // mov dx,0E9h; rep outsb
        say("."),
        { 0x8b, 0x77, 0x08 }, // mov esi,[edi+8]
        sayString,
        say("."),
        exitWith(0x10),
    });
    return join({
        { 0x3d, 0x02, 0xb0, 0xad, 0x2b, 0x75, static_cast<uint8_t>(body.size()) }, // cmp eax,2BADB002h; jne fail
        body,
        exitWith(1), // fail
    });
}

} // namespace namsan::testguest
