// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/decode/decoder.h"

#include "vmm/engine/cpu_state.h"

#include <Zydis/Zydis.h>
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace namsan {

namespace {

using Bytes = std::vector<uint8_t>;

std::string escapeInHex(const InstructionEntry& entry)
{
    std::string text;
    for (const char byte : escapeOf(entry.map))
        text += fmt::format("{:02x} ", static_cast<uint8_t>(byte));
    return text;
}

std::string describe(const InstructionEntry& entry)
{
    return fmt::format(
        "{} ({}{:02x} /{})", entry.mnemonic, escapeInHex(entry), entry.opcode, static_cast<int>(entry.extension));
}

bool isOpcodeRegister(const InstructionEntry& entry)
{
    for (const Operand operand : entry.operands)
        if (operand == Operand::OpcodeReg8 || operand == Operand::OpcodeRegV)
            return true;
    return false;
}

bool ignoresMod(const InstructionEntry& entry)
{
    for (const Operand operand : entry.operands)
        if (operand == Operand::ControlReg || operand == Operand::DebugReg)
            return true;
    return false;
}

bool namesSpecialRegister(const InstructionEntry& entry)
{
    for (const Operand operand : entry.operands)
        if (operand == Operand::SegmentReg)
            return true;
    return ignoresMod(entry);
}

unsigned immediateBytes(const InstructionEntry& entry, unsigned operandSize, unsigned addressSize)
{
    unsigned bytes = 0;
    for (const Operand operand : entry.operands) {
        switch (operand) {
        case Operand::Imm8:
        case Operand::Imm8Signed:
        case Operand::Rel8:
            bytes += 1;
            break;
        case Operand::Imm16:
            bytes += 2;
            break;
        case Operand::ImmV:
        case Operand::RelV:
            bytes += operandSize;
            break;
        case Operand::FarPointerV:
            bytes += operandSize + 2;
            break;
        case Operand::Offset8:
        case Operand::OffsetV:
            bytes += addressSize;
            break;
        default:
            break;
        }
    }
    return bytes;
}

// The shortest encoding of an entry: with a register, or with memory at [EBX] (32-bit addresses).
Bytes encode(const InstructionEntry& entry, bool memory)
{
    Bytes bytes;
    if (entry.prefix == MandatoryPrefix::P66)
        bytes.push_back(0x66);
    if (entry.prefix == MandatoryPrefix::PF3)
        bytes.push_back(0xf3);
    if (entry.prefix == MandatoryPrefix::PF2)
        bytes.push_back(0xf2);
    for (const char byte : escapeOf(entry.map))
        bytes.push_back(static_cast<uint8_t>(byte));
    bytes.push_back(entry.opcode);
    if (entry.modRm != ModRm::Absent) {
        const unsigned reg = entry.extension < 0 ? 2u : static_cast<unsigned>(entry.extension);
        const unsigned rm = entry.rmExtension < 0 ? 3u : static_cast<unsigned>(entry.rmExtension);
        bytes.push_back(static_cast<uint8_t>((memory ? 0 : 0xc0) | reg << 3 | rm));
    }
    bytes.insert(bytes.end(), immediateBytes(entry, entry.prefix == MandatoryPrefix::P66 ? 2 : 4, 4), 0x11);
    return bytes;
}

class DecoderTest : public ::testing::Test {
protected:
    Decoder decoder;

    Instruction decode(Bytes bytes, bool code32 = true)
    {
        bytes.resize(16, 0x90);
        Instruction instruction;
        EXPECT_EQ(decoder.decode(bytes, code32, instruction), Decoder::Outcome::Decoded);
        return instruction;
    }

    static bool isDefined(const Instruction& instruction)
    {
        return instruction.entry->operation != Operation::Undefined;
    }
};

} // namespace

TEST_F(DecoderTest, FindsEachEntryByItsOwnBytes)
{
    ASSERT_GT(decoder.entries().size(), 300u);
    for (const InstructionEntry* entry : decoder.entries()) {
        for (const bool memory : { false, true }) {
            if (entry->modRm == (memory ? ModRm::Register : ModRm::Memory) || (memory && entry->modRm == ModRm::Absent)
                || (memory && ignoresMod(*entry)))
                continue;
            const Bytes bytes = encode(*entry, memory);
            const Instruction instruction = decode(bytes);
            EXPECT_EQ(instruction.entry, entry) << describe(*entry) << " gives " << describe(*instruction.entry);
            EXPECT_EQ(instruction.length, bytes.size()) << describe(*entry);
        }
    }
}

TEST_F(DecoderTest, NoTwoEntriesOverlap)
{
    const auto slots = [](const InstructionEntry& entry) {
        std::vector<uint32_t> result;
        for (unsigned n = 0; n < (isOpcodeRegister(entry) ? 8u : 1u); ++n)
            for (unsigned prefix = 0; prefix < 4; ++prefix)
                for (unsigned modRm = 0; modRm < 256; ++modRm) {
                    const bool isRegister = modRm >= 0xc0;
                    const unsigned reg = (modRm >> 3) & 7;
                    if (entry.prefix != MandatoryPrefix::Any && static_cast<unsigned>(entry.prefix) != prefix + 1)
                        continue;
                    if ((entry.modRm == ModRm::Memory && isRegister) || (entry.modRm == ModRm::Register && !isRegister))
                        continue;
                    if (entry.extension >= 0 && static_cast<unsigned>(entry.extension) != reg)
                        continue;
                    if (entry.rmExtension >= 0 && static_cast<unsigned>(entry.rmExtension) != (modRm & 7))
                        continue;
                    result.push_back(
                        ((static_cast<uint32_t>(entry.map) << 8 | (entry.opcode + n)) << 2 | prefix) << 8 | modRm);
                }
        return result;
    };
    std::vector<const InstructionEntry*> owners(1 << 20, nullptr);
    for (const InstructionEntry* entry : decoder.entries())
        for (const uint32_t slot : slots(*entry)) {
            ASSERT_EQ(owners[slot], nullptr) << describe(*entry) << " and " << describe(*owners[slot]);
            owners[slot] = entry;
        }
}

TEST_F(DecoderTest, TakesPrefixesInAnyOrder)
{
    for (const Bytes& bytes : { Bytes { 0x66, 0x64, 0xf0, 0x01, 0x03 }, Bytes { 0xf0, 0x66, 0x64, 0x01, 0x03 },
             Bytes { 0x64, 0xf0, 0x66, 0x01, 0x03 } }) {
        const Instruction instruction = decode(bytes);
        EXPECT_EQ(instruction.length, 5);
        EXPECT_EQ(instruction.operandSize, 2);
        EXPECT_EQ(instruction.segment, Fs);
        EXPECT_TRUE(instruction.lock);
        EXPECT_EQ(instruction.entry->operation, Operation::Add);
    }
    EXPECT_EQ(decode({ 0x2e, 0x36, 0x8b, 0x03 }).segment, Ss); // the last of a kind counts
}

TEST_F(DecoderTest, KnowsTheAddressForms)
{
    const Instruction sib = decode({ 0x8b, 0x44, 0x8d, 0xf0 }); // mov eax,[ebp+ecx*4-16]
    EXPECT_EQ(sib.base, Ebp);
    EXPECT_EQ(sib.index, Ecx);
    EXPECT_EQ(sib.scale, 2);
    EXPECT_EQ(sib.displacement, 0xfffffff0u);
    EXPECT_EQ(sib.segment, Ss);

    const Instruction noBase = decode({ 0x8b, 0x04, 0x25, 0x78, 0x56, 0x34, 0x12 }); // mov eax,[12345678]
    EXPECT_EQ(noBase.base, Instruction::noRegister);
    EXPECT_EQ(noBase.index, Instruction::noRegister);
    EXPECT_EQ(noBase.displacement, 0x12345678u);
    EXPECT_EQ(noBase.segment, Ds);

    const Instruction sixteen = decode({ 0x8b, 0x42, 0x80 }, false); // mov ax,[bp+si-128]
    EXPECT_EQ(sixteen.base, Ebp);
    EXPECT_EQ(sixteen.index, Esi);
    EXPECT_EQ(sixteen.addressMask, 0xffffu);
    EXPECT_EQ(sixteen.segment, Ss);
    EXPECT_EQ(sixteen.operandSize, 2);

    const Instruction direct = decode({ 0x67, 0x8b, 0x06, 0x34, 0x12 }); // mov eax,[1234]
    EXPECT_EQ(direct.base, Instruction::noRegister);
    EXPECT_EQ(direct.displacement, 0x1234u);
    EXPECT_EQ(direct.operandSize, 4);
}

TEST_F(DecoderTest, AsksForNoMoreBytesThanItNeeds)
{
    for (const InstructionEntry* entry : decoder.entries()) {
        const Bytes bytes = encode(*entry, entry->modRm == ModRm::Memory);
        Instruction instruction;
        for (size_t length = 0; length < bytes.size(); ++length)
            EXPECT_EQ(decoder.decode(std::span(bytes).first(length), true, instruction), Decoder::Outcome::NeedsMore)
                << describe(*entry) << " with " << length;
        EXPECT_EQ(decoder.decode(bytes, true, instruction), Decoder::Outcome::Decoded) << describe(*entry);
    }
}

TEST_F(DecoderTest, RefusesLockWhereNothingIsLocked)
{
    EXPECT_TRUE(isDefined(decode({ 0xf0, 0x0f, 0xb1, 0x0b }))); // lock cmpxchg [ebx],ecx
    EXPECT_FALSE(isDefined(decode({ 0xf0, 0x0f, 0xb1, 0xcb }))); // the same with a register
    EXPECT_FALSE(isDefined(decode({ 0xf0, 0x8b, 0x0b }))); // lock mov
    EXPECT_FALSE(isDefined(decode({ 0xf0, 0x03, 0x0b }))); // the memory operand is only read
    EXPECT_FALSE(isDefined(decode({ 0xf0, 0x0f, 0xa3, 0x0b }))); // lock bt
}

TEST_F(DecoderTest, EndsAtFifteenBytes)
{
    Bytes bytes(14, 0x66);
    bytes.push_back(0x90);
    EXPECT_TRUE(isDefined(decode(bytes)));
    bytes.insert(bytes.begin(), 0x66);
    EXPECT_FALSE(isDefined(decode(bytes)));
    Instruction instruction;
    EXPECT_EQ(decoder.decode(std::span(bytes).first(14), true, instruction), Decoder::Outcome::NeedsMore);
    EXPECT_EQ(decoder.decode(std::span(bytes).first(15), true, instruction), Decoder::Outcome::Decoded);
    EXPECT_LE(instruction.length, 15);
}

// -- against Zydis ----------------------------------------------------------------------------------------------------

namespace {

struct Oracle {
    ZydisDecoder decoder;

    explicit Oracle(bool code32)
    {
        ZydisDecoderInit(&decoder, code32 ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LEGACY_16,
            code32 ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_16);
        // Later processors gave meanings to prefixes and hints that ours ignores.
        for (const ZydisDecoderMode mode : { ZYDIS_DECODER_MODE_MPX, ZYDIS_DECODER_MODE_CET, ZYDIS_DECODER_MODE_LZCNT,
                 ZYDIS_DECODER_MODE_TZCNT, ZYDIS_DECODER_MODE_WBNOINVD, ZYDIS_DECODER_MODE_CLDEMOTE })
            ZydisDecoderEnableMode(&decoder, mode, ZYAN_FALSE);
    }

    bool decode(const Bytes& bytes, ZydisDecodedInstruction& instruction) const
    {
        return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, nullptr, bytes.data(), bytes.size(), &instruction));
    }
};

// The instruction sets that the tables promise in full; of the system instructions some are left out on purpose.
bool isPromised(const ZydisDecodedInstruction& instruction)
{
    switch (instruction.meta.category) {
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_SEGOP:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
        return false;
    default:
        break;
    }
    switch (instruction.meta.isa_set) {
    case ZYDIS_ISA_SET_I86:
    case ZYDIS_ISA_SET_I186:
    case ZYDIS_ISA_SET_I386:
    case ZYDIS_ISA_SET_I486:
    case ZYDIS_ISA_SET_CMOV:
    case ZYDIS_ISA_SET_FAT_NOP:
    case ZYDIS_ISA_SET_LAHF:
    case ZYDIS_ISA_SET_PAUSE:
    case ZYDIS_ISA_SET_PREFETCH_NOP:
    case ZYDIS_ISA_SET_SSE_PREFETCH:
    case ZYDIS_ISA_SET_X87:
    case ZYDIS_ISA_SET_FCMOV:
    case ZYDIS_ISA_SET_PENTIUMMMX:
    case ZYDIS_ISA_SET_SSE:
    case ZYDIS_ISA_SET_SSEMXCSR:
    case ZYDIS_ISA_SET_SSE2:
    case ZYDIS_ISA_SET_SSE2MMX:
    case ZYDIS_ISA_SET_FXSAVE:
    case ZYDIS_ISA_SET_SSE3:
    case ZYDIS_ISA_SET_SSE3X87:
    case ZYDIS_ISA_SET_SSSE3:
    case ZYDIS_ISA_SET_SSSE3MMX:
    case ZYDIS_ISA_SET_SSE4:
    case ZYDIS_ISA_SET_SSE42:
    case ZYDIS_ISA_SET_POPCNT:
    case ZYDIS_ISA_SET_AES:
    case ZYDIS_ISA_SET_PCLMULQDQ:
        return true;
    default:
        return false;
    }
}

} // namespace

class DecoderAgainstZydis : public DecoderTest, public ::testing::WithParamInterface<bool> { };

TEST_P(DecoderAgainstZydis, AgreesOnRandomBytes)
{
    const bool code32 = GetParam();
    const Oracle oracle(code32);
    std::mt19937 random(20190501);
    static constexpr std::array<uint8_t, 12> prefixes
        = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x0f };
    unsigned compared = 0;
    for (unsigned round = 0; round < 300'000; ++round) {
        Bytes bytes(20);
        for (uint8_t& byte : bytes)
            byte = static_cast<uint8_t>(random());
        for (size_t n = 0; n < 3 && random() % 3 == 0; ++n)
            bytes[n] = prefixes[random() % prefixes.size()];
        if (round % 4 == 0) { // the maps of three bytes, seldom met by chance
            const size_t at = random() % 3;
            bytes[at] = 0x0f;
            bytes[at + 1] = random() % 2 ? 0x38 : 0x3a;
        }

        ZydisDecodedInstruction expected;
        const bool valid = oracle.decode(bytes, expected);
        Instruction found;
        ASSERT_EQ(decoder.decode(bytes, code32, found), Decoder::Outcome::Decoded);
        if (isDefined(found)) {
            if (!valid && namesSpecialRegister(*found.entry))
                continue; // a register that does not exist is the handler's #UD
            ASSERT_TRUE(valid) << fmt::format("{:02x}", fmt::join(bytes, " ")) << ": " << describe(*found.entry);
            ASSERT_EQ(found.length, expected.length)
                << fmt::format("{:02x}", fmt::join(bytes, " ")) << ": " << describe(*found.entry);
            ++compared;
        } else if (valid) {
            ASSERT_FALSE(isPromised(expected))
                << fmt::format("{:02x}", fmt::join(bytes, " ")) << ": " << ZydisMnemonicGetString(expected.mnemonic);
        }
    }
    EXPECT_GT(compared, 100'000u);
}

INSTANTIATE_TEST_SUITE_P(CodeSizes, DecoderAgainstZydis, ::testing::Values(false, true),
    [](const auto& parameter) { return parameter.param ? "Bits32" : "Bits16"; });

} // namespace namsan
