// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/firmware/linux_boot.h"

#include "vmm/base/bits.h"
#include "vmm/firmware/boot_file.h"
#include "vmm/firmware/elf_image.h"
#include "vmm/firmware/kernel_payload.h"
#include "vmm/firmware/linux_kernel_image.h"
#include "vmm/firmware/little_endian.h"
#include "vmm/firmware/memory_map.h"
#include "vmm/firmware/setup_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace namsan {

namespace {

using memorymap::highMemory;

// "The kernel PATH" and the rest of the sentence that an image's parser began.
Error aboutKernel(const LinuxBoot& boot, const Error& rest)
{
    return { fmt::format("The kernel {} {}", boot.kernel, rest.message) };
}

struct LoadedKernel {
    uint32_t entry;
    uint64_t end; // the first address behind what it needs while it starts
};

Error kernelTooLarge(const LinuxBoot& boot, const GuestMemory& memory, uint64_t end)
{
    return { fmt::format("The kernel {} needs memory up to {} MiB to start, and the machine has {} MiB. Give the "
                         "machine more memory.",
        boot.kernel, alignUp(end, 1 << 20) >> 20, memory.ramSize() >> 20) };
}

Result<LoadedKernel> loadUnpacked(GuestMemory& memory, const LinuxBoot& boot, const LinuxKernelImage& image)
{
    const auto payload = image.payload();
    if (!payload)
        return aboutKernel(boot, payload.error());
    const auto unpacked = unpackKernelPayload(*payload, memory.ramSize());
    if (!unpacked)
        return aboutKernel(boot, unpacked.error());
    const auto elf = ElfImage::parse(*unpacked);
    if (!elf)
        return aboutKernel(boot, elf.error());

    const uint64_t end = std::max(elf->end(), image.endOfStartUp());
    if (end > memory.ramSize())
        return kernelTooLarge(boot, memory, end);
    if (elf->lowest() < highMemory)
        return aboutKernel(boot, { "wants to lie below 1 MiB, where the loader works. Use another kernel." });
    for (const ElfSegment& segment : elf->segments) {
        memory.write(segment.address, segment.bytes);
        memory.fill(segment.address + segment.bytes.size(), segment.zeroes, 0);
    }
    return LoadedKernel { elf->entry, end };
}

Result<LoadedKernel> loadPacked(GuestMemory& memory, const LinuxBoot& boot, const LinuxKernelImage& image)
{
    if (image.code32Start() < highMemory)
        return aboutKernel(boot, { "wants to lie below 1 MiB, where the loader works. Use another kernel." });
    if (image.endOfStartUp() > memory.ramSize())
        return kernelTooLarge(boot, memory, image.endOfStartUp());
    memory.write(image.code32Start(), image.protectedModeKernel());
    return LoadedKernel { image.code32Start(), image.endOfStartUp() };
}

struct LoadedInitrd {
    uint32_t address = 0;
    uint32_t size = 0;
};

// As high as it may lie: the kernel frees it later, and low memory is scarce.
Result<LoadedInitrd> loadInitrd(
    GuestMemory& memory, const LinuxBoot& boot, const LinuxKernelImage& image, uint64_t endOfKernel)
{
    if (boot.initrd.empty())
        return LoadedInitrd {};
    const uint64_t highest = std::min(memory.ramSize(), uint64_t { image.initrdAddressMax() } + 1);
    const uint64_t lowest = alignUp(endOfKernel, GuestMemory::pageSize);
    const auto bytes = readBootFile("initrd", boot.initrd, highest > lowest ? highest - lowest : 0);
    if (!bytes)
        return bytes.error();
    const uint64_t address = alignDown(highest - bytes->size(), GuestMemory::pageSize);
    if (address < lowest)
        return Error { fmt::format("The initrd {} has {} KiB and does not fit beside the kernel into {} MiB of "
                                   "memory. Give the machine more memory.",
            boot.initrd, bytes->size() >> 10, memory.ramSize() >> 20) };
    memory.write(address, *bytes);
    return LoadedInitrd { static_cast<uint32_t>(address), static_cast<uint32_t>(bytes->size()) };
}

Result<void> writeCommandLine(GuestMemory& memory, const LinuxBoot& boot, const LinuxKernelImage& image)
{
    // What a kernel says of itself is not to be trusted beyond the room there is.
    constexpr uint32_t room = memorymap::endOfBaseMemory - linuxboot::commandLine - 1;
    const uint32_t largest = std::min(image.commandLineSize(), room);
    if (boot.append.size() > largest)
        return Error { fmt::format("The kernel command line has {} characters, and the kernel {} takes {}. Shorten "
                                   "it (--append).",
            boot.append.size(), boot.kernel, largest) };
    if (boot.append.find('\0') != std::string::npos)
        return Error { "The kernel command line holds a zero byte. Remove it (--append)." };
    std::vector<uint8_t> line(boot.append.begin(), boot.append.end());
    line.push_back(0);
    memory.write(linuxboot::commandLine, line);
    return {};
}

// The screen that the kernel finds. Linux, include/uapi/linux/screen_info.h.
void describeScreen(std::span<uint8_t> params, const LinuxBoot& boot)
{
    if (!boot.frameBuffer) {
        params[bootparams::originalVideoMode] = 3;
        params[bootparams::originalVideoColumns] = 80;
        params[bootparams::originalVideoLines] = 25;
        // What int 10h, AH=12h, BL=10h tells: colour, 256 KiB. BL = 10h unchanged would mean that there is no EGA.
        putLittleEndian<uint16_t>(params, bootparams::originalVideoEgaBx, 0x0003);
        params[bootparams::originalVideoIsVga] = 1;
        putLittleEndian<uint16_t>(params, bootparams::originalVideoPoints, 16);
        return;
    }
    constexpr uint8_t videoTypeVlfb = 0x23;
    constexpr std::array<uint8_t, 8> colours { 8, 16, 8, 8, 8, 0, 8, 24 };
    const LinearScreenInfo& buffer = *boot.frameBuffer;
    params[bootparams::originalVideoIsVga] = videoTypeVlfb;
    putLittleEndian(params, bootparams::frameBufferWidth, buffer.width);
    putLittleEndian(params, bootparams::frameBufferHeight, buffer.height);
    putLittleEndian<uint16_t>(params, bootparams::frameBufferDepth, 32);
    putLittleEndian(params, bootparams::frameBufferBase, buffer.base);
    putLittleEndian<uint32_t>(
        params, bootparams::frameBufferSize, static_cast<uint32_t>(alignUp(buffer.size, 0x10000) >> 16));
    putLittleEndian(params, bootparams::frameBufferLineLength, buffer.lineLength);
    std::copy(colours.begin(), colours.end(), params.begin() + bootparams::frameBufferColours);
}

void describeMemory(std::span<uint8_t> params, uint64_t ramSize)
{
    const std::vector<MemoryRange> ranges = firmwareMemoryMap(ramSize);
    params[bootparams::e820Entries] = static_cast<uint8_t>(ranges.size());
    uint32_t offset = bootparams::e820Table;
    for (const MemoryRange& range : ranges) {
        putLittleEndian(params, offset, range.base);
        putLittleEndian(params, offset + 8, range.size());
        putLittleEndian(params, offset + 16, static_cast<uint32_t>(range.type));
        offset += bootparams::e820EntrySize;
    }
    putLittleEndian(params, bootparams::alternativeMemoryKib, static_cast<uint32_t>((ramSize - highMemory) >> 10));
}

void writeBootParams(
    GuestMemory& memory, const LinuxBoot& boot, const LinuxKernelImage& image, const LoadedInitrd& initrd)
{
    std::array<uint8_t, bootparams::size> params {};
    const auto header = image.setupHeader();
    std::copy(header.begin(), header.end(), params.begin() + LinuxKernelImage::setupHeaderOffset);
    constexpr uint8_t unregisteredLoader = 0xff;
    params[bootparams::typeOfLoader] = unregisteredLoader;
    putLittleEndian(params, bootparams::ramdiskImage, initrd.address);
    putLittleEndian(params, bootparams::ramdiskSize, initrd.size);
    putLittleEndian(params, bootparams::commandLinePointer, static_cast<uint32_t>(linuxboot::commandLine));
    putLittleEndian(params, bootparams::acpiRsdpAddress, boot.acpiRsdp);
    describeScreen(params, boot);
    describeMemory(params, memory.ramSize());
    memory.write(linuxboot::bootParams, params);
}

// __BOOT_CS is 10h and __BOOT_DS is 18h; both flat, 4 GiB. Intel SDM volume 3, 3.4.5.
constexpr uint16_t codeSelector = 0x10;
constexpr uint16_t dataSelector = 0x18;
constexpr uint32_t codeRights = 0xc09b; // present, code, readable, accessed; 32-bit, limit in pages
constexpr uint32_t dataRights = 0xc093; // present, data, writable, accessed

constexpr uint64_t flatDescriptor(uint32_t rights)
{
    return uint64_t { 0x000f } << 48 | uint64_t { rights } << 40 | 0xffff;
}

CpuState stateAtEntry(GuestMemory& memory, uint32_t entry)
{
    const std::array<uint64_t, 4> descriptors { 0, 0, flatDescriptor(codeRights), flatDescriptor(dataRights) };
    std::array<uint8_t, sizeof descriptors> table {};
    for (size_t i = 0; i < descriptors.size(); ++i)
        putLittleEndian(table, 8 * i, descriptors[i]);
    memory.write(linuxboot::descriptorTable, table);

    CpuState state = CpuState::afterReset();
    state.cr0 = cr0::protectionEnable | cr0::extensionType;
    state.gdtr = { static_cast<uint32_t>(linuxboot::descriptorTable), sizeof table - 1 };
    state.idtr = {};
    state.segments.fill({ dataSelector, dataRights, 0, 0xffffffff });
    state.segments[Cs] = { codeSelector, codeRights, 0, 0xffffffff };
    state.gpr.fill(0);
    state.gpr[Esi] = static_cast<uint32_t>(linuxboot::bootParams);
    state.eip = entry;
    return state;
}

} // namespace

Result<CpuState> loadLinux(GuestMemory& memory, const LinuxBoot& boot)
{
    if (memory.ramSize() <= highMemory)
        return Error { "Linux needs more than 1 MiB of memory. Give the machine more memory." };
    auto file = readBootFile("kernel", boot.kernel, memory.ramSize());
    if (!file)
        return file.error();
    const auto image = LinuxKernelImage::parse(std::move(*file));
    if (!image)
        return aboutKernel(boot, image.error());
    if (image->is64Bit())
        return aboutKernel(
            boot, { "is for a 64-bit processor, and the machine's is a 32-bit one. Use a 32-bit (i386) kernel." });

    const auto kernel = boot.unpack ? loadUnpacked(memory, boot, *image) : loadPacked(memory, boot, *image);
    if (!kernel)
        return kernel.error();
    const auto initrd = loadInitrd(memory, boot, *image, kernel->end);
    if (!initrd)
        return initrd.error();
    if (const auto written = writeCommandLine(memory, boot, *image); !written)
        return written.error();
    writeBootParams(memory, boot, *image, *initrd);
    return stateAtEntry(memory, kernel->entry);
}

} // namespace namsan
