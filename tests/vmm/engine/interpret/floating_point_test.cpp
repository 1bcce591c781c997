// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/decode/decoder.h"
#include "vmm/engine/interpret/fxsave_image.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/interpret/x87_environment.h"
#include "vmm/time/clock.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <gtest/gtest.h>
#include <initializer_list>

// What user mode cannot show of floating point: control bits, privileged state, exact images in memory. The arithmetic
// itself is compared with the host CPU in tests/differential.
namespace namsan {

namespace {

struct NoBus final : GuestBus {
    uint32_t portIn(Port, Width) override { return 0xffffffff; }
    void portOut(Port, Width, uint32_t) override { }
    uint64_t mmioRead(PhysicalAddress, unsigned) override { return ~uint64_t { 0 }; }
    void mmioWrite(PhysicalAddress, unsigned, uint64_t) override { }
    uint8_t acknowledgeInterrupt() override { return 0; }
};

} // namespace

// A processor in flat protected mode at CPL 0, without paging.
class FloatingPointTest : public ::testing::Test {
protected:
    static constexpr uint32_t operand = 0x4000; // where [ESI] points
    static constexpr uint32_t codeAddress = 0x8000;

    FloatingPointTest()
    {
        CpuState state;
        state.cr0 = cr0::protectionEnable | cr0::extensionType | cr0::numericError;
        state.cr4 = cr4::fxsave | cr4::simdExceptions;
        state.segments.fill({ 0x10, 0xc093, 0, 0xffffffff });
        state.segments[Cs] = { 0x08, 0xc09b, 0, 0xffffffff };
        processor.load(state);
        processor.gpr[Esi] = operand;
        image().control = x87ControlInitial;
        image().mxcsr = mxcsr::initial;
    }

    FxsaveImage& image() { return imageOf(processor.fxsave); }

    // Runs one instruction; returns the exception that it raised, if any.
    std::optional<Exception> run(std::initializer_list<uint8_t> bytes)
    {
        std::array<uint8_t, 16> code;
        code.fill(0x90);
        std::copy(bytes.begin(), bytes.end(), code.begin());
        Instruction instruction;
        EXPECT_EQ(decoder.decode(code, code32, instruction), Decoder::Outcome::Decoded);
        EXPECT_EQ(instruction.length, bytes.size());
        processor.eip = codeAddress;
        processor.nextEip = codeAddress + instruction.length;
        try {
            instruction.execute(processor, instruction);
            return {};
        } catch (const Fault& fault) {
            errorCode = fault.errorCode;
            return fault.exception;
        }
    }

    void setControlBits(uint32_t cr0Bits, uint32_t cr4Bits)
    {
        processor.cr0 |= cr0Bits;
        processor.cr4 = cr4Bits;
    }

    template <class T> T memoryAt(uint32_t address)
    {
        T value;
        std::memcpy(&value, memory->host(address), sizeof value);
        return value;
    }
    template <class T> void setMemory(uint32_t address, T value)
    {
        std::memcpy(memory->host(address), &value, sizeof value);
    }

    void setXmm(unsigned number, double low, double high)
    {
        image().xmm[number].quads = { std::bit_cast<uint64_t>(low), std::bit_cast<uint64_t>(high) };
    }

    std::unique_ptr<GuestMemory> memory = std::move(*GuestMemory::create(GuestMemory::smallest));
    NoBus bus;
    ManualClock clock;
    VcpuCounters counters;
    Processor processor { *memory, bus, clock, CpuModel::standard(), counters };
    Decoder decoder;
    bool code32 = true;
    std::optional<uint32_t> errorCode;
};

// -- availability ---------------------------------------------------------------------------------------------------

TEST_F(FloatingPointTest, TaskSwitchedMakesEveryKindOfInstructionUnavailable)
{
    setControlBits(cr0::taskSwitched, cr4::fxsave);
    EXPECT_EQ(run({ 0xd9, 0xe8 }), Exception::DeviceNotAvailable); // FLD1
    EXPECT_EQ(run({ 0xdb, 0xe3 }), Exception::DeviceNotAvailable); // FNINIT
    EXPECT_EQ(run({ 0x0f, 0x77 }), Exception::DeviceNotAvailable); // EMMS
    EXPECT_EQ(run({ 0x0f, 0x58, 0xc1 }), Exception::DeviceNotAvailable); // ADDPS XMM0, XMM1
    EXPECT_EQ(run({ 0x0f, 0xae, 0x06 }), Exception::DeviceNotAvailable); // FXSAVE [ESI]
    EXPECT_FALSE(errorCode);
}

TEST_F(FloatingPointTest, EmulationLeavesX87ToASoftwareAndForbidsTheRest)
{
    setControlBits(cr0::emulation, cr4::fxsave);
    EXPECT_EQ(run({ 0xd9, 0xe8 }), Exception::DeviceNotAvailable);
    EXPECT_EQ(run({ 0x0f, 0x77 }), Exception::InvalidOpcode);
    EXPECT_EQ(run({ 0x0f, 0x58, 0xc1 }), Exception::InvalidOpcode);
}

TEST_F(FloatingPointTest, WaitAsksForBothMonitorCoprocessorAndTaskSwitched)
{
    setControlBits(cr0::taskSwitched, cr4::fxsave);
    EXPECT_EQ(run({ 0x9b }), std::nullopt);
    setControlBits(cr0::monitorCoprocessor, cr4::fxsave);
    EXPECT_EQ(run({ 0x9b }), Exception::DeviceNotAvailable);
}

TEST_F(FloatingPointTest, SseNeedsTheSystemsPromiseToSaveItsRegisters)
{
    setControlBits(0, 0);
    EXPECT_EQ(run({ 0x0f, 0x58, 0xc1 }), Exception::InvalidOpcode);
    EXPECT_EQ(run({ 0x0f, 0xae, 0x16 }), Exception::InvalidOpcode); // LDMXCSR [ESI]
    EXPECT_EQ(run({ 0x0f, 0xae, 0x06 }), std::nullopt); // FXSAVE [ESI]
    EXPECT_EQ(run({ 0x0f, 0xfc, 0xc1 }), std::nullopt); // PADDB MM0, MM1
    EXPECT_EQ(run({ 0x0f, 0xae, 0xf0 }), std::nullopt); // MFENCE
}

// -- x87 exceptions -------------------------------------------------------------------------------------------------

TEST_F(FloatingPointTest, AnUnmaskedExceptionIsReportedByTheNextWaitingInstruction)
{
    ASSERT_EQ(run({ 0xd9, 0xe8 }), std::nullopt); // FLD1
    ASSERT_EQ(run({ 0xd9, 0xee }), std::nullopt); // FLDZ
    image().control &= static_cast<uint16_t>(~x87_status::zeroDivide);
    EXPECT_EQ(run({ 0xd8, 0xf9 }), std::nullopt); // FDIVR ST(0), ST(1): 1 / 0
    EXPECT_TRUE(image().status & x87_status::zeroDivide);
    EXPECT_TRUE(image().status & x87_status::errorSummary);
    EXPECT_EQ(image().st[0].significand, 0u) << "an unmasked division by zero leaves its operands";

    EXPECT_EQ(run({ 0xd9, 0xe8 }), Exception::FloatingPoint);
    EXPECT_EQ(run({ 0x9b }), Exception::FloatingPoint);
    EXPECT_EQ(run({ 0x0f, 0xfc, 0xc1 }), Exception::FloatingPoint); // PADDB MM0, MM1
    EXPECT_EQ(run({ 0xdf, 0xe0 }), std::nullopt); // FNSTSW AX does not wait
    EXPECT_EQ(processor.gpr[Eax] & 0x80, 0x80u);
    EXPECT_EQ(run({ 0xdb, 0xe2 }), std::nullopt); // FNCLEX
    EXPECT_EQ(run({ 0x9b }), std::nullopt);
}

TEST_F(FloatingPointTest, UnmaskingAnOldExceptionMakesItPending)
{
    image().status = x87_status::precision;
    setMemory<uint16_t>(operand, 0x35f); // all masked but precision
    ASSERT_EQ(run({ 0xd9, 0x2e }), std::nullopt); // FLDCW [ESI]
    EXPECT_EQ(run({ 0x9b }), Exception::FloatingPoint);
}

TEST_F(FloatingPointTest, ThePushThatOverflowsTheStackSaysSoInC1)
{
    image().validTags = 0xff;
    ASSERT_EQ(run({ 0xd9, 0xe8 }), std::nullopt);
    constexpr uint16_t expected = x87_status::invalid | x87_status::stackFault | x87_status::c1;
    EXPECT_EQ(image().status & expected, expected);
    EXPECT_EQ(image().st[0].signExponent, 0xffff);
    EXPECT_EQ(image().st[0].significand, 0xc000000000000000u);
}

TEST_F(FloatingPointTest, KeepsPointersToTheLastInstructionAndItsOperand)
{
    ASSERT_EQ(run({ 0xd9, 0x06 }), std::nullopt); // FLD dword [ESI]
    ASSERT_EQ(run({ 0xd9, 0x7e, 0x20 }), std::nullopt); // FNSTCW changes none of them
    EXPECT_EQ(image().instructionOffset, codeAddress);
    EXPECT_EQ(image().codeSegment, 0x08);
    EXPECT_EQ(image().dataOffset, operand);
    EXPECT_EQ(image().dataSegment, 0x10);
    EXPECT_EQ(image().opcode, 0x106);
}

// -- SSE exceptions and alignment -----------------------------------------------------------------------------------

TEST_F(FloatingPointTest, AnUnmaskedSseExceptionWritesNothingButItsFlag)
{
    setXmm(0, 1, 2);
    setXmm(1, 0, 4);
    image().mxcsr = mxcsr::initial & ~(4u << mxcsr::maskShift); // divide by zero
    EXPECT_EQ(run({ 0x66, 0x0f, 0x5e, 0xc1 }), Exception::Simd); // DIVPD XMM0, XMM1
    EXPECT_EQ(image().xmm[0].quads[1], std::bit_cast<uint64_t>(2.0));
    EXPECT_EQ(image().mxcsr & mxcsr::exceptions, 4u);

    setControlBits(0, cr4::fxsave);
    EXPECT_EQ(run({ 0x66, 0x0f, 0x5e, 0xc1 }), Exception::InvalidOpcode);
}

TEST_F(FloatingPointTest, AnExactDenormalIsAnUnmaskedUnderflow)
{
    image().xmm[0].quads = { 0x0010000000000000, 0 }; // the smallest normal double
    setXmm(1, 0.5, 0);
    ASSERT_EQ(run({ 0xf2, 0x0f, 0x59, 0xc1 }), std::nullopt); // MULSD XMM0, XMM1
    EXPECT_EQ(image().mxcsr & mxcsr::exceptions, 0u);

    image().xmm[0].quads = { 0x0010000000000000, 0 };
    image().mxcsr = mxcsr::initial & ~mxcsr::underflowMask;
    EXPECT_EQ(run({ 0xf2, 0x0f, 0x59, 0xc1 }), Exception::Simd);
    EXPECT_EQ(image().mxcsr & mxcsr::exceptions, mxcsr::underflow);
}

TEST_F(FloatingPointTest, MisalignedOperandsAreGeneralProtectionWhereTheEntrySaysSo)
{
    processor.gpr[Esi] = operand + 8;
    EXPECT_EQ(run({ 0x0f, 0x28, 0x06 }), Exception::GeneralProtection); // MOVAPS XMM0, [ESI]
    EXPECT_EQ(errorCode, 0u);
    EXPECT_EQ(run({ 0x0f, 0x29, 0x06 }), Exception::GeneralProtection); // MOVAPS [ESI], XMM0
    EXPECT_EQ(run({ 0x66, 0x0f, 0xfc, 0x06 }), Exception::GeneralProtection); // PADDB XMM0, [ESI]
    EXPECT_EQ(run({ 0x0f, 0xae, 0x06 }), Exception::GeneralProtection); // FXSAVE [ESI]
    EXPECT_EQ(run({ 0x0f, 0xae, 0x0e }), Exception::GeneralProtection); // FXRSTOR [ESI]
    EXPECT_EQ(run({ 0x0f, 0x10, 0x06 }), std::nullopt); // MOVUPS XMM0, [ESI]
    EXPECT_EQ(run({ 0xf2, 0x0f, 0x58, 0x06 }), std::nullopt); // ADDSD XMM0, [ESI]
}

TEST_F(FloatingPointTest, BitsOfMxcsrThatDoNotExistAreGeneralProtection)
{
    setMemory<uint32_t>(operand, 0x10000);
    EXPECT_EQ(run({ 0x0f, 0xae, 0x16 }), Exception::GeneralProtection); // LDMXCSR [ESI]
    EXPECT_EQ(image().mxcsr, mxcsr::initial);
    setMemory<uint32_t>(operand, 0xffff);
    EXPECT_EQ(run({ 0x0f, 0xae, 0x16 }), std::nullopt);
    EXPECT_EQ(image().mxcsr, 0xffffu);
}

// -- whole states ---------------------------------------------------------------------------------------------------

TEST_F(FloatingPointTest, FxsaveAndFxrstorCarryEverything)
{
    for (unsigned i = 0; i < 288; ++i)
        processor.fxsave.bytes[i] = static_cast<uint8_t>(i * 7 + 3);
    image().control = 0x27f;
    image().status = 0x3800; // TOP 7, nothing pending
    image().reserved5 = 0;
    image().opcode = 0x123;
    image().reserved14 = image().reserved22 = 0;
    image().mxcsr = 0x9fc0;
    image().mxcsrMask = mxcsr::writable;
    for (Register80& value : image().st)
        value.reserved = {};
    const FxsaveArea before = processor.fxsave;
    setMemory<uint64_t>(operand + 504, 0x1122334455667788);

    ASSERT_EQ(run({ 0x0f, 0xae, 0x06 }), std::nullopt); // FXSAVE [ESI]
    EXPECT_EQ(std::memcmp(memory->host(operand), before.bytes.data(), 288), 0);
    EXPECT_EQ(memoryAt<uint64_t>(operand + 504), 0x1122334455667788u) << "the last bytes are the system's own";

    processor.fxsave = {};
    ASSERT_EQ(run({ 0x0f, 0xae, 0x0e }), std::nullopt); // FXRSTOR [ESI]
    EXPECT_TRUE(std::equal(before.bytes.begin(), before.bytes.begin() + 288, processor.fxsave.bytes.begin()));
}

TEST_F(FloatingPointTest, FsaveAndFrstorKeepPhysicalRegistersAcrossATurnedStack)
{
    for (int i = 0; i < 3; ++i)
        ASSERT_EQ(run({ 0xd9, 0xeb }), std::nullopt); // FLDPI
    ASSERT_EQ(run({ 0xd9, 0xe8 }), std::nullopt); // FLD1
    const FxsaveArea before = processor.fxsave;
    ASSERT_EQ(run({ 0xdd, 0x36 }), std::nullopt); // FNSAVE [ESI]
    EXPECT_EQ(image().control, x87ControlInitial);
    EXPECT_EQ(image().status, 0);
    EXPECT_EQ(image().validTags, 0);
    EXPECT_EQ(memoryAt<uint16_t>(operand + 8), 0x00ff) << "four valid registers, four empty ones below them";
    EXPECT_EQ(memoryAt<uint64_t>(operand + 28), 0x8000000000000000u) << "ST(0)";

    ASSERT_EQ(run({ 0xdd, 0x26 }), std::nullopt); // FRSTOR [ESI]
    EXPECT_TRUE(std::equal(before.bytes.begin() + 32, before.bytes.begin() + 160, processor.fxsave.bytes.begin() + 32));
    EXPECT_EQ(image().status, imageOf(before).status);
    EXPECT_EQ(image().validTags, imageOf(before).validTags);
    EXPECT_EQ(image().instructionOffset, imageOf(before).instructionOffset);
}

TEST_F(FloatingPointTest, TheEnvironmentHasAFormForEachModeAndSize)
{
    FxsaveImage source {};
    source.control = 0x37f;
    source.status = 0x4100;
    source.opcode = 0x5d8;
    source.instructionOffset = 0x1234;
    source.codeSegment = 0xf000;
    source.dataOffset = 0x5678;
    source.dataSegment = 0x9000;
    for (const bool realMode : { false, true }) {
        for (const bool wide : { false, true }) {
            const X87EnvironmentForm form { wide, realMode };
            std::array<uint8_t, 28> bytes {};
            writeEnvironment(source, form, std::span(bytes).first(form.size()));
            FxsaveImage loaded {};
            readEnvironment(loaded, form, std::span(bytes).first(form.size()));
            EXPECT_EQ(loaded.control, source.control);
            EXPECT_EQ(loaded.status, source.status);
            const uint32_t instruction = uint32_t { loaded.codeSegment } * 16 + loaded.instructionOffset;
            const uint32_t data = uint32_t { loaded.dataSegment } * 16 + loaded.dataOffset;
            EXPECT_EQ(instruction, 0xf1234u);
            EXPECT_EQ(data, 0x95678u);
            EXPECT_EQ(loaded.opcode, wide || realMode ? 0x5d8 : 0) << "only 16-bit protected mode has no room for it";
        }
    }
}

TEST_F(FloatingPointTest, FninitEmptiesTheStackAndMasksEverything)
{
    image().control = 0;
    image().status = 0xffff;
    image().validTags = 0xff;
    EXPECT_EQ(run({ 0xdb, 0xe3 }), std::nullopt); // FNINIT
    EXPECT_EQ(image().control, x87ControlInitial);
    EXPECT_EQ(image().status, 0);
    EXPECT_EQ(image().validTags, 0);
    EXPECT_EQ(image().instructionOffset, 0u);
}

// -- MMX ------------------------------------------------------------------------------------------------------------

TEST_F(FloatingPointTest, MmxRegistersAreTheX87sPhysicalOnes)
{
    image().status = 6 << x87_status::topShift; // ST(0) is physical register 6
    for (unsigned i = 0; i < 8; ++i)
        image().st[i].significand = (i + 6) & 7;
    ASSERT_EQ(run({ 0x0f, 0x7e, 0xd8 }), std::nullopt); // MOVD EAX, MM3
    EXPECT_EQ(processor.gpr[Eax], 3u);
    EXPECT_EQ(image().status & x87_status::topMask, 0);
    EXPECT_EQ(image().validTags, 0xff);
    ASSERT_EQ(run({ 0x0f, 0x77 }), std::nullopt); // EMMS
    EXPECT_EQ(image().validTags, 0);
}

TEST_F(FloatingPointTest, AFaultingMmxStoreHasNotSwitchedToMmx)
{
    image().status = 2 << x87_status::topShift;
    image().validTags = 0x0c;
    processor.setSegment(Ds, { 0x18, 0x4093, 0, 0xfff }); // ends before the operand
    EXPECT_EQ(run({ 0x0f, 0x7f, 0x06 }), Exception::GeneralProtection); // MOVQ [ESI], MM0
    EXPECT_EQ(image().status, 2 << x87_status::topShift);
    EXPECT_EQ(image().validTags, 0x0c);
}

// -- the host -------------------------------------------------------------------------------------------------------

TEST_F(FloatingPointTest, TheHostsControlWordsSurviveTheGuests)
{
    uint16_t controlBefore;
    uint32_t mxcsrBefore;
    asm volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(controlBefore), "=m"(mxcsrBefore));
    image().control = 0x0c40; // nothing masked, single precision, towards zero
    image().mxcsr = 0xe000; // nothing masked, towards zero, denormals flushed
    setXmm(1, 3, 7);
    ASSERT_EQ(run({ 0xd9, 0xeb }), std::nullopt); // FLDPI
    ASSERT_EQ(run({ 0xd9, 0xfa }), std::nullopt); // FSQRT: inexact
    EXPECT_EQ(run({ 0x66, 0x0f, 0x51, 0xc1 }), Exception::Simd); // SQRTPD XMM0, XMM1: inexact
    uint16_t controlAfter;
    uint16_t statusAfter;
    uint32_t mxcsrAfter;
    asm volatile("fnstcw %0\n\tstmxcsr %1\n\tfnstsw %2" : "=m"(controlAfter), "=m"(mxcsrAfter), "=a"(statusAfter));
    EXPECT_EQ(controlAfter, controlBefore);
    EXPECT_EQ(mxcsrAfter & ~mxcsr::exceptions, mxcsrBefore & ~mxcsr::exceptions);
    EXPECT_EQ(statusAfter & x87_status::exceptions, 0);
    EXPECT_EQ(statusAfter & x87_status::topMask, 0);
}

} // namespace namsan
