// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"
#include "vmm/base/result.h"
#include "vmm/engine/cpu_model.h"

#include <functional>
#include <string>

namespace namsan {

// How the host's KVM is reached. Tests put something else in its place: a host without KVM, one that forbids it, one
// that lacks something.
struct KvmAccess {
    std::function<int()> open; // a file descriptor, or an errno below zero
    std::function<int(int device, unsigned long request, unsigned long argument)> query; // as ioctl()

    static KvmAccess at(std::string path = "/dev/kvm");
};

// What a host's KVM may lack and can be done without.
struct KvmCapabilities {
    bool readOnlyMemory = false;
    bool msrFilter = false; // RDMSR and WRMSR of what the CPU model does not have come here
    bool exitOnEmulationFailure = false; // for user mode as well, without a #UD on the way
    bool vcpuAttributes = false; // among them the exact offset of the TSC
    int memorySlots = 0;
    unsigned vcpus = 1; // at most, in one VM
};

// The host's KVM, opened and found to be one that a VM can be built on. Linux, Documentation/virt/kvm/api.rst.
class KvmDevice {
public:
    // Fails with a sentence where KVM is missing, forbidden, of another version, or lacks what cannot be done without.
    static Result<KvmDevice> open(const KvmAccess& = KvmAccess::at());

    const KvmCapabilities& capabilities() const { return m_capabilities; }
    // Says which promise of the model the host's processor cannot keep, or how many vCPUs there may be.
    Result<void> canServe(const CpuModel&, unsigned vcpus = 1) const;
    Result<FeatureSet> supportedFeatures() const;
    Result<FileDescriptor> createVm() const;
    Result<size_t> vcpuMappingSize() const; // of what a vCPU shares with the kernel

private:
    KvmDevice(FileDescriptor file, const KvmAccess& access);

    Result<void> checkVersion() const;
    Result<void> checkNecessities() const;
    int extension(unsigned long number) const;
    void findCapabilities();

    FileDescriptor m_file;
    KvmAccess m_access;
    KvmCapabilities m_capabilities;
};

} // namespace namsan
