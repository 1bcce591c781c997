// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stream_comparison.h"
#include "tests/differential/stream_engine.h"
#include "tests/differential/stream_generator.h"
#include "tests/differential/stream_reduction.h"
#include "tests/differential/stream_settings.h"
#include "tests/session/host_faults.h"
#include "vmm/machine/engine_choice.h"
#include "vmm/session/kvm/kvm_device.h"

#include <cstdio>
#include <gtest/gtest.h>
#include <map>

// Random streams in protected mode on the host's KVM, at CPL 0 without paging, which is what every KVM can run.
// What this host's KVM does wrong is shown without the engine in tests/session/host_faults.cpp; streams that would meet
// it are left out and counted.
namespace namsan {

namespace {

constexpr auto kind = StreamWorld::Kind::Bare;
constexpr unsigned mostReports = 10;

// The host's fault that a stream would meet.
const HostFault* faultMetBy(const RandomStream& stream)
{
    static const bool adjustmentsAreWrong = host_fault::adjustmentsTakeFlagsOfEax.present();
    static const bool entersAreWrong = host_fault::shortEnterPushesTheLongWay.present();
    constexpr uint8_t aam = 0xd4, aad = 0xd5, enter = 0xc8, operandSize = 0x66;
    for (const uint32_t eip : stream.path) {
        const bool isShort = stream.byteAt(eip) == operandSize;
        const uint8_t opcode = stream.byteAt(isShort ? eip + 1 : eip);
        if (adjustmentsAreWrong && (opcode == aam || opcode == aad))
            return &host_fault::adjustmentsTakeFlagsOfEax;
        if (entersAreWrong && isShort && opcode == enter)
            return &host_fault::shortEnterPushesTheLongWay;
    }
    return nullptr;
}

unsigned long long as(uint64_t number)
{
    return number;
}

} // namespace

TEST(KvmStreams, EndAsTheInterpreterDoes)
{
    const auto device = KvmDevice::open();
    // All that KVM and the host have, and no more: what KVM leaves to the interpreter is to be tested as well.
    const auto model = chooseCpuModel(CpuModel::hostCommonName);
    ASSERT_TRUE(model);
    auto engine = StreamEngine::kvm(kind, *model);
    ASSERT_EQ(engine.ok(), device.ok());
    if (!engine) {
        EXPECT_EQ(engine.error().message, device.error().message);
        std::printf("Not run on KVM: %s\n", engine.error().message.c_str());
        return;
    }
    const StreamRunner onKvm = [&engine](std::span<NativeStream> some) {
        for (NativeStream& stream : some)
            stream = (*engine)->run(stream);
    };
    StreamGenerator generator(StreamWorld::Kind::Native, model->features());
    const StreamSettings settings(20000, 50);
    uint64_t instructions = 0;
    uint64_t streams = 0;
    unsigned different = 0;
    std::map<std::string, unsigned> leftOut; // streams, by the host's fault
    uint64_t seed = settings.firstSeed;
    for (; instructions < settings.instructions && different < mostReports; ++seed) {
        const auto stream = generator.make(seed, StreamSettings::lengthOf(seed));
        if (!stream || stream->after.trap != 3)
            continue; // faults are those of user mode and of paging
        if (const HostFault* fault = faultMetBy(*stream)) {
            ++leftOut[fault->name];
            continue;
        }
        ++streams;
        instructions += stream->path.size() - 1;
        const std::string text = streamDifferences(*stream, (*engine)->run(stream->before), stream->after);
        if (text.empty())
            continue;
        ++different;
        ADD_FAILURE() << "seed " << seed << ": KVM (called host) and the interpreter's handlers differ\n"
                      << text << reduceStream(*stream, kind, "KVM", onKvm);
    }
    std::printf("Seeds %llu to %llu: %llu streams with %llu instructions on KVM.\n", as(settings.firstSeed),
        as(seed - 1), as(streams), as(instructions));
    for (const auto& [fault, count] : leftOut)
        std::printf("%u more streams were not run. %s\n", count, fault.c_str());
    EXPECT_GT(streams, 0u);
}

} // namespace namsan
