// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/kernel_payload.h"

#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

namespace namsan {

namespace {

// Output that grows as a stream unpacks, up to a limit.
class GrowingOutput {
public:
    explicit GrowingOutput(uint64_t largest)
        : m_largest(largest)
    {
    }

    // Room for more bytes, or nothing when the limit is reached.
    std::span<uint8_t> room()
    {
        if (m_filled == m_bytes.size())
            m_bytes.resize(std::min<uint64_t>(m_largest, m_bytes.size() + step));
        return std::span(m_bytes).subspan(m_filled);
    }
    void filled(size_t count) { m_filled += count; }
    std::vector<uint8_t> finish()
    {
        m_bytes.resize(m_filled);
        return std::move(m_bytes);
    }

private:
    static constexpr uint64_t step = uint64_t { 4 } << 20;

    uint64_t m_largest;
    std::vector<uint8_t> m_bytes;
    size_t m_filled = 0;
};

Error damaged(std::string_view format)
{
    return { fmt::format("is damaged or truncated: its {} data cannot be unpacked. Fetch it again.", format) };
}

Error tooLarge()
{
    return { "is larger, when unpacked, than the machine's memory has room for. Give the machine more memory." };
}

// The kernel's build uses dictionaries of up to 128 MiB; a hostile file may ask for 4 GiB.
constexpr uint64_t decoderMemory = uint64_t { 160 } << 20;

Result<std::vector<uint8_t>> unpackXz(std::span<const uint8_t> packed, uint64_t largest)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    const std::unique_ptr<lzma_stream, decltype(&lzma_end)> owner(&stream, lzma_end);
    if (lzma_stream_decoder(&stream, decoderMemory, 0) != LZMA_OK)
        return damaged("XZ");
    stream.next_in = packed.data();
    stream.avail_in = packed.size();
    GrowingOutput output(largest);
    while (true) {
        const std::span<uint8_t> room = output.room();
        if (room.empty())
            return tooLarge();
        stream.next_out = room.data();
        stream.avail_out = room.size();
        const lzma_ret result = lzma_code(&stream, LZMA_FINISH);
        output.filled(room.size() - stream.avail_out);
        if (result == LZMA_STREAM_END)
            return output.finish();
        if (result != LZMA_OK)
            return damaged("XZ");
    }
}

Result<std::vector<uint8_t>> unpackGzip(std::span<const uint8_t> packed, uint64_t largest)
{
    z_stream stream {};
    constexpr int gzipOnly = 16;
    if (inflateInit2(&stream, MAX_WBITS + gzipOnly) != Z_OK)
        return damaged("gzip");
    const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, inflateEnd);
    stream.next_in = const_cast<Bytef*>(packed.data()); // zlib only reads it
    stream.avail_in = static_cast<uInt>(std::min<size_t>(packed.size(), UINT32_MAX));
    GrowingOutput output(largest);
    while (true) {
        const std::span<uint8_t> room = output.room();
        if (room.empty())
            return tooLarge();
        stream.next_out = room.data();
        stream.avail_out = static_cast<uInt>(room.size());
        const int result = inflate(&stream, Z_NO_FLUSH);
        output.filled(room.size() - stream.avail_out);
        if (result == Z_STREAM_END)
            return output.finish();
        if (result != Z_OK)
            return damaged("gzip");
    }
}

Result<std::vector<uint8_t>> unpackZstandard(std::span<const uint8_t> packed, uint64_t largest)
{
    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    if (!context)
        return damaged("Zstandard");
    ZSTD_inBuffer input { packed.data(), packed.size(), 0 };
    GrowingOutput output(largest);
    while (true) {
        const std::span<uint8_t> room = output.room();
        if (room.empty())
            return tooLarge();
        ZSTD_outBuffer part { room.data(), room.size(), 0 };
        const size_t before = input.pos;
        const size_t result = ZSTD_decompressStream(context.get(), &part, &input);
        output.filled(part.pos);
        if (result == 0)
            return output.finish();
        const bool noProgress = part.pos == 0 && input.pos == before;
        if (ZSTD_isError(result) || noProgress)
            return damaged("Zstandard");
    }
}

Result<std::vector<uint8_t>> takeAsItIs(std::span<const uint8_t> image, uint64_t largest)
{
    if (image.size() > largest)
        return tooLarge();
    return std::vector<uint8_t>(image.begin(), image.end());
}

struct Format {
    std::string_view name;
    std::string_view magic;
    Result<std::vector<uint8_t>> (*unpack)(std::span<const uint8_t>, uint64_t largest); // nullptr: not supported
};

using namespace std::string_view_literals;

// The kernel's own list: lib/decompress.c knows each by these first bytes.
constexpr std::array formats {
    Format { "XZ",
        "\xfd"
        "7zXZ\0"sv,
        unpackXz },
    Format { "Zstandard", "\x28\xb5\x2f\xfd"sv, unpackZstandard },
    Format { "gzip", "\x1f\x8b"sv, unpackGzip },
    Format { "nothing",
        "\x7f"
        "ELF"sv,
        takeAsItIs },
    Format { "bzip2", "BZh"sv, nullptr },
    Format { "LZMA", "\x5d\0\0"sv, nullptr },
    Format { "LZO", "\x89LZO"sv, nullptr },
    Format { "LZ4", "\x02\x21\x4c\x18"sv, nullptr },
};

} // namespace

Result<std::vector<uint8_t>> unpackKernelPayload(std::span<const uint8_t> packed, uint64_t largest)
{
    for (const Format& format : formats) {
        const std::string_view magic = format.magic;
        const bool matches = packed.size() >= magic.size()
            && std::equal(magic.begin(), magic.end(), packed.begin(),
                [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
        if (!matches)
            continue;
        if (format.unpack)
            return format.unpack(packed, largest);
        return Error { fmt::format("is packed with {}, which is not unpacked on the host. Use --no-unpack, so that the "
                                   "kernel unpacks itself.",
            format.name) };
    }
    return Error { "holds a payload of an unknown format. Use --no-unpack, so that the kernel unpacks itself, or fetch "
                   "it again." };
}

} // namespace namsan
