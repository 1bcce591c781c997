// SPDX-License-Identifier: GPL-3.0-or-later
// Exceptions: what is raised, its error code, its return address. Triple faults.
#include "tests/session/host_faults.h"
#include "tests/session/session_rig.h"

namespace namsan {

namespace {

using End = SessionRig::End;

constexpr unsigned divideError = 0, debug = 1, breakpoint = 3, overflow = 4, boundRange = 5, invalidOpcode = 6,
                   deviceNotAvailable = 7, segmentNotPresent = 11, stackFault = 12, generalProtection = 13;

void divideByZero(SessionRig& rig, Verdict& verdict)
{
    // xor ecx,ecx; div ecx
    rig.flat32({ 0x31, 0xc9, 0xf7, 0xf1 });
    verdict.raises(rig, rig.run(), divideError);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 2);
}

void divideOverflowInRealMode(SessionRig& rig, Verdict& verdict)
{
    // mov ax,8000h; cwd; mov bx,-1; idiv bx
    rig.real16({ 0xb8, 0x00, 0x80, 0x99, 0xbb, 0xff, 0xff, 0xf7, 0xfb });
    verdict.raises(rig, rig.run(), divideError);
    verdict.equal("return address", rig.pushed(0), 7u);
}

void undefinedInstruction(SessionRig& rig, Verdict& verdict)
{
    // nop; ud2
    rig.flat32({ 0x90, 0x0f, 0x0b });
    verdict.raises(rig, rig.run(), invalidOpcode);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 1);
}

void undefinedInstructionInUserMode(SessionRig& rig, Verdict& verdict)
{
    // push 23h; push 70000h; push 2; push 1bh; push 10014h; iretd; at 10014h: lock nop
    rig.flat32(
        { 0x6a, 0x23, 0x68, 0x00, 0x00, 0x07, 0x00, 0x6a, 0x02, 0x6a, 0x1b, 0x68, 0x14, 0x00, 0x01, 0x00, 0xcf });
    rig.store(SessionRig::codeAddress + 0x14, { 0xf0, 0x90 });
    verdict.raises(rig, rig.run(), invalidOpcode);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 0x14);
    verdict.equal("code segment pushed", rig.pushed(1) & 0xffff, SessionRig::userCode);
    verdict.equal("stack segment pushed", rig.pushed(4) & 0xffff, SessionRig::userData);
}

void breakpointAndOverflow(SessionRig& rig, Verdict& verdict)
{
    // mov al,7fh; add al,1; into
    rig.flat32({ 0xb0, 0x7f, 0x04, 0x01, 0xce });
    verdict.raises(rig, rig.run(), overflow);
    verdict.equal("return address after INTO", rig.pushed(0), SessionRig::codeAddress + 5);
    // int3
    rig.flat32({ 0xcc });
    verdict.raises(rig, rig.run(), breakpoint);
    verdict.equal("return address after INT3", rig.pushed(0), SessionRig::codeAddress + 1);
}

void outOfBounds(SessionRig& rig, Verdict& verdict)
{
    // mov eax,5; bound eax,[20000h]
    rig.flat32({ 0xb8, 0x05, 0x00, 0x00, 0x00, 0x62, 0x05, 0x00, 0x00, 0x02, 0x00 });
    rig.write<uint32_t>(SessionRig::dataAddress, 0);
    rig.write<uint32_t>(SessionRig::dataAddress + 4, 4);
    verdict.raises(rig, rig.run(), boundRange);
}

void selectorOutsideTheTable(SessionRig& rig, Verdict& verdict)
{
    // Beyond the GDT's limit of ffh: mov eax,1230h; mov ds,eax
    rig.flat32({ 0xb8, 0x30, 0x12, 0x00, 0x00, 0x8e, 0xd8 });
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("error code", rig.pushed(0), 0x1230u);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress + 5);
}

void segmentThatIsNotPresent(SessionRig& rig, Verdict& verdict)
{
    // mov eax,40h; mov ds,eax
    rig.flat32({ 0xb8, 0x40, 0x00, 0x00, 0x00, 0x8e, 0xd8 });
    rig.write<uint64_t>(0x1040, 0x00cf13000000ffff);
    verdict.raises(rig, rig.run(), segmentNotPresent);
    verdict.equal("error code", rig.pushed(0), 0x40u);
}

void beyondTheLimit(SessionRig& rig, Verdict& verdict)
{
    // mov eax,40h; mov ds,eax; mov al,[1000h]
    rig.flat32({ 0xb8, 0x40, 0x00, 0x00, 0x00, 0x8e, 0xd8, 0xa0, 0x00, 0x10, 0x00, 0x00 });
    rig.write<uint64_t>(0x1040, 0x0040930000000fff); // 4 KiB
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("error code", rig.pushed(0), 0u);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress + 7);
}

void stackBeyondItsLimit(SessionRig& rig, Verdict& verdict)
{
    // A stack segment of 1 MiB. mov eax,40h; mov ss,eax; mov ebp,200000h; mov al,[ebp]
    rig.flat32({ 0xb8, 0x40, 0x00, 0x00, 0x00, 0x8e, 0xd0, 0xbd, 0x00, 0x00, 0x20, 0x00, 0x8a, 0x45, 0x00 });
    rig.write<uint64_t>(0x1040, 0x004f93000000ffff);
    verdict.raises(rig, rig.run(), stackFault);
    verdict.equal("error code", rig.pushed(0), 0u);
}

void writeToCode(SessionRig& rig, Verdict& verdict)
{
    // mov byte cs:[20000h],1
    rig.flat32({ 0x2e, 0xc6, 0x05, 0x00, 0x00, 0x02, 0x00, 0x01 });
    verdict.raises(rig, rig.run(), generalProtection);
}

void privilegedInstructionInUserMode(SessionRig& rig, Verdict& verdict)
{
    // to user mode at 10014h: cli
    rig.flat32(
        { 0x6a, 0x23, 0x68, 0x00, 0x00, 0x07, 0x00, 0x6a, 0x02, 0x6a, 0x1b, 0x68, 0x14, 0x00, 0x01, 0x00, 0xcf });
    rig.store(SessionRig::codeAddress + 0x14, { 0xfa });
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("error code", rig.pushed(0), 0u);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress + 0x14);
    // ports without permission, HLT, and a read of CR0
    for (const std::vector<uint8_t>& code : { std::vector<uint8_t> { 0xe4, 0x60 }, { 0xf4 }, { 0x0f, 0x20, 0xc0 } }) {
        rig.store(SessionRig::codeAddress + 0x14, code);
        rig.state = {};
        rig.flat32(
            { 0x6a, 0x23, 0x68, 0x00, 0x00, 0x07, 0x00, 0x6a, 0x02, 0x6a, 0x1b, 0x68, 0x14, 0x00, 0x01, 0x00, 0xcf });
        verdict.raises(rig, rig.run(), generalProtection);
    }
    verdict.equal("port reads", rig.bus.portReads.size(), 0u);
}

void callOfTheSystemByInterrupt(SessionRig& rig, Verdict& verdict)
{
    // to user mode at 10014h: mov eax,7; int 80h; mov ebx,eax; int 81h. Vector 80h: add eax,1; iretd
    rig.flat32(
        { 0x6a, 0x23, 0x68, 0x00, 0x00, 0x07, 0x00, 0x6a, 0x02, 0x6a, 0x1b, 0x68, 0x14, 0x00, 0x01, 0x00, 0xcf });
    rig.store(SessionRig::codeAddress + 0x14, { 0xb8, 0x07, 0x00, 0x00, 0x00, 0xcd, 0x80, 0x89, 0xc3, 0xcd, 0x81 });
    rig.store(SessionRig::handlersAddress + 16 * 0x80, { 0x83, 0xc0, 0x01, 0xcf });
    verdict.raises(rig, rig.run(), 0x81);
    verdict.equal("EBX", rig.reg(Ebx), 8u);
    verdict.equal("user's ESP pushed", rig.pushed(3), 0x70000u);
    verdict.equal("kernel's ESP", rig.reg(Esp), 0x80000u - 20);
}

void gateThatIsMissing(SessionRig& rig, Verdict& verdict)
{
    // int 80h with an empty gate
    rig.flat32({ 0xcd, 0x80 });
    rig.write<uint64_t>(0x2000 + 8 * 0x80, 0);
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("error code", rig.pushed(0), 0x80u * 8 + 2);
}

void singleStep(SessionRig& rig, Verdict& verdict)
{
    // push 102h; popfd; inc ebx; inc ebx
    rig.flat32({ 0x68, 0x02, 0x01, 0x00, 0x00, 0x9d, 0x43, 0x43 });
    verdict.raises(rig, rig.run(), debug);
    verdict.equal("EBX", rig.reg(Ebx), 1u);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 7);
    verdict.holds("DR6.BS is not set", rig.state.dr[6] & 1 << 14);
}

void coprocessorSwitchedOff(SessionRig& rig, Verdict& verdict)
{
    // mov eax,cr0; or al,8; mov cr0,eax; fninit
    rig.flat32({ 0x0f, 0x20, 0xc0, 0x0c, 0x08, 0x0f, 0x22, 0xc0, 0xdb, 0xe3 });
    verdict.raises(rig, rig.run(), deviceNotAvailable);
}

void reservedControlBits(SessionRig& rig, Verdict& verdict)
{
    // mov eax,80000000h; mov cr0,eax (paging without protection)
    rig.flat32({ 0xb8, 0x00, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0 });
    verdict.raises(rig, rig.run(), generalProtection);
    // mov eax,80000000h; mov cr4,eax
    rig.flat32({ 0xb8, 0x00, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xe0 });
    verdict.raises(rig, rig.run(), generalProtection);
}

void tripleFault(SessionRig& rig, Verdict& verdict)
{
    // int3 without an IDT
    rig.flat32({ 0xcc });
    rig.state.idtr = { 0, 0 };
    verdict.ends(rig, rig.run(), End::TripleFault);
}

void doubleFault(SessionRig& rig, Verdict& verdict)
{
    // A #GP whose own gate is missing. mov eax,1230h; mov ds,eax
    rig.flat32({ 0xb8, 0x30, 0x12, 0x00, 0x00, 0x8e, 0xd8 });
    rig.write<uint64_t>(0x2000 + 8 * generalProtection, 0);
    verdict.raises(rig, rig.run(), 8);
    verdict.equal("error code", rig.pushed(0), 0u);
}

} // namespace

std::vector<ConformanceCase> exceptionCases()
{
    return {
        { "#DE by zero", divideByZero },
        { "#DE by overflow in real mode", divideOverflowInRealMode },
        { "#UD", undefinedInstruction },
        { "#UD in user mode", undefinedInstructionInUserMode },
        { "#BP, #OF", breakpointAndOverflow },
        { "#BR", outOfBounds },
        { "#GP: selector outside the table", selectorOutsideTheTable },
        { "#NP", segmentThatIsNotPresent },
        { "#GP beyond a segment's limit", beyondTheLimit },
        { "#SS beyond the stack's limit", stackBeyondItsLimit },
        { "#GP by a write to code", writeToCode },
        { "#GP by privileged instructions", privilegedInstructionInUserMode },
        { "user mode calls the system and is returned to", callOfTheSystemByInterrupt,
            &host_fault::userModeCannotCallGates },
        { "#GP by a missing gate", gateThatIsMissing },
        { "#DB by single step", singleStep },
        { "#NM", coprocessorSwitchedOff },
        { "#GP by reserved control bits", reservedControlBits },
        { "#DF", doubleFault },
        { "triple fault", tripleFault },
    };
}

} // namespace namsan
