// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <cstdint>
#include <span>
#include <vector>

namespace namsan {

// A Linux kernel as its build leaves it: boot sector, setup code with its header, protected-mode kernel, and in that
// the packed payload. Linux, Documentation/arch/x86/boot.rst ("The Linux/x86 Boot Protocol").
class LinuxKernelImage {
public:
    // Where the setup header begins, in the file as well as in boot_params.
    static constexpr uint32_t setupHeaderOffset = 0x1f1;

    // Takes protocol 2.05 and later, which is what tells a loader where the initrd may lie and how the kernel is
    // aligned. The error is the end of a sentence that began with the file's name.
    static Result<LinuxKernelImage> parse(std::vector<uint8_t> file);

    uint16_t protocol() const { return m_protocol; } // 0x020f is 2.15
    std::span<const uint8_t> setupHeader() const; // from setupHeaderOffset on; fits into boot_params
    std::span<const uint8_t> protectedModeKernel() const;
    uint32_t code32Start() const; // where the protected-mode kernel is loaded and entered
    uint32_t commandLineSize() const { return m_commandLineSize; } // the longest command line, without its final 0
    uint32_t initrdAddressMax() const; // the last address that the initrd may occupy
    // The first address behind what the kernel needs while it starts, before it knows the memory map.
    uint64_t endOfStartUp() const;
    bool is64Bit() const;

    // Where the payload is not described (before 2.08) or lies outside of the file, an error.
    Result<std::span<const uint8_t>> payload() const;

private:
    LinuxKernelImage() = default;

    std::vector<uint8_t> m_file;
    uint16_t m_protocol = 0;
    uint32_t m_setupHeaderEnd = 0;
    uint32_t m_setupSize = 0; // boot sector and setup code
    uint32_t m_commandLineSize = 0;
};

} // namespace namsan
