// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/vmm/engine/processor_bench.h"

#include "vmm/engine/interpret/fxsave_image.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>

namespace namsan {

namespace {

// SSE3 to AES with operands whose results are known from the manuals. The host's processor judges the rest
// (tests/differential).
class LaterSimdTest : public ::testing::Test, public ProcessorBench {
protected:
    using Bytes16 = std::array<uint8_t, 16>;
    using Singles = std::array<float, 4>;

    LaterSimdTest()
    {
        enterProtectedMode();
        cpu.cr4 |= cr4::fxsave | cr4::simdExceptions;
        cpu.gpr[Ebx] = operand;
    }

    static constexpr uint32_t operand = 0x6000;

    template <class T> void setXmm(unsigned number, const T& value)
    {
        static_assert(sizeof value == 16);
        imageOf(cpu.fxsave).xmm[number] = std::bit_cast<RegisterXmm>(value);
    }
    template <class T> T xmm(unsigned number) const { return std::bit_cast<T>(imageOf(cpu.fxsave).xmm[number]); }

    static Bytes16 counting(uint8_t first)
    {
        Bytes16 bytes;
        for (uint8_t& byte : bytes)
            byte = first++;
        return bytes;
    }
    static Bytes16 text(std::string_view characters)
    {
        Bytes16 bytes {};
        std::copy(characters.begin(), characters.end(), bytes.begin());
        return bytes;
    }
};

} // namespace

TEST_F(LaterSimdTest, Sse3AddsAcrossAndDuplicates)
{
    setXmm(0, Singles { 1, 2, 3, 4 });
    setXmm(1, Singles { 10, 20, 30, 40 });
    step({ 0xf2, 0x0f, 0x7c, 0xc1 }); // haddps xmm0,xmm1
    EXPECT_EQ(xmm<Singles>(0), (Singles { 3, 7, 30, 70 }));
    step({ 0xf2, 0x0f, 0xd0, 0xc1 }); // addsubps
    EXPECT_EQ(xmm<Singles>(0), (Singles { -7, 27, 0, 110 }));
    step({ 0xf3, 0x0f, 0x12, 0xd1 }); // movsldup xmm2,xmm1
    EXPECT_EQ(xmm<Singles>(2), (Singles { 10, 10, 30, 30 }));
    step({ 0xf3, 0x0f, 0x16, 0xd1 }); // movshdup
    EXPECT_EQ(xmm<Singles>(2), (Singles { 20, 20, 40, 40 }));
    put<uint64_t>(operand, 0x1122334455667788);
    step({ 0xf2, 0x0f, 0x12, 0x13 }); // movddup xmm2,[ebx]
    EXPECT_EQ(xmm<RegisterXmm>(2).quads[0], 0x1122334455667788u);
    EXPECT_EQ(xmm<RegisterXmm>(2).quads[1], 0x1122334455667788u);
}

TEST_F(LaterSimdTest, FisttpTruncatesWhateverTheRounding)
{
    step({ 0xdb, 0xe3 }); // fninit
    put<uint32_t>(operand, std::bit_cast<uint32_t>(-2.75f));
    step({ 0xd9, 0x03 }); // fld dword [ebx]
    step({ 0xdb, 0x0b }); // fisttp dword [ebx]
    EXPECT_EQ(get32(operand), static_cast<uint32_t>(-2));
    EXPECT_EQ(imageOf(cpu.fxsave).validTags, 0);
}

TEST_F(LaterSimdTest, Ssse3ShufflesAndAligns)
{
    setXmm(0, counting(0x10));
    Bytes16 control {};
    control[0] = 3;
    control[1] = 0x80; // a zero
    control[15] = 15;
    setXmm(1, control);
    step({ 0x66, 0x0f, 0x38, 0x00, 0xc1 }); // pshufb xmm0,xmm1
    EXPECT_EQ(xmm<Bytes16>(0)[0], 0x13);
    EXPECT_EQ(xmm<Bytes16>(0)[1], 0);
    EXPECT_EQ(xmm<Bytes16>(0)[2], 0x10);
    EXPECT_EQ(xmm<Bytes16>(0)[15], 0x1f);

    setXmm(0, counting(0x40));
    setXmm(1, counting(0x00));
    step({ 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 14 }); // palignr xmm0,xmm1,14
    EXPECT_EQ(xmm<Bytes16>(0)[0], 0x0e);
    EXPECT_EQ(xmm<Bytes16>(0)[1], 0x0f);
    EXPECT_EQ(xmm<Bytes16>(0)[2], 0x40);
    step({ 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 32 });
    EXPECT_EQ(xmm<Bytes16>(0), Bytes16 {});
}

TEST_F(LaterSimdTest, Sse41RoundsBlendsAndExtracts)
{
    setXmm(1, Singles { 1.5f, -1.5f, 2.5f, -0.25f });
    step({ 0x66, 0x0f, 0x3a, 0x08, 0xc1, 0 }); // roundps xmm0,xmm1: nearest, even
    EXPECT_EQ(xmm<Singles>(0), (Singles { 2, -2, 2, -0.0f }));
    step({ 0x66, 0x0f, 0x3a, 0x08, 0xc1, 1 }); // down
    EXPECT_EQ(xmm<Singles>(0), (Singles { 1, -2, 2, -1 }));
    EXPECT_TRUE(imageOf(cpu.fxsave).mxcsr & mxcsr::precision);
    imageOf(cpu.fxsave).mxcsr = mxcsr::initial;
    step({ 0x66, 0x0f, 0x3a, 0x08, 0xc1, 9 }); // the same in silence
    EXPECT_EQ(imageOf(cpu.fxsave).mxcsr, mxcsr::initial);

    setXmm(2, Singles { 1, 2, 3, 4 });
    setXmm(3, Singles { 5, 6, 7, 8 });
    step({ 0x66, 0x0f, 0x3a, 0x40, 0xd3, 0x31 }); // dpps xmm2,xmm3: 1*5 + 2*6 into the first
    EXPECT_EQ(xmm<Singles>(2), (Singles { 17, 0, 0, 0 }));

    setXmm(0, Singles { -1, 1, -1, 1 }); // the signs that choose
    setXmm(2, Singles { 1, 2, 3, 4 });
    step({ 0x66, 0x0f, 0x38, 0x14, 0xd3 }); // blendvps xmm2,xmm3,<xmm0>
    EXPECT_EQ(xmm<Singles>(2), (Singles { 5, 2, 7, 4 }));

    setXmm(4, counting(0xf0));
    cpu.gpr[Ecx] = 0xffffffff;
    step({ 0x66, 0x0f, 0x3a, 0x14, 0xe1, 0x12 }); // pextrb ecx,xmm4,2
    EXPECT_EQ(cpu.gpr[Ecx], 0xf2u);
    put<uint32_t>(operand, 0xffffffff);
    step({ 0x66, 0x0f, 0x3a, 0x14, 0x23, 0 }); // pextrb [ebx],xmm4,0
    EXPECT_EQ(get32(operand), 0xfffffff0u);
}

TEST_F(LaterSimdTest, PtestSetsZeroAndCarry)
{
    setXmm(0, Bytes16 {});
    setXmm(1, counting(1));
    cpu.setEflags(eflags::alwaysOne | eflags::overflow | eflags::sign);
    step({ 0x66, 0x0f, 0x38, 0x17, 0xc1 }); // ptest xmm0,xmm1
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::zero);
    step({ 0x66, 0x0f, 0x38, 0x17, 0xc9 });
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::carry);
}

TEST_F(LaterSimdTest, Sse42FindsSubstringsAndSums)
{
    setXmm(0, text("lo"));
    setXmm(1, text("hello"));
    step({ 0x66, 0x0f, 0x3a, 0x63, 0xc1, 0x0c }); // pcmpistri xmm0,xmm1: substring, bytes
    EXPECT_EQ(cpu.gpr[Ecx], 3u);
    EXPECT_TRUE(cpu.eflags() & eflags::carry);

    // The check value of CRC-32C: of "123456789", with both complements.
    cpu.gpr[Eax] = 0xffffffff;
    for (const uint8_t character : std::string_view("123456789")) {
        cpu.gpr[Ecx] = character;
        step({ 0xf2, 0x0f, 0x38, 0xf0, 0xc1 }); // crc32 eax,cl
    }
    EXPECT_EQ(~cpu.gpr[Eax], 0xe3069283u);
    cpu.gpr[Eax] = 0xffffffff;
    put<uint32_t>(operand, 0x34333231);
    step({ 0xf2, 0x0f, 0x38, 0xf1, 0x03 }); // crc32 eax,dword [ebx]
    put<uint16_t>(operand, 0x3635);
    step({ 0x66, 0xf2, 0x0f, 0x38, 0xf1, 0x03 }); // crc32 eax,word [ebx]
    cpu.gpr[Edx] = 0x3700;
    step({ 0xf2, 0x0f, 0x38, 0xf0, 0xc6 }); // crc32 eax,dh
    put<uint16_t>(operand, 0x3938);
    step({ 0x66, 0xf2, 0x0f, 0x38, 0xf1, 0x03 });
    EXPECT_EQ(~cpu.gpr[Eax], 0xe3069283u);
}

TEST_F(LaterSimdTest, PopcntCountsAndClearsFlags)
{
    cpu.gpr[Ecx] = 0xf00f0101;
    cpu.gpr[Eax] = 0x12345678;
    cpu.setEflags(eflags::alwaysOne | eflags::arithmetic);
    step({ 0xf3, 0x0f, 0xb8, 0xc1 }); // popcnt eax,ecx
    EXPECT_EQ(cpu.gpr[Eax], 10u);
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne);
    cpu.gpr[Eax] = 0x12345678;
    step({ 0x66, 0xf3, 0x0f, 0xb8, 0xc1 }); // popcnt ax,cx
    EXPECT_EQ(cpu.gpr[Eax], 0x12340002u);
    cpu.gpr[Ecx] = 0;
    step({ 0xf3, 0x0f, 0xb8, 0xc1 });
    EXPECT_EQ(cpu.eflags(), eflags::alwaysOne | eflags::zero);
}

TEST_F(LaterSimdTest, AesDoesItsRounds)
{
    if (!FeatureSet::ofHost().has(Feature::Aes)) {
        EXPECT_FALSE(CpuModel::hostCommon(FeatureSet::ofHost()).has(Feature::Aes));
        return;
    }
    // FIPS 197, appendix B: the state at the start of round 1, and its round key.
    setXmm(
        0, Bytes16 { 0x19, 0x3d, 0xe3, 0xbe, 0xa0, 0xf4, 0xe2, 0x2b, 0x9a, 0xc6, 0x8d, 0x2a, 0xe9, 0xf8, 0x48, 0x08 });
    setXmm(
        1, Bytes16 { 0xa0, 0xfa, 0xfe, 0x17, 0x88, 0x54, 0x2c, 0xb1, 0x23, 0xa3, 0x39, 0x39, 0x2a, 0x6c, 0x76, 0x05 });
    step({ 0x66, 0x0f, 0x38, 0xdc, 0xc1 }); // aesenc xmm0,xmm1
    EXPECT_EQ(xmm<Bytes16>(0),
        (Bytes16 { 0xa4, 0x9c, 0x7f, 0xf2, 0x68, 0x9f, 0x35, 0x2b, 0x6b, 0x5b, 0xea, 0x43, 0x02, 0x6a, 0x50, 0x49 }));
}

TEST_F(LaterSimdTest, AsksWhatSseAsks)
{
    cpu.gpr[Ebx] = operand + 4;
    EXPECT_EQ(faultOfStep({ 0x66, 0x0f, 0x38, 0x00, 0x03 }), generalProtection()) << "pshufb wants 16 bytes aligned";
    EXPECT_EQ(faultOfStep({ 0x66, 0x0f, 0x3a, 0x63, 0x03, 0 }), std::nullopt) << "pcmpistri does not";
    EXPECT_EQ(faultOfStep({ 0xf2, 0x0f, 0xf0, 0x03 }), std::nullopt) << "nor does lddqu";
    cpu.cr4 &= ~cr4::fxsave;
    EXPECT_EQ(faultOfStep({ 0x66, 0x0f, 0x38, 0x00, 0xc1 }), invalidOpcode());
    EXPECT_EQ(faultOfStep({ 0x0f, 0x38, 0x00, 0xc1 }), std::nullopt) << "on MMX registers it asks for none";
    EXPECT_EQ(faultOfStep({ 0xf3, 0x0f, 0xb8, 0xc1 }), std::nullopt) << "nor does popcnt";
    cpu.cr4 |= cr4::fxsave;
    cpu.cr0 |= cr0::taskSwitched;
    EXPECT_EQ(faultOfStep({ 0x66, 0x0f, 0x38, 0x00, 0xc1 }), (Fault { Exception::DeviceNotAvailable, {} }));
    cpu.cr0 = (cpu.cr0 & ~cr0::taskSwitched) | cr0::emulation;
    EXPECT_EQ(faultOfStep({ 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 1 }), invalidOpcode());
}

} // namespace namsan
