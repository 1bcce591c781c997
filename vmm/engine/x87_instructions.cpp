// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/cpu_state.h"
#include "vmm/engine/instruction_table.h"

// The escape opcodes D8 to DF and WAIT. Intel SDM volume 2, appendix A.5; the encodings there left empty that every
// processor since the 80387 takes for another's alias (DC D0 is FCOM, DF D0 FSTP, ...) are those of AMD's APM volume 5,
// appendix A. An operation that has several memory formats learns which one from the escape byte.
namespace namsan {

namespace {

constexpr uint16_t fpuAttributes = attribute::fpu | attribute::userTestable;

struct FlagUse {
    uint32_t read = 0;
    uint32_t written = 0;
};
constexpr FlagUse reads(uint32_t flags)
{
    return { flags, 0 };
}
constexpr FlagUse comparison { 0, eflags::arithmetic };

constexpr InstructionEntry memory(uint8_t opcode, int8_t extension, std::string_view mnemonic, Operand operand,
    Operation operation, uint16_t attributes = 0, Feature feature = Feature::Base)
{
    return { OpcodeMap::Primary, opcode, MandatoryPrefix::Any, ModRm::Memory, extension, -1, mnemonic, { operand },
        operation, 0, 0, 0, static_cast<uint16_t>(fpuAttributes | attributes), feature };
}

constexpr InstructionEntry registers(uint8_t opcode, int8_t extension, std::string_view mnemonic,
    std::array<Operand, 3> operands, Operation operation, FlagUse flags = {}, Feature feature = Feature::Base)
{
    return { OpcodeMap::Primary, opcode, MandatoryPrefix::Any, ModRm::Register, extension, -1, mnemonic, operands,
        operation, flags.read, flags.written, 0, fpuAttributes, feature };
}

constexpr InstructionEntry single(
    uint8_t opcode, int8_t extension, int8_t rm, std::string_view mnemonic, Operation operation)
{
    return { OpcodeMap::Primary, opcode, MandatoryPrefix::Any, ModRm::Register, extension, rm, mnemonic, {}, operation,
        0, 0, 0, fpuAttributes };
}

constexpr InstructionEntry entries[] = {
    // D8: ST(0) and a single, or ST(0) and ST(i)
    memory(0xd8, 0, "FADD", Operand::Mem32, Operation::Fadd),
    memory(0xd8, 1, "FMUL", Operand::Mem32, Operation::Fmul),
    memory(0xd8, 2, "FCOM", Operand::Mem32, Operation::Fcom),
    memory(0xd8, 3, "FCOMP", Operand::Mem32, Operation::Fcomp),
    memory(0xd8, 4, "FSUB", Operand::Mem32, Operation::Fsub),
    memory(0xd8, 5, "FSUBR", Operand::Mem32, Operation::Fsubr),
    memory(0xd8, 6, "FDIV", Operand::Mem32, Operation::Fdiv),
    memory(0xd8, 7, "FDIVR", Operand::Mem32, Operation::Fdivr),
    registers(0xd8, 0, "FADD", { Operand::St0, Operand::StI }, Operation::Fadd),
    registers(0xd8, 1, "FMUL", { Operand::St0, Operand::StI }, Operation::Fmul),
    registers(0xd8, 2, "FCOM", { Operand::StI }, Operation::Fcom),
    registers(0xd8, 3, "FCOMP", { Operand::StI }, Operation::Fcomp),
    registers(0xd8, 4, "FSUB", { Operand::St0, Operand::StI }, Operation::Fsub),
    registers(0xd8, 5, "FSUBR", { Operand::St0, Operand::StI }, Operation::Fsubr),
    registers(0xd8, 6, "FDIV", { Operand::St0, Operand::StI }, Operation::Fdiv),
    registers(0xd8, 7, "FDIVR", { Operand::St0, Operand::StI }, Operation::Fdivr),
    // D9: loads, stores, the control word, constants and everything that works on ST(0)
    memory(0xd9, 0, "FLD", Operand::Mem32, Operation::Fld),
    memory(0xd9, 2, "FST", Operand::Mem32, Operation::Fst, attribute::writesDestination),
    memory(0xd9, 3, "FSTP", Operand::Mem32, Operation::Fstp, attribute::writesDestination),
    memory(0xd9, 4, "FLDENV", Operand::Memory, Operation::Fldenv),
    memory(0xd9, 5, "FLDCW", Operand::Mem16, Operation::Fldcw),
    memory(0xd9, 6, "FNSTENV", Operand::Memory, Operation::Fnstenv, attribute::writesDestination),
    memory(0xd9, 7, "FNSTCW", Operand::Mem16, Operation::Fnstcw, attribute::writesDestination),
    registers(0xd9, 0, "FLD", { Operand::StI }, Operation::Fld),
    registers(0xd9, 1, "FXCH", { Operand::StI }, Operation::Fxch),
    single(0xd9, 2, 0, "FNOP", Operation::Fnop),
    registers(0xd9, 3, "FSTP", { Operand::StI }, Operation::FstpIgnoringEmpty),
    single(0xd9, 4, 0, "FCHS", Operation::Fchs),
    single(0xd9, 4, 1, "FABS", Operation::Fabs),
    single(0xd9, 4, 4, "FTST", Operation::Ftst),
    single(0xd9, 4, 5, "FXAM", Operation::Fxam),
    single(0xd9, 5, 0, "FLD1", Operation::Fld1),
    single(0xd9, 5, 1, "FLDL2T", Operation::Fldl2t),
    single(0xd9, 5, 2, "FLDL2E", Operation::Fldl2e),
    single(0xd9, 5, 3, "FLDPI", Operation::Fldpi),
    single(0xd9, 5, 4, "FLDLG2", Operation::Fldlg2),
    single(0xd9, 5, 5, "FLDLN2", Operation::Fldln2),
    single(0xd9, 5, 6, "FLDZ", Operation::Fldz),
    single(0xd9, 6, 0, "F2XM1", Operation::F2xm1),
    single(0xd9, 6, 1, "FYL2X", Operation::Fyl2x),
    single(0xd9, 6, 2, "FPTAN", Operation::Fptan),
    single(0xd9, 6, 3, "FPATAN", Operation::Fpatan),
    single(0xd9, 6, 4, "FXTRACT", Operation::Fxtract),
    single(0xd9, 6, 5, "FPREM1", Operation::Fprem1),
    single(0xd9, 6, 6, "FDECSTP", Operation::Fdecstp),
    single(0xd9, 6, 7, "FINCSTP", Operation::Fincstp),
    single(0xd9, 7, 0, "FPREM", Operation::Fprem),
    single(0xd9, 7, 1, "FYL2XP1", Operation::Fyl2xp1),
    single(0xd9, 7, 2, "FSQRT", Operation::Fsqrt),
    single(0xd9, 7, 3, "FSINCOS", Operation::Fsincos),
    single(0xd9, 7, 4, "FRNDINT", Operation::Frndint),
    single(0xd9, 7, 5, "FSCALE", Operation::Fscale),
    single(0xd9, 7, 6, "FSIN", Operation::Fsin),
    single(0xd9, 7, 7, "FCOS", Operation::Fcos),
    // DA: ST(0) and a 32-bit integer; moves on a condition
    memory(0xda, 0, "FIADD", Operand::Mem32, Operation::Fadd),
    memory(0xda, 1, "FIMUL", Operand::Mem32, Operation::Fmul),
    memory(0xda, 2, "FICOM", Operand::Mem32, Operation::Fcom),
    memory(0xda, 3, "FICOMP", Operand::Mem32, Operation::Fcomp),
    memory(0xda, 4, "FISUB", Operand::Mem32, Operation::Fsub),
    memory(0xda, 5, "FISUBR", Operand::Mem32, Operation::Fsubr),
    memory(0xda, 6, "FIDIV", Operand::Mem32, Operation::Fdiv),
    memory(0xda, 7, "FIDIVR", Operand::Mem32, Operation::Fdivr),
    registers(0xda, 0, "FCMOVB", { Operand::St0, Operand::StI }, Operation::Fcmov, reads(eflags::carry), Feature::Cmov),
    registers(0xda, 1, "FCMOVE", { Operand::St0, Operand::StI }, Operation::Fcmov, reads(eflags::zero), Feature::Cmov),
    registers(0xda, 2, "FCMOVBE", { Operand::St0, Operand::StI }, Operation::Fcmov, reads(eflags::carry | eflags::zero),
        Feature::Cmov),
    registers(
        0xda, 3, "FCMOVU", { Operand::St0, Operand::StI }, Operation::Fcmov, reads(eflags::parity), Feature::Cmov),
    single(0xda, 5, 1, "FUCOMPP", Operation::Fucompp),
    // DB: 32-bit integers, 80-bit reals, control, compares that set EFLAGS
    memory(0xdb, 0, "FILD", Operand::Mem32, Operation::Fild),
    memory(0xdb, 1, "FISTTP", Operand::Mem32, Operation::Fisttp, attribute::writesDestination, Feature::Sse3),
    memory(0xdb, 2, "FIST", Operand::Mem32, Operation::Fist, attribute::writesDestination),
    memory(0xdb, 3, "FISTP", Operand::Mem32, Operation::Fistp, attribute::writesDestination),
    memory(0xdb, 5, "FLD", Operand::Mem80, Operation::FldExtended),
    memory(0xdb, 7, "FSTP", Operand::Mem80, Operation::FstpExtended, attribute::writesDestination),
    registers(
        0xdb, 0, "FCMOVNB", { Operand::St0, Operand::StI }, Operation::Fcmov, reads(eflags::carry), Feature::Cmov),
    registers(0xdb, 1, "FCMOVNE", { Operand::St0, Operand::StI }, Operation::Fcmov, reads(eflags::zero), Feature::Cmov),
    registers(0xdb, 2, "FCMOVNBE", { Operand::St0, Operand::StI }, Operation::Fcmov,
        reads(eflags::carry | eflags::zero), Feature::Cmov),
    registers(
        0xdb, 3, "FCMOVNU", { Operand::St0, Operand::StI }, Operation::Fcmov, reads(eflags::parity), Feature::Cmov),
    single(0xdb, 4, 0, "FNENI", Operation::FnopControl),
    single(0xdb, 4, 1, "FNDISI", Operation::FnopControl),
    single(0xdb, 4, 2, "FNCLEX", Operation::Fnclex),
    single(0xdb, 4, 3, "FNINIT", Operation::Fninit),
    single(0xdb, 4, 4, "FNSETPM", Operation::FnopControl),
    registers(0xdb, 5, "FUCOMI", { Operand::St0, Operand::StI }, Operation::Fucomi, comparison, Feature::Cmov),
    registers(0xdb, 6, "FCOMI", { Operand::St0, Operand::StI }, Operation::Fcomi, comparison, Feature::Cmov),
    // DC: ST(0) and a double, or ST(i) and ST(0); the register forms of FSUB and FSUBR change places, as do FDIV and
    // FDIVR
    memory(0xdc, 0, "FADD", Operand::Mem64, Operation::Fadd),
    memory(0xdc, 1, "FMUL", Operand::Mem64, Operation::Fmul),
    memory(0xdc, 2, "FCOM", Operand::Mem64, Operation::Fcom),
    memory(0xdc, 3, "FCOMP", Operand::Mem64, Operation::Fcomp),
    memory(0xdc, 4, "FSUB", Operand::Mem64, Operation::Fsub),
    memory(0xdc, 5, "FSUBR", Operand::Mem64, Operation::Fsubr),
    memory(0xdc, 6, "FDIV", Operand::Mem64, Operation::Fdiv),
    memory(0xdc, 7, "FDIVR", Operand::Mem64, Operation::Fdivr),
    registers(0xdc, 0, "FADD", { Operand::StI, Operand::St0 }, Operation::FaddInto),
    registers(0xdc, 1, "FMUL", { Operand::StI, Operand::St0 }, Operation::FmulInto),
    registers(0xdc, 2, "FCOM", { Operand::StI }, Operation::Fcom),
    registers(0xdc, 3, "FCOMP", { Operand::StI }, Operation::Fcomp),
    registers(0xdc, 4, "FSUBR", { Operand::StI, Operand::St0 }, Operation::FsubrInto),
    registers(0xdc, 5, "FSUB", { Operand::StI, Operand::St0 }, Operation::FsubInto),
    registers(0xdc, 6, "FDIVR", { Operand::StI, Operand::St0 }, Operation::FdivrInto),
    registers(0xdc, 7, "FDIV", { Operand::StI, Operand::St0 }, Operation::FdivInto),
    // DD: doubles and the whole state
    memory(0xdd, 0, "FLD", Operand::Mem64, Operation::Fld),
    memory(0xdd, 1, "FISTTP", Operand::Mem64, Operation::Fisttp, attribute::writesDestination, Feature::Sse3),
    memory(0xdd, 2, "FST", Operand::Mem64, Operation::Fst, attribute::writesDestination),
    memory(0xdd, 3, "FSTP", Operand::Mem64, Operation::Fstp, attribute::writesDestination),
    memory(0xdd, 4, "FRSTOR", Operand::Memory, Operation::Frstor),
    memory(0xdd, 6, "FNSAVE", Operand::Memory, Operation::Fnsave, attribute::writesDestination),
    memory(0xdd, 7, "FNSTSW", Operand::Mem16, Operation::Fnstsw, attribute::writesDestination),
    registers(0xdd, 0, "FFREE", { Operand::StI }, Operation::Ffree),
    registers(0xdd, 1, "FXCH", { Operand::StI }, Operation::Fxch),
    registers(0xdd, 2, "FST", { Operand::StI }, Operation::Fst),
    registers(0xdd, 3, "FSTP", { Operand::StI }, Operation::Fstp),
    registers(0xdd, 4, "FUCOM", { Operand::StI }, Operation::Fucom),
    registers(0xdd, 5, "FUCOMP", { Operand::StI }, Operation::Fucomp),
    // DE: ST(0) and a 16-bit integer, or ST(i) and ST(0) with a pop
    memory(0xde, 0, "FIADD", Operand::Mem16, Operation::Fadd),
    memory(0xde, 1, "FIMUL", Operand::Mem16, Operation::Fmul),
    memory(0xde, 2, "FICOM", Operand::Mem16, Operation::Fcom),
    memory(0xde, 3, "FICOMP", Operand::Mem16, Operation::Fcomp),
    memory(0xde, 4, "FISUB", Operand::Mem16, Operation::Fsub),
    memory(0xde, 5, "FISUBR", Operand::Mem16, Operation::Fsubr),
    memory(0xde, 6, "FIDIV", Operand::Mem16, Operation::Fdiv),
    memory(0xde, 7, "FIDIVR", Operand::Mem16, Operation::Fdivr),
    registers(0xde, 0, "FADDP", { Operand::StI, Operand::St0 }, Operation::Faddp),
    registers(0xde, 1, "FMULP", { Operand::StI, Operand::St0 }, Operation::Fmulp),
    registers(0xde, 2, "FCOMP", { Operand::StI }, Operation::Fcomp),
    single(0xde, 3, 1, "FCOMPP", Operation::Fcompp),
    registers(0xde, 4, "FSUBRP", { Operand::StI, Operand::St0 }, Operation::Fsubrp),
    registers(0xde, 5, "FSUBP", { Operand::StI, Operand::St0 }, Operation::Fsubp),
    registers(0xde, 6, "FDIVRP", { Operand::StI, Operand::St0 }, Operation::Fdivrp),
    registers(0xde, 7, "FDIVP", { Operand::StI, Operand::St0 }, Operation::Fdivp),
    // DF: 16- and 64-bit integers, packed decimals
    memory(0xdf, 0, "FILD", Operand::Mem16, Operation::Fild),
    memory(0xdf, 1, "FISTTP", Operand::Mem16, Operation::Fisttp, attribute::writesDestination, Feature::Sse3),
    memory(0xdf, 2, "FIST", Operand::Mem16, Operation::Fist, attribute::writesDestination),
    memory(0xdf, 3, "FISTP", Operand::Mem16, Operation::Fistp, attribute::writesDestination),
    memory(0xdf, 4, "FBLD", Operand::Mem80, Operation::Fbld),
    memory(0xdf, 5, "FILD", Operand::Mem64, Operation::Fild),
    memory(0xdf, 6, "FBSTP", Operand::Mem80, Operation::Fbstp, attribute::writesDestination),
    memory(0xdf, 7, "FISTP", Operand::Mem64, Operation::Fistp, attribute::writesDestination),
    registers(0xdf, 0, "FFREEP", { Operand::StI }, Operation::Ffreep),
    registers(0xdf, 1, "FXCH", { Operand::StI }, Operation::Fxch),
    registers(0xdf, 2, "FSTP", { Operand::StI }, Operation::Fstp),
    registers(0xdf, 3, "FSTP", { Operand::StI }, Operation::Fstp),
    { OpcodeMap::Primary, 0xdf, MandatoryPrefix::Any, ModRm::Register, 4, 0, "FNSTSW", { Operand::Ax },
        Operation::FnstswAx, 0, 0, 0, fpuAttributes | attribute::writesDestination },
    registers(0xdf, 5, "FUCOMIP", { Operand::St0, Operand::StI }, Operation::Fucomip, comparison, Feature::Cmov),
    registers(0xdf, 6, "FCOMIP", { Operand::St0, Operand::StI }, Operation::Fcomip, comparison, Feature::Cmov),
    // The wait: its own rules of #NM
    { OpcodeMap::Primary, 0x9b, MandatoryPrefix::Any, ModRm::Absent, -1, -1, "WAIT", {}, Operation::Wait, 0, 0, 0,
        attribute::userTestable },
};

} // namespace

std::span<const InstructionEntry> x87Instructions()
{
    return entries;
}

} // namespace namsan
