// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/doctor_command.h"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include <cerrno>
#include <regex>
#include <sstream>

namespace namsan {

namespace {

// What the doctor says of the engines of a host with that KVM.
std::string doctorWith(KvmAccess access)
{
    CLI::App parser;
    const DoctorCommand doctor(parser, std::move(access));
    parser.parse("doctor", false);
    std::ostringstream output, errors;
    const Program program { .openWindow = {}, .makeMachine = {}, .output = output, .errors = errors };
    EXPECT_EQ(doctor.execute(program), ExitCode::Success);
    return output.str();
}

void expectLine(const std::string& report, std::string_view line)
{
    EXPECT_NE(report.find(line), std::string::npos) << line << "\n" << report;
}

} // namespace

TEST(DoctorCommand, TellsThatKvmIsForbidden)
{
    KvmAccess access = KvmAccess::at();
    access.open = [] { return -EACCES; };
    const std::string report = doctorWith(access);
    expectLine(report, "Engine       kvm: No access to /dev/kvm: add this user to the group kvm, then log in again.\n");
    expectLine(report, "Engine       auto chooses soft: No access to /dev/kvm");
    expectLine(report, " MIPS here\n");
    expectLine(report, "Engine       soft translates what is hot. It ");
}

TEST(DoctorCommand, TellsThatThereIsNoKvm)
{
    const std::string report = doctorWith(KvmAccess::at("/dev/there-is-no-such-device"));
    expectLine(report, "Engine       kvm: This host has no KVM: ");
}

TEST(DoctorCommand, TellsWhichEngineServesWhichCpuModel)
{
    const std::string report = doctorWith(KvmAccess::at("/dev/there-is-no-such-device"));
    expectLine(report, "CPU model    486: i486DX4; on soft\n");
    expectLine(report, "CPU model    pentium-m: Pentium M: SSE2, NX; on soft\n");
    expectLine(report, "CPU model    host-common: everything that interpreter, KVM and host have in common; FPU, ");
}

TEST(DoctorCommand, MeasuresTheKvmOfThisHostOrSaysWhyNot)
{
    const auto kvm = KvmDevice::open();
    const std::string report = doctorWith(KvmAccess::at());
    if (!kvm) {
        expectLine(report, "Engine       kvm: " + kvm.error().message + "\n");
        return;
    }
    const std::regex measured(
        R"(Engine       kvm: KVM here runs [0-9.]+ MIPS: (it emulates|the host's processor does it)\.\n)");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(report, found, measured)) << report;
    // The choice follows from what was measured.
    expectLine(
        report, found[1] == "it emulates" ? "Engine       auto chooses soft: " : "Engine       auto chooses kvm: ");
}

} // namespace namsan
