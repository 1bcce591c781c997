// SPDX-License-Identifier: GPL-3.0-or-later
// Programs that are carried from engine to engine in the middle of their work, and must not notice.
#include "tests/session/engines.h"
#include "tests/session/host_faults.h"
#include "vmm/engine/interpret/fxsave_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <random>
#include <thread>

namespace namsan {

namespace {

using End = SessionRig::End;
using Bytes = std::vector<uint8_t>;

constexpr uint32_t rounds = SessionRig::dataAddress; // done so far
constexpr uint32_t limit = SessionRig::dataAddress + 4; // when it is enough
constexpr uint32_t results = SessionRig::dataAddress + 16;
constexpr uint32_t resultBytes = 0x2000;

// A round of work, done again and again.
struct Work {
    const char* name;
    Bytes round;
    bool paged = false;
    const HostFault* hostFault = nullptr; // that spoils it on KVM, if the host has it
};

std::vector<Work> works()
{
    return {
        // imul ecx,ecx,1664525; add ecx,1013904223; xor ebx,ecx; rol ebx,5; push ebx; pop edx; shld esi,edx,3;
        // adc edi,esi; mov [20010h],edi
        { "integers, flags, stack",
            { 0x69, 0xc9, 0x0d, 0x66, 0x19, 0x00, 0x81, 0xc1, 0x5f, 0xf3, 0x6e, 0x3c, 0x31, 0xcb, 0xc1, 0xc3, 0x05, //
                0x53, 0x5a, 0x0f, 0xa4, 0xd6, 0x03, 0x11, 0xf7, 0x89, 0x3d, 0x10, 0x00, 0x02, 0x00 } },
        // fld qword [20020h]; fadd qword [20028h]; fsqrt; fstp qword [20020h]; addpd xmm0,xmm1; mulsd xmm0,xmm2;
        // pxor xmm3,xmm0
        { "x87 and SSE",
            { 0xdd, 0x05, 0x20, 0x00, 0x02, 0x00, 0xdc, 0x05, 0x28, 0x00, 0x02, 0x00, 0xd9, 0xfa, //
                0xdd, 0x1d, 0x20, 0x00, 0x02, 0x00, 0x66, 0x0f, 0x58, 0xc1, 0xf2, 0x0f, 0x59, 0xc2, //
                0x66, 0x0f, 0xef, 0xd8 } },
        // add ebx,0; inc dword [10002h] (that 0); mov esi,20010h; mov edi,21000h; mov ecx,32; rep movsd;
        // add [20010h],ebx
        { "own code, strings",
            { 0x81, 0xc3, 0x00, 0x00, 0x00, 0x00, 0xff, 0x05, 0x02, 0x00, 0x01, 0x00, 0xbe, 0x10, 0x00, 0x02, 0x00, //
                0xbf, 0x00, 0x10, 0x02, 0x00, 0xb9, 0x20, 0x00, 0x00, 0x00, 0xf3, 0xa5, //
                0x01, 0x1d, 0x10, 0x00, 0x02, 0x00 } },
        // call f; jmp over; f: imul ebx,ebx,7; inc ebx; ret; over: xchg [20014h],ebx
        { "calls under paging",
            { 0xe8, 0x02, 0x00, 0x00, 0x00, 0xeb, 0x05, 0x6b, 0xdb, 0x07, 0x43, 0xc3, 0x87, 0x1d, 0x14, 0x00, 0x02,
                0x00 },
            true, &host_fault::paging32DoesNotWork },
    };
}

// The rounds until the limit: inc dword [20000h]; mov eax,[20000h]; cmp eax,[20004h]; jb round
Bytes programOf(const Work& work)
{
    Bytes code = work.round;
    const Bytes tail { 0xff, 0x05, 0x00, 0x00, 0x02, 0x00, 0xa1, 0x00, 0x00, 0x02, 0x00, 0x3b, 0x05, 0x04, 0x00, 0x02,
        0x00, 0x0f, 0x82 };
    code.insert(code.end(), tail.begin(), tail.end());
    const auto back = static_cast<uint32_t>(0 - (code.size() + 4));
    for (unsigned n = 0; n < 4; ++n)
        code.push_back(static_cast<uint8_t>(back >> (8 * n)));
    return code;
}

void prepare(SessionRig& rig, const Work& work, uint32_t most)
{
    if (work.paged)
        rig.paged32(programOf(work));
    else
        rig.flat32(programOf(work));
    rig.write<uint32_t>(limit, most);
    rig.write<double>(results + 0x10, 2.0);
    rig.write<double>(results + 0x18, 3.5);
    rig.state.gpr[Ecx] = 1;
    FxsaveImage& image = imageOf(rig.state.fxsave);
    image.control = x87ControlInitial; // after a reset its exceptions are not masked
    image.mxcsr = mxcsr::initial;
    image.xmm[0].quads = { std::bit_cast<uint64_t>(1.0), std::bit_cast<uint64_t>(2.0) };
    image.xmm[1].quads = { std::bit_cast<uint64_t>(0.001), std::bit_cast<uint64_t>(0.5) };
    image.xmm[2].quads = { std::bit_cast<uint64_t>(0.99), 0 };
}

// Takes the guest as it is to a session of that engine.
void moveTo(SessionRig& rig, const Engine& engine)
{
    rig.session.reset(); // only one at a time is at the memory
    auto made = engine.make(*rig.memory, rig.clock, CpuModel::standard(), rig.bus);
    ASSERT_TRUE(made) << engine.name << ": " << made.error().message;
    rig.session = std::move(*made);
    rig.vcpu().load(rig.state);
}

End runForAMoment(SessionRig& rig, unsigned microseconds)
{
    std::thread kicker([&rig, microseconds] {
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(microseconds);
        while (std::chrono::steady_clock::now() < until) { }
        rig.vcpu().kick();
    });
    const End end = rig.goOn();
    kicker.join();
    return end;
}

void expectSame(SessionRig& found, SessionRig& wanted)
{
    EXPECT_EQ(found.state.gpr, wanted.state.gpr);
    EXPECT_EQ(found.state.eip, wanted.state.eip);
    EXPECT_EQ(found.state.eflags, wanted.state.eflags);
    const FxsaveImage& left = imageOf(found.state.fxsave);
    const FxsaveImage& right = imageOf(wanted.state.fxsave);
    EXPECT_EQ(left.status, right.status);
    EXPECT_EQ(left.validTags, right.validTags);
    EXPECT_EQ(left.mxcsr, right.mxcsr);
    for (size_t n = 0; n < left.xmm.size(); ++n)
        EXPECT_EQ(left.xmm[n].quads, right.xmm[n].quads) << "XMM" << n;
    for (uint32_t at = results; at < results + resultBytes; at += 4)
        ASSERT_EQ(found.read<uint32_t>(at), wanted.read<uint32_t>(at)) << "at " << std::hex << at;
}

void carryAround(const Work& work, const std::vector<Engine>& route, unsigned seed)
{
    constexpr unsigned moves = 50;
    std::minstd_rand random(seed);
    SessionRig rig(route.front());
    ASSERT_TRUE(rig.session) << rig.trouble;
    prepare(rig, work, ~0u);
    rig.vcpu().load(rig.state);
    for (unsigned move = 1; move <= moves; ++move) {
        ASSERT_EQ(runForAMoment(rig, static_cast<unsigned>(random() % 300)), End::Kicked) << rig.failure;
        moveTo(rig, route[move % route.size()]);
    }
    constexpr uint32_t more = 1000;
    const uint32_t enough = rig.read<uint32_t>(rounds) + more;
    rig.write<uint32_t>(limit, enough);
    ASSERT_EQ(rig.goOn(), End::Halted) << rig.failure;
    EXPECT_EQ(rig.read<uint32_t>(rounds), enough);

    SessionRig undisturbed(route.front());
    prepare(undisturbed, work, enough);
    ASSERT_EQ(undisturbed.run(), End::Halted);
    expectSame(rig, undisturbed);
}

// The software engines that this host can serve: the interpreter, and the translator in each form of memory.
std::vector<Engine> softwareEngines()
{
    std::vector<Engine> engines = sessionEngines();
    std::erase_if(engines, [](const Engine& engine) { return isKvm(engine) || !troubleOf(engine).empty(); });
    return engines;
}

Engine kvmEngine()
{
    const std::vector<Engine> engines = sessionEngines();
    return *std::ranges::find(engines, "kvm", &Engine::name);
}

} // namespace

TEST(EngineMoves, ProgramsGoOnBetweenInterpreterAndTranslator)
{
    const std::vector<Engine> route = softwareEngines();
    ASSERT_GE(route.size(), 2u);
    unsigned seed = 1;
    for (const Work& work : works()) {
        SCOPED_TRACE(work.name);
        carryAround(work, route, seed++);
    }
}

TEST(EngineMoves, ProgramsGoOnBetweenSoftwareAndKvm)
{
    const std::string trouble = kvmTrouble();
    std::vector<Engine> route = softwareEngines();
    route.push_back(kvmEngine());
    unsigned seed = 101;
    for (const Work& work : works()) {
        SCOPED_TRACE(work.name);
        if (!trouble.empty()) {
            SessionRig rig(route.back());
            EXPECT_EQ(rig.trouble, trouble);
            std::printf("%s: not run on kvm: %s\n", work.name, trouble.c_str());
        } else if (work.hostFault && work.hostFault->present()) {
            std::printf("%s: not run on kvm: %s\n", work.name, work.hostFault->name);
        } else {
            carryAround(work, route, seed++);
        }
    }
}

} // namespace namsan
