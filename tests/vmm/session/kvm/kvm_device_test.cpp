// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/session/kvm/kvm_device.h"

#include "vmm/session/kvm/kvm_api.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>

namespace namsan {

namespace {

// A KVM that opens, and answers questions as it is told to.
KvmAccess fakeKvm(int version, unsigned long lacking = 0)
{
    return {
        .open = [] { return ::open("/dev/null", O_RDWR | O_CLOEXEC); },
        .query =
            [version, lacking](int, unsigned long request, unsigned long argument) {
                if (request == KVM_GET_API_VERSION)
                    return version;
                return argument == lacking ? 0 : 1;
            },
    };
}

std::string troubleWith(const KvmAccess& access)
{
    const auto device = KvmDevice::open(access);
    return device ? "" : device.error().message;
}

KvmAccess refusing(int error)
{
    KvmAccess access = KvmAccess::at();
    access.open = [error] { return -error; };
    return access;
}

} // namespace

TEST(KvmDevice, SaysThatTheHostHasNoKvm)
{
    EXPECT_EQ(troubleWith(KvmAccess::at("/dev/there-is-no-such-device")),
        "This host has no KVM: load the kernel's module kvm_intel or kvm_amd, and see that the firmware setup (BIOS) "
        "has virtualization switched on.");
    EXPECT_EQ(troubleWith(refusing(ENODEV)), troubleWith(refusing(ENOENT)));
}

TEST(KvmDevice, SaysHowToGetAccess)
{
    EXPECT_EQ(
        troubleWith(refusing(EACCES)), "No access to /dev/kvm: add this user to the group kvm, then log in again.");
}

TEST(KvmDevice, SaysThatAContainerHasNoAccess)
{
    EXPECT_EQ(troubleWith(refusing(EPERM)),
        "The host forbids /dev/kvm to this process: allow the device to the container or service that it runs in.");
}

TEST(KvmDevice, NamesAnyOtherReason)
{
    EXPECT_EQ(troubleWith(refusing(EMFILE)),
        "The host's KVM cannot be opened (Too many open files). The software CPU (--engine soft) does without it.");
}

TEST(KvmDevice, RefusesWhatIsNoKvm)
{
    EXPECT_EQ(troubleWith(KvmAccess::at("/dev/null")),
        "What was opened as KVM is none (Inappropriate ioctl for device). The software CPU (--engine soft) does "
        "without.");
}

TEST(KvmDevice, RefusesAnotherVersion)
{
    EXPECT_EQ(troubleWith(fakeKvm(11)),
        "The host's KVM speaks version 11 of its interface, and this program version 12. Use another kernel, or the "
        "software CPU (--engine soft).");
}

TEST(KvmDevice, NamesTheCapabilityThatIsLacking)
{
    EXPECT_EQ(troubleWith(fakeKvm(12, KVM_CAP_IMMEDIATE_EXIT)),
        "The host's KVM lacks KVM_CAP_IMMEDIATE_EXIT. Use a newer kernel (Linux 4.11 has it), or the software CPU "
        "(--engine soft).");
    EXPECT_EQ(troubleWith(fakeKvm(12)), "");
}

TEST(KvmDevice, SaysHowManyVcpusThereMayBe)
{
    const auto device = KvmDevice::open(fakeKvm(12)); // which has one of everything
    ASSERT_TRUE(device);
    const auto can = device->canServe(CpuModel::standard().withLocalApic(), 2);
    ASSERT_FALSE(can);
    EXPECT_EQ(can.error().message,
        "The host's KVM gives a machine 1 vCPUs at most, and 2 are asked for. Use fewer (--vcpus), or the software CPU "
        "(--engine soft).");
}

TEST(KvmDevice, DoesWithoutExactTimeStampCounters)
{
    const auto device = KvmDevice::open(fakeKvm(12, KVM_CAP_VCPU_ATTRIBUTES));
    ASSERT_TRUE(device);
    EXPECT_FALSE(device->capabilities().vcpuAttributes);
    EXPECT_TRUE(device->capabilities().readOnlyMemory);
}

} // namespace namsan
