// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/linux_kernel_image.h"

#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/setup_header.h"

#include <fmt/format.h>

#include <algorithm>

namespace namsan {

namespace {

constexpr uint32_t sectorSize = 512;
constexpr uint16_t bootSignature = 0xaa55;
constexpr uint32_t setupMagic = 0x53726448; // "HdrS"
constexpr uint8_t loadedHigh = 1 << 0; // of loadFlags: the protected-mode kernel belongs at 1 MiB
constexpr uint16_t kernel64 = 1 << 0; // of extendedLoadFlags
constexpr uint32_t lastFieldOf205 = 0x236; // the header of 2.05 ends here

Error notAKernel()
{
    return { "is not a Linux kernel (bzImage). Name the file that distributions call vmlinuz." };
}
Error truncated()
{
    return { "is truncated: it ends within the kernel. Fetch it again." };
}

} // namespace

Result<LinuxKernelImage> LinuxKernelImage::parse(std::vector<uint8_t> file)
{
    if (file.size() < 2 * sectorSize || littleEndianAt<uint16_t>(file, bootparams::bootFlag) != bootSignature
        || littleEndianAt<uint32_t>(file, bootparams::headerMagic) != setupMagic)
        return notAKernel();

    LinuxKernelImage image;
    image.m_protocol = littleEndianAt<uint16_t>(file, bootparams::protocolVersion);
    if (image.m_protocol < 0x0205)
        return Error { fmt::format("has the boot protocol {}.{:02}, and 2.05 or later is needed. Use Linux 2.6.20 or "
                                   "later.",
            image.m_protocol >> 8, image.m_protocol & 0xff) };
    if (!(file[bootparams::loadFlags] & loadedHigh))
        return Error { "is an old small kernel (zImage). Use a bzImage." };

    const uint32_t sectors = file[bootparams::setupSectors];
    image.m_setupSize = ((sectors ? sectors : 4) + 1) * sectorSize; // 0 means 4, boot.rst says
    const uint64_t protectedModeSize = uint64_t { littleEndianAt<uint32_t>(file, bootparams::systemSize) } * 16;
    if (file.size() <= image.m_setupSize || file.size() + 15 < image.m_setupSize + protectedModeSize)
        return truncated();
    image.m_setupHeaderEnd = bootparams::headerMagic + file[bootparams::jumpOffset];
    if (image.m_setupHeaderEnd < lastFieldOf205)
        return notAKernel();
    image.m_setupHeaderEnd = std::min(image.m_setupHeaderEnd, bootparams::largestHeaderEnd);

    image.m_commandLineSize = 255;
    if (image.m_protocol >= 0x0206)
        image.m_commandLineSize = littleEndianAt<uint32_t>(file, bootparams::commandLineSize);
    image.m_file = std::move(file);
    return image;
}

std::span<const uint8_t> LinuxKernelImage::setupHeader() const
{
    return std::span(m_file).subspan(setupHeaderOffset, m_setupHeaderEnd - setupHeaderOffset);
}

std::span<const uint8_t> LinuxKernelImage::protectedModeKernel() const
{
    return std::span(m_file).subspan(m_setupSize);
}

uint32_t LinuxKernelImage::code32Start() const
{
    return littleEndianAt<uint32_t>(m_file, bootparams::code32Start);
}

uint32_t LinuxKernelImage::initrdAddressMax() const
{
    return littleEndianAt<uint32_t>(m_file, bootparams::initrdAddressMax);
}

uint64_t LinuxKernelImage::endOfStartUp() const
{
    const uint64_t loaded = uint64_t { code32Start() } + protectedModeKernel().size();
    if (m_protocol < 0x020a)
        return loaded;
    const uint64_t preferred = littleEndianAt<uint64_t>(m_file, bootparams::preferredAddress);
    // Both are limited to what a 32-bit kernel can mean, so that nothing wraps.
    return std::max(
        loaded, std::min<uint64_t>(preferred, UINT32_MAX) + littleEndianAt<uint32_t>(m_file, bootparams::initSize));
}

bool LinuxKernelImage::is64Bit() const
{
    return m_protocol >= 0x020c && (littleEndianAt<uint16_t>(m_file, bootparams::extendedLoadFlags) & kernel64);
}

Result<std::span<const uint8_t>> LinuxKernelImage::payload() const
{
    if (m_protocol < 0x0208)
        return Error { "does not tell where its payload is. Use --no-unpack, so that the kernel unpacks itself." };
    const uint32_t offset = littleEndianAt<uint32_t>(m_file, bootparams::payloadOffset);
    const uint32_t length = littleEndianAt<uint32_t>(m_file, bootparams::payloadLength);
    if (uint64_t { offset } + length > protectedModeKernel().size())
        return truncated();
    return protectedModeKernel().subspan(offset, length);
}

} // namespace namsan
