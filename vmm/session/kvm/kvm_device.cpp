// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_device.h"

#include "vmm/session/kvm/kvm_api.h"
#include "vmm/session/kvm/kvm_call.h"

#include <algorithm>
#include <array>
#include <fcntl.h>

namespace namsan {

namespace {

constexpr int apiVersion = 12; // the only one since Linux 2.6.22

struct Necessity {
    unsigned long capability;
    const char* name;
};
constexpr std::array necessities {
    Necessity { KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
    Necessity { KVM_CAP_SYNC_MMU, "KVM_CAP_SYNC_MMU" },
    Necessity { KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID" },
    Necessity { KVM_CAP_MP_STATE, "KVM_CAP_MP_STATE" },
    Necessity { KVM_CAP_VCPU_EVENTS, "KVM_CAP_VCPU_EVENTS" },
    Necessity { KVM_CAP_DEBUGREGS, "KVM_CAP_DEBUGREGS" },
    Necessity { KVM_CAP_XSAVE, "KVM_CAP_XSAVE" },
    Necessity { KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
};

std::string whyNotOpened(int error)
{
    switch (error) {
    case EPERM: // the user may, and a control group of devices does not let this process
        return "The host forbids /dev/kvm to this process: allow the device to the container or service that it runs "
               "in.";
    case EACCES:
        return "No access to /dev/kvm: add this user to the group kvm, then log in again.";
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return "This host has no KVM: load the kernel's module kvm_intel or kvm_amd, and see that the firmware setup "
               "(BIOS) has virtualization switched on.";
    default:
        return fmt::format("The host's KVM cannot be opened ({}). The software CPU (--engine soft) does without it.",
            std::strerror(error));
    }
}

} // namespace

KvmAccess KvmAccess::at(std::string path)
{
    return {
        .open =
            [path = std::move(path)] {
                const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
                return file < 0 ? -errno : file;
            },
        .query
        = [](int device, unsigned long request, unsigned long argument) { return ioctl(device, request, argument); },
    };
}

KvmDevice::KvmDevice(FileDescriptor file, const KvmAccess& access)
    : m_file(std::move(file))
    , m_access(access)
{
}

Result<KvmDevice> KvmDevice::open(const KvmAccess& access)
{
    const int file = access.open();
    if (file < 0)
        return Error { whyNotOpened(-file) };
    KvmDevice device(FileDescriptor(file), access);
    if (auto checked = device.checkVersion(); !checked)
        return checked.error();
    if (auto checked = device.checkNecessities(); !checked)
        return checked.error();
    device.findCapabilities();
    return device;
}

Result<void> KvmDevice::checkVersion() const
{
    const int version = m_access.query(m_file.number(), KVM_GET_API_VERSION, 0);
    if (version == apiVersion)
        return {};
    if (version < 0)
        return Error { fmt::format(
            "What was opened as KVM is none ({}). The software CPU (--engine soft) does without.",
            std::strerror(errno)) };
    return Error { fmt::format("The host's KVM speaks version {} of its interface, and this program version {}. "
                               "Use another kernel, or the software CPU (--engine soft).",
        version, apiVersion) };
}

Result<void> KvmDevice::checkNecessities() const
{
    for (const auto& [capability, name] : necessities) {
        if (extension(capability) <= 0)
            return Error { fmt::format("The host's KVM lacks {}. Use a newer kernel (Linux 4.11 has it), or the "
                                       "software CPU (--engine soft).",
                name) };
    }
    return {};
}

int KvmDevice::extension(unsigned long number) const
{
    return m_access.query(m_file.number(), KVM_CHECK_EXTENSION, number);
}

void KvmDevice::findCapabilities()
{
    const auto has = [this](unsigned long capability) { return extension(capability) > 0; };
    m_capabilities = {
        .readOnlyMemory = has(KVM_CAP_READONLY_MEM),
        .msrFilter = has(KVM_CAP_X86_USER_SPACE_MSR) && has(KVM_CAP_X86_MSR_FILTER),
        .exitOnEmulationFailure = has(KVM_CAP_EXIT_ON_EMULATION_FAILURE),
        .vcpuAttributes = has(KVM_CAP_VCPU_ATTRIBUTES),
        .memorySlots = extension(KVM_CAP_NR_MEMSLOTS),
        .vcpus = static_cast<unsigned>(std::max(1, extension(KVM_CAP_MAX_VCPUS))),
    };
}

Result<FeatureSet> KvmDevice::supportedFeatures() const
{
    constexpr uint32_t mostEntries = 256;
    KvmList<kvm_cpuid2, kvm_cpuid_entry2> supported(mostEntries);
    supported.head()->nent = mostEntries;
    if (auto asked = kvmCall(m_file.number(), KVM_GET_SUPPORTED_CPUID, supported.head(), "to tell its CPUID"); !asked)
        return asked.error();
    // The TSC is invariant by the board's clock, whatever the host's is.
    FeatureSet features { Feature::Base, Feature::Hints, Feature::InvariantTsc };
    for (uint32_t i = 0; i < supported.head()->nent; ++i) {
        const kvm_cpuid_entry2& entry = supported.entries()[i];
        if (entry.function == 1) {
            features.setWord(FeatureSet::leaf1Edx, entry.edx);
            features.setWord(FeatureSet::leaf1Ecx, entry.ecx);
        } else if (entry.function == 0x80000001) {
            features.setWord(FeatureSet::extendedEdx, entry.edx);
        }
    }
    // The local APIC is ours and not the kernel's. What it has in model-specific registers has to come here.
    features.add(Feature::Apic);
    if (m_capabilities.msrFilter) {
        features.add(Feature::X2Apic);
        features.add(Feature::TscDeadline);
    }
    return features;
}

Result<void> KvmDevice::canServe(const CpuModel& model, unsigned vcpus) const
{
    if (vcpus > m_capabilities.vcpus)
        return Error { fmt::format("The host's KVM gives a machine {} vCPUs at most, and {} are asked for. Use fewer "
                                   "(--vcpus), or the software CPU (--engine soft).",
            m_capabilities.vcpus, vcpus) };
    const auto supported = supportedFeatures();
    if (!supported)
        return supported.error();
    if (const FeatureSet missing = model.features().without(*supported); !missing.empty())
        return Error { fmt::format("The host's KVM cannot serve the CPU model {}: it lacks {}. Choose another model "
                                   "(--cpu), or the software CPU (--engine soft).",
            model.name(), namesOf(missing)) };
    return {};
}

Result<FileDescriptor> KvmDevice::createVm() const
{
    const int vm = ioctl(m_file.number(), KVM_CREATE_VM, 0);
    if (vm < 0)
        return Error { fmt::format(
            "The host's KVM gave no VM ({}). End other virtual machines, or use the software CPU "
            "(--engine soft).",
            std::strerror(errno)) };
    return FileDescriptor(vm);
}

Result<size_t> KvmDevice::vcpuMappingSize() const
{
    const int size = ioctl(m_file.number(), KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < static_cast<int>(sizeof(kvm_run)))
        return Error {
            "The host's KVM does not tell what it shares with a vCPU. Use the software CPU (--engine soft)."
        };
    return static_cast<size_t>(size);
}

} // namespace namsan
