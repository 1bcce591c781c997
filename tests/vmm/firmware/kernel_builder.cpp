// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/firmware/kernel_builder.h"

#include "tests/support/elf_header.h"
#include "vmm/base/bits.h"
#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/setup_header.h"

#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace namsan {

Bytes ElfBuilder::patterned(size_t size, unsigned step)
{
    Bytes bytes(size);
    for (size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<uint8_t>(i * step + i / 251 + 1);
    return bytes;
}

Bytes ElfBuilder::build() const
{
    const Elf32_Ehdr header = elfHeader(entry, 2);

    const auto textOffset = static_cast<uint32_t>(sizeof header + 2 * sizeof(Elf32_Phdr));
    const auto textSize = static_cast<uint32_t>(text.size());
    const auto dataSize = static_cast<uint32_t>(data.size());
    const Elf32_Phdr textHeader { PT_LOAD, textOffset, textAddress, textAddress, textSize, textSize, PF_R | PF_X, 1 };
    const Elf32_Phdr dataHeader { PT_LOAD, textOffset + textSize, dataAddress, dataAddress, dataSize,
        dataSize + bssSize, PF_R | PF_W, 1 };

    Bytes file(textOffset + text.size() + data.size());
    std::memcpy(file.data(), &header, sizeof header);
    std::memcpy(file.data() + sizeof header, &textHeader, sizeof textHeader);
    std::memcpy(file.data() + sizeof header + sizeof textHeader, &dataHeader, sizeof dataHeader);
    std::copy(text.begin(), text.end(), file.begin() + textOffset);
    std::copy(data.begin(), data.end(), file.begin() + textOffset + static_cast<std::ptrdiff_t>(text.size()));
    return file;
}

Bytes KernelBuilder::build() const
{
    Bytes file(alignUp(setupSize + codeSize + payload.size(), 16), 0x90);
    std::copy(payload.begin(), payload.end(), file.begin() + setupSize + codeSize);
    const std::span<uint8_t> bytes(file);
    std::fill_n(file.begin() + 0x1f1, bootparams::largestHeaderEnd - 0x1f1, uint8_t { 0 });
    bytes[bootparams::setupSectors] = setupSize / 512 - 1;
    putLittleEndian(bytes, bootparams::systemSize, static_cast<uint32_t>((file.size() - setupSize) / 16));
    putLittleEndian<uint16_t>(bytes, bootparams::bootFlag, 0xaa55);
    bytes[bootparams::jumpOffset] = 0x6a;
    std::memcpy(&bytes[bootparams::headerMagic], "HdrS", 4);
    putLittleEndian(bytes, bootparams::protocolVersion, protocol);
    bytes[bootparams::loadFlags] = 1;
    putLittleEndian<uint32_t>(bytes, bootparams::code32Start, 0x100000);
    putLittleEndian(bytes, bootparams::initrdAddressMax, initrdAddressMax);
    putLittleEndian(bytes, bootparams::extendedLoadFlags, extendedLoadFlags);
    putLittleEndian(bytes, bootparams::commandLineSize, commandLineSize);
    putLittleEndian(bytes, bootparams::payloadOffset, static_cast<uint32_t>(codeSize));
    putLittleEndian(bytes, bootparams::payloadLength, static_cast<uint32_t>(payload.size()));
    putLittleEndian<uint64_t>(bytes, bootparams::preferredAddress, 0x1000000);
    putLittleEndian(bytes, bootparams::initSize, initSize);
    return file;
}

namespace {

// The kernel's build appends the unpacked size to what it packs.
Bytes withSize(Bytes packed, size_t size)
{
    packed.resize(packed.size() + 4);
    putLittleEndian(std::span(packed), packed.size() - 4, static_cast<uint32_t>(size));
    return packed;
}

} // namespace

Bytes packXz(const Bytes& bytes)
{
    lzma_options_lzma options;
    lzma_lzma_preset(&options, 6);
    const lzma_filter filters[]
        = { { LZMA_FILTER_X86, nullptr }, { LZMA_FILTER_LZMA2, &options }, { LZMA_VLI_UNKNOWN, nullptr } };
    Bytes packed(lzma_stream_buffer_bound(bytes.size()));
    size_t size = 0;
    EXPECT_EQ(lzma_stream_buffer_encode(const_cast<lzma_filter*>(filters), LZMA_CHECK_CRC32, nullptr, bytes.data(),
                  bytes.size(), packed.data(), &size, packed.size()),
        LZMA_OK);
    packed.resize(size);
    return withSize(packed, bytes.size());
}

Bytes packGzip(const Bytes& bytes)
{
    z_stream stream {};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    Bytes packed(deflateBound(&stream, bytes.size()));
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

Bytes packZstandard(const Bytes& bytes)
{
    Bytes packed(ZSTD_compressBound(bytes.size()));
    const size_t size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 3);
    EXPECT_FALSE(ZSTD_isError(size));
    packed.resize(size);
    return withSize(packed, bytes.size());
}

} // namespace namsan
