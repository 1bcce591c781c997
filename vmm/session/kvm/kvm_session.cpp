// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_session.h"

#include "vmm/session/kvm/kvm_call.h"
#include "vmm/session/kvm/kvm_cpuid.h"

#include <array>
#include <cassert>

namespace namsan {

namespace {

// Four pages that KVM on Intel's processors wants for itself, where no PC has memory: below the firmware's ROM.
// Linux, Documentation/virt/kvm/api.rst, KVM_SET_TSS_ADDR and KVM_SET_IDENTITY_MAP_ADDR.
constexpr uint64_t identityMapAddress = 0xfeffc000;
constexpr unsigned long tssAddress = identityMapAddress + 0x1000;

// The model-specific registers that the kernel may serve where the model has them: what it does is what it promises.
// RDMSR and WRMSR of all others come here, so that they are what they are on every engine.
struct MsrRange {
    uint32_t first;
    uint32_t count;
    Feature feature;
    uint32_t accesses;
};
constexpr uint32_t readAndWrite = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE;
constexpr std::array msrsOfTheKernel {
    MsrRange { timeStampCounterMsr, 1, Feature::Tsc, KVM_MSR_FILTER_READ }, // a write is the board clock's affair
    MsrRange { 0x174, 3, Feature::Sep, readAndWrite }, // SYSENTER
    MsrRange { 0x277, 1, Feature::Pat, readAndWrite }, // page attribute table
    MsrRange { 0xc0000080, 1, Feature::Nx, readAndWrite }, // extended features
};

Result<void> enable(int vm, uint32_t capability, uint64_t argument, std::string_view what)
{
    kvm_enable_cap order {};
    order.cap = capability;
    order.args[0] = argument;
    return kvmCall(vm, KVM_ENABLE_CAP, &order, what);
}

Result<void> filterMsrs(int vm, const CpuModel& model)
{
    std::array<uint8_t, 8> allowed { 0xff }; // a bit for each register of a range, in whole words of the kernel's
    kvm_msr_filter filter {};
    filter.flags = KVM_MSR_FILTER_DEFAULT_DENY;
    size_t used = 0;
    for (const auto& [first, count, feature, accesses] : msrsOfTheKernel)
        if (model.has(feature))
            filter.ranges[used++] = { .flags = accesses, .nmsrs = count, .base = first, .bitmap = allowed.data() };
    // Those of an x2APIC pass any filter. Without an APIC in the kernel they are invalid there, and come here as that.
    constexpr uint64_t reasons = KVM_MSR_EXIT_REASON_FILTER | KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL;
    if (auto enabled = enable(vm, KVM_CAP_X86_USER_SPACE_MSR, reasons, "to hand over model-specific registers");
        !enabled)
        return enabled;
    return kvmCall(vm, KVM_X86_SET_MSR_FILTER, &filter, "a filter of model-specific registers");
}

} // namespace

Result<std::unique_ptr<KvmSession>> KvmSession::create(GuestMemory& memory, const Clock& clock, const CpuModel& model,
    GuestBus& bus, unsigned vcpus, const KvmAccess& access)
{
    assert(vcpus >= 1 && vcpus <= ProcessorGroup::most);
    const auto device = KvmDevice::open(access);
    if (!device)
        return device.error();
    if (auto can = device->canServe(model, vcpus); !can)
        return can.error();
    std::unique_ptr<KvmSession> session(new KvmSession(clock));
    if (auto built = session->build(*device, memory, clock, model, bus, vcpus); !built)
        return built.error();
    return session;
}

Result<void> KvmSession::build(const KvmDevice& device, GuestMemory& memory, const Clock& clock, const CpuModel& model,
    GuestBus& bus, unsigned vcpus)
{
    const KvmCapabilities& capabilities = device.capabilities();
    const auto signal = kickSignal();
    if (!signal)
        return signal.error();
    auto vm = device.createVm();
    if (!vm)
        return vm.error();
    m_vm = std::move(*vm);
    if (auto prepared = prepareVm(capabilities, model); !prepared)
        return prepared;

    m_memory = std::make_unique<KvmMemory>(
        memory, m_vm.number(), capabilities.readOnlyMemory, static_cast<size_t>(std::max(0, capabilities.memorySlots)));
    if (auto applied = m_memory->apply(m_a20Open); !applied)
        return applied;

    if (model.has(Feature::Apic))
        m_apics = std::make_unique<LocalApics>(vcpus,
            LocalApic::Features {
                .x2Apic = model.has(Feature::X2Apic), .tscDeadline = model.has(Feature::TscDeadline) },
            clock);
    if (vcpus > 1)
        m_group = std::make_unique<ProcessorGroup>(memory, vcpus);
    const KvmVcpu::Environment environment { memory, *m_memory, bus, clock, m_tscDifference, model, m_a20Open,
        capabilities, *signal };
    for (unsigned index = 0; index < vcpus; ++index) {
        auto vcpu = makeVcpu(device, environment, { m_apics.get(), m_group.get(), { index, vcpus } });
        if (!vcpu)
            return vcpu.error();
        m_vcpus.push_back(std::move(*vcpu));
    }
    m_remarks += m_vcpus.front()->remark();
    return {};
}

Result<std::unique_ptr<KvmVcpu>> KvmSession::makeVcpu(
    const KvmDevice& device, const KvmVcpu::Environment& environment, const KvmVcpu::Neighbours& neighbours)
{
    const int number = ioctl(m_vm.number(), KVM_CREATE_VCPU, neighbours.place.index);
    if (number < 0)
        return Error { fmt::format("The host's KVM gave no vCPU ({}). End other virtual machines, or use the software "
                                   "CPU (--engine soft).",
            std::strerror(errno)) };
    FileDescriptor vcpu(number);
    if (auto set = setCpuid(number, environment.model, neighbours.place); !set)
        return set.error();
    const auto size = device.vcpuMappingSize();
    if (!size)
        return size.error();
    auto area = KvmRunArea::map(number, *size);
    if (!area)
        return area.error();
    return std::make_unique<KvmVcpu>(std::move(vcpu), std::move(*area), environment, neighbours);
}

Result<void> KvmSession::prepareVm(const KvmCapabilities& capabilities, const CpuModel& model)
{
    uint64_t identityMap = identityMapAddress;
    if (auto set = kvmCall(m_vm.number(), KVM_SET_IDENTITY_MAP_ADDR, &identityMap, "a place for its page table"); !set)
        return set;
    if (auto set = kvmCall(m_vm.number(), KVM_SET_TSS_ADDR, tssAddress, "a place for its task state"); !set)
        return set;
    if (capabilities.exitOnEmulationFailure)
        if (auto enabled
            = enable(m_vm.number(), KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1, "to tell what it cannot emulate");
            !enabled)
            return enabled;
    if (capabilities.msrFilter)
        return filterMsrs(m_vm.number(), model);
    m_remarks += " Model-specific registers are this host's and not the CPU model's: its KVM has no filter for them.";
    return {};
}

void KvmSession::setA20(bool open)
{
    m_a20Open = open;
    for (const auto& vcpu : m_vcpus)
        vcpu->gateA20Moved();
}

} // namespace namsan
