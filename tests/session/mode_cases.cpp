// SPDX-License-Identifier: GPL-3.0-or-later
// Modes beside flat protected mode: virtual-8086 mode, 16-bit segments and gates, call gates, task switches.
#include "tests/session/host_faults.h"
#include "tests/session/session_rig.h"

namespace namsan {

namespace {

using End = SessionRig::End;

constexpr unsigned invalidOpcode = 6, invalidTss = 10, stackFault = 12, generalProtection = 13;
constexpr uint32_t gdt = 0x1000, idt = 0x2000, tss = 0x1800;
constexpr uint32_t kernelStack = 0x80000;
constexpr uint16_t spare = 0x40, spare2 = 0x48; // selectors
constexpr uint16_t kernelCode = 8, kernelData = 16, firstTask = 0x28;

// -- virtual-8086 mode

constexpr uint32_t iopl3 = 3 << 12;

// At 1000:0000 with the stack at 7000:0100 and data at 2000:0000.
void virtual8086(SessionRig& rig, std::vector<uint8_t> code, uint32_t flags)
{
    rig.flat32(std::move(code));
    const auto paragraph = [](uint16_t selector) {
        return SegmentState { selector, 0xf3, uint32_t { selector } << 4, 0xffff };
    };
    rig.state.segments.fill(paragraph(0x2000));
    rig.state.segments[Cs] = paragraph(0x1000);
    rig.state.segments[Ss] = paragraph(0x7000);
    rig.state.eip = 0;
    rig.state.gpr[Esp] = 0x100;
    rig.state.eflags = eflags::alwaysOne | eflags::virtual8086 | flags;
}

void virtual8086IsEnteredAndLeft(SessionRig& rig, Verdict& verdict)
{
    // Pushes GS, FS, DS, ES, SS, ESP, EFLAGS, CS, EIP; iretd. At 1000:0080: mov ax,cs; mov [10h],ax; int3
    rig.flat32({ 0x6a, 0x60, 0x6a, 0x50, 0x68, 0x00, 0x20, 0x00, 0x00, 0x6a, 0x30, 0x68, 0x00, 0x70, 0x00, 0x00, 0x68,
        0x00, 0x01, 0x00, 0x00, 0x68, 0x02, 0x00, 0x02, 0x00, 0x68, 0x00, 0x10, 0x00, 0x00, 0x68, 0x80, 0x00, 0x00,
        0x00, 0xcf });
    rig.store(SessionRig::codeAddress + 0x80, { 0x8c, 0xc8, 0xa3, 0x10, 0x00, 0xcc });
    verdict.raises(rig, rig.run(), 3);
    verdict.equal("what was written", rig.read<uint16_t>(0x20010), 0x1000u);
    verdict.equal("ESP", rig.reg(Esp), kernelStack - 36);
    const uint32_t frame[] = { 0x86, 0x1000, 0x20002, 0x100, 0x7000, 0x30, 0x2000, 0x50, 0x60 };
    for (unsigned n = 0; n < 9; ++n)
        verdict.equal(fmt::format("what was pushed {}", n), rig.pushed(n), frame[n]);
    verdict.equal("DS in the handler", rig.state.segments[Ds].selector, 0u);
    verdict.holds("VM is still set", !(rig.state.eflags & eflags::virtual8086));
}

void virtual8086SensitiveInstructions(SessionRig& rig, Verdict& verdict)
{
    for (const std::vector<uint8_t>& code :
        { std::vector<uint8_t> { 0xfa }, { 0xfb }, { 0x9c }, { 0x9d }, { 0xcd, 0x40 }, { 0xcf }, { 0xe4, 0x60 } }) {
        virtual8086(rig, code, 0);
        verdict.raises(rig, rig.run(), generalProtection);
        verdict.equal("error code", rig.pushed(0), 0u);
        verdict.equal("return address", rig.pushed(1), 0u);
        verdict.equal("code segment", rig.pushed(2), 0x1000u);
    }
}

void virtual8086WithIopl(SessionRig& rig, Verdict& verdict)
{
    // pushf; cli; pushf; popf; int 40h
    virtual8086(rig, { 0x9c, 0xfa, 0x9c, 0x9d, 0xcd, 0x40 }, iopl3 | eflags::interruptEnable);
    verdict.raises(rig, rig.run(), 0x40);
    verdict.equal("return address", rig.pushed(0), 6u);
    verdict.equal("EFLAGS pushed", rig.pushed(2), 0x23002u);
    verdict.equal("the first PUSHF", rig.read<uint16_t>(0x700fe), 0x3202u);
}

void virtual8086KnowsNoProtection(SessionRig& rig, Verdict& verdict)
{
    virtual8086(rig, { 0x0f, 0x00, 0xc0 }, iopl3); // sldt ax
    verdict.raises(rig, rig.run(), invalidOpcode);
    virtual8086(rig, { 0xf4 }, iopl3);
    verdict.raises(rig, rig.run(), generalProtection);
}

void virtual8086LimitsAndWraps(SessionRig& rig, Verdict& verdict)
{
    virtual8086(rig, { 0xa1, 0xff, 0xff }, 0); // mov ax,[0ffffh]
    verdict.raises(rig, rig.run(), generalProtection);
    virtual8086(rig, { 0xbb, 0xff, 0xff, 0x8a, 0x47, 0x02, 0xcc }, 0); // mov bx,-1; mov al,[bx+2]; int3
    rig.write<uint8_t>(SessionRig::dataAddress + 1, 0x5a);
    verdict.raises(rig, rig.run(), 3);
    verdict.equal("AL", rig.reg(Eax) & 0xff, 0x5au);
}

// -- real mode

void realModeSegmentEnds(SessionRig& rig, Verdict& verdict)
{
    rig.real16({ 0x90, 0xa1, 0xff, 0xff }); // nop; mov ax,[0ffffh]
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("return address", rig.pushed(0), 1u);
    verdict.equal("SP", rig.reg(Esp), 0xfff0u - 6);
    rig.real16({ 0xbd, 0xff, 0xff, 0x8b, 0x46, 0x00 }); // mov bp,0ffffh; mov ax,[bp]
    verdict.raises(rig, rig.run(), stackFault);
}

void realModeStackWraps(SessionRig& rig, Verdict& verdict)
{
    rig.real16({ 0x50, 0x5b }); // push ax; pop bx
    rig.state.gpr[Esp] = 0x12340000;
    rig.state.gpr[Eax] = 0x4321;
    verdict.halts(rig, rig.run());
    verdict.equal("BX", rig.reg(Ebx) & 0xffff, 0x4321u);
    verdict.equal("ESP", rig.reg(Esp), 0x12340000u);
    verdict.equal("what was pushed", rig.read<uint16_t>(0x8fffe), 0x4321u);
}

// -- gates and rings

// In user mode, at the code's beginning.
void user32(SessionRig& rig, std::vector<uint8_t> code)
{
    rig.flat32(std::move(code));
    rig.state.segments.fill({ SessionRig::userData, 0xc0f3, 0, 0xffffffff });
    rig.state.segments[Cs] = { SessionRig::userCode, 0xc0fb, 0, 0xffffffff };
}

void callGateWithParameters(SessionRig& rig, Verdict& verdict)
{
    // push 1111h; push 2222h; call 43h:0; int3. The system: mov eax,[esp+8]; mov ebx,[esp+0ch]; retf 8
    user32(rig, { 0x68, 0x11, 0x11, 0, 0, 0x68, 0x22, 0x22, 0, 0, 0x9a, 0, 0, 0, 0, 0x43, 0x00, 0xcc });
    rig.store(0x12000, { 0x8b, 0x44, 0x24, 0x08, 0x8b, 0x5c, 0x24, 0x0c, 0xca, 0x08, 0x00 });
    rig.write<uint64_t>(gdt + spare, 0x0001'ec02'0008'2000);
    verdict.raises(rig, rig.run(), 3);
    verdict.equal("EAX", rig.reg(Eax), 0x2222u);
    verdict.equal("EBX", rig.reg(Ebx), 0x1111u);
    verdict.equal("user's ESP", rig.pushed(3), SessionRig::stackTop);
    verdict.equal("return address", rig.pushed(0), SessionRig::codeAddress + 18);
    verdict.equal("what the gate pushed: SS", rig.read<uint16_t>(kernelStack - 4), SessionRig::userData);
}

void callGateWithoutPrivilege(SessionRig& rig, Verdict& verdict)
{
    user32(rig, { 0x9a, 0, 0, 0, 0, 0x40, 0x00 }); // call 40h:0
    rig.write<uint64_t>(gdt + spare, 0x0001'8c00'0008'2000); // DPL 0
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("error code", rig.pushed(0), spare);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress);
}

void sixteenBitSegments(SessionRig& rig, Verdict& verdict)
{
    // jmp 40h:0; there, in 16 bits: mov ax,48h; mov ss,ax; mov sp,10h; push ax; push 1234h; pop ax; hlt
    rig.flat32({ 0xea, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00 });
    rig.store(0x12000, { 0xb8, 0x48, 0x00, 0x8e, 0xd0, 0xbc, 0x10, 0x00, 0x50, 0x68, 0x34, 0x12, 0x58, 0xf4 });
    rig.write<uint64_t>(gdt + spare, 0x0000'9a01'2000'ffff);
    rig.write<uint64_t>(gdt + spare2, 0x0000'9202'0000'ffff);
    verdict.ends(rig, rig.run(), End::Halted);
    verdict.equal("AX", rig.reg(Eax) & 0xffff, 0x1234u);
    verdict.equal("SP", rig.reg(Esp) & 0xffff, 0x0eu);
    verdict.equal("what was pushed", rig.read<uint16_t>(0x2000e), 0x48u);
    verdict.equal("EIP", rig.state.eip, 0x0eu);
}

void sixteenBitGate(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0xcd, 0x40 });
    const uint32_t handler = SessionRig::handlersAddress + 16 * 0x40;
    rig.write<uint64_t>(idt + 8 * 0x40, 0x0000'8600'0008'0000 | handler);
    verdict.raises(rig, rig.run(), 0x40);
    verdict.equal("ESP", rig.reg(Esp), SessionRig::stackTop - 6);
    verdict.equal("return address", rig.read<uint16_t>(rig.reg(Esp)), 2u);
    verdict.equal("code segment", rig.read<uint16_t>(rig.reg(Esp) + 2), kernelCode);
}

// -- tasks

constexpr uint32_t tss2 = 0x1900;
constexpr uint32_t taskCode = 0x12000;
constexpr uint32_t taskStack = 0x60000;

// Another task that begins with that code; `spare` names its TSS.
void makeTask(SessionRig& rig, std::vector<uint8_t> code)
{
    for (uint32_t offset = 0; offset < 0x68; offset += 4)
        rig.write<uint32_t>(tss2 + offset, 0);
    rig.write<uint32_t>(tss2 + 32, taskCode);
    rig.write<uint32_t>(tss2 + 36, eflags::alwaysOne);
    rig.write<uint32_t>(tss2 + 56, taskStack);
    rig.write<uint32_t>(tss2 + 64, 0x51515151); // ESI
    for (const uint32_t offset : { 72u, 80u, 84u, 88u, 92u })
        rig.write<uint32_t>(tss2 + offset, kernelData);
    rig.write<uint32_t>(tss2 + 76, kernelCode);
    rig.write<uint64_t>(gdt + spare, 0x0000'8900'0000'0067 | uint64_t { tss2 } << 16);
    rig.write<uint64_t>(gdt + firstTask, 0x0000'8b00'0000'0067 | uint64_t { tss } << 16);
    rig.store(taskCode, std::move(code));
}

void taskIsCalledAndReturns(SessionRig& rig, Verdict& verdict)
{
    // mov ebx,77h; call 40h:0; inc ebx. The task: mov [20000h],esi; pushfd; pop [20004h]; iretd
    rig.flat32({ 0xbb, 0x77, 0, 0, 0, 0x9a, 0, 0, 0, 0, 0x40, 0x00, 0x43 });
    makeTask(rig, { 0x89, 0x35, 0, 0, 2, 0, 0x9c, 0x8f, 0x05, 4, 0, 2, 0, 0xcf });
    verdict.halts(rig, rig.run());
    verdict.equal("EBX", rig.reg(Ebx), 0x78u);
    verdict.equal("the task's ESI", rig.read<uint32_t>(0x20000), 0x51515151u);
    verdict.equal("the task's EFLAGS", rig.read<uint32_t>(0x20004), eflags::alwaysOne | eflags::nestedTask);
    verdict.equal("ESP", rig.reg(Esp), SessionRig::stackTop);
    verdict.equal("the back link", rig.read<uint16_t>(tss2), firstTask);
    verdict.equal("type of the task's descriptor", rig.read<uint8_t>(gdt + spare + 5), 0x89u);
    verdict.equal("the task's EIP", rig.read<uint32_t>(tss2 + 32), taskCode + 14);
    verdict.holds("CR0.TS is clear", rig.state.cr0 & cr0::taskSwitched);
    verdict.equal("TR", rig.state.tr.selector, firstTask);
}

void taskIsJumpedTo(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0xea, 0, 0, 0, 0, 0x40, 0x00 });
    makeTask(rig, { 0xf4 });
    verdict.ends(rig, rig.run(), End::Halted);
    verdict.equal("EIP", rig.state.eip, taskCode + 1);
    verdict.equal("EFLAGS", rig.state.eflags, eflags::alwaysOne);
    verdict.equal("TR", rig.state.tr.selector, spare);
    verdict.equal("type of the first task's descriptor", rig.read<uint8_t>(gdt + firstTask + 5), 0x89u);
    verdict.equal("the first task's EIP", rig.read<uint32_t>(tss + 32), SessionRig::codeAddress + 7);
}

void taskHandlesAnException(SessionRig& rig, Verdict& verdict)
{
    // mov eax,1230h; mov ds,eax, with a task gate for #GP
    rig.flat32({ 0xb8, 0x30, 0x12, 0, 0, 0x8e, 0xd8 });
    makeTask(rig, { 0xf4 });
    // In a task gate the offset says nothing; who goes by it all the same comes to a HLT there.
    rig.write<uint64_t>(idt + 8 * generalProtection, 0x0000'8500'0000'0200 | uint64_t { spare } << 16);
    rig.store(0x200, { 0xf4 });
    verdict.ends(rig, rig.run(), End::Halted);
    verdict.equal("EIP", rig.state.eip, taskCode + 1);
    verdict.equal("ESP", rig.reg(Esp), taskStack - 4);
    verdict.equal("error code", rig.read<uint32_t>(taskStack - 4), 0x1230u);
    verdict.equal("the first task's EIP", rig.read<uint32_t>(tss + 32), SessionRig::codeAddress + 5);
    verdict.equal("EFLAGS", rig.state.eflags, eflags::alwaysOne | eflags::nestedTask);
}

void taskThatIsBusy(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0xea, 0, 0, 0, 0, 0x28, 0x00 }); // jmp to itself
    makeTask(rig, { 0xf4 });
    verdict.raises(rig, rig.run(), generalProtection);
    verdict.equal("error code", rig.pushed(0), firstTask);
    verdict.equal("return address", rig.pushed(1), SessionRig::codeAddress);
}

void taskWithABadSegment(SessionRig& rig, Verdict& verdict)
{
    rig.flat32({ 0xea, 0, 0, 0, 0, 0x40, 0x00 });
    makeTask(rig, { 0xf4 });
    rig.write<uint32_t>(tss2 + 84, 0xf0); // DS: an empty descriptor
    verdict.raises(rig, rig.run(), invalidTss);
    verdict.equal("error code", rig.pushed(0), 0xf0u);
    verdict.equal("return address", rig.pushed(1), taskCode);
    verdict.equal("TR", rig.state.tr.selector, spare);
}

} // namespace

std::vector<ConformanceCase> modeCases()
{
    return {
        { "virtual-8086 mode is entered and left", virtual8086IsEnteredAndLeft,
            &host_fault::virtual8086ModeDoesNotWork },
        { "virtual-8086 mode: sensitive instructions", virtual8086SensitiveInstructions,
            &host_fault::virtual8086ModeDoesNotWork },
        { "virtual-8086 mode with IOPL 3", virtual8086WithIopl, &host_fault::virtual8086ModeDoesNotWork },
        { "virtual-8086 mode knows no protection", virtual8086KnowsNoProtection,
            &host_fault::virtual8086ModeDoesNotWork },
        { "virtual-8086 mode: limits and wraps", virtual8086LimitsAndWraps, &host_fault::virtual8086ModeDoesNotWork },
        { "real mode: a segment's end", realModeSegmentEnds },
        { "real mode: the stack wraps", realModeStackWraps },
        { "a call gate copies parameters", callGateWithParameters, &host_fault::userModeCannotUseCallGates },
        { "#GP by a call gate of the system's", callGateWithoutPrivilege, &host_fault::userModeCannotUseCallGates },
        { "16-bit code and stack", sixteenBitSegments },
        { "a 16-bit interrupt gate", sixteenBitGate },
        { "a task is called and returns", taskIsCalledAndReturns },
        { "a task is jumped to", taskIsJumpedTo },
        { "a task handles an exception", taskHandlesAnException, &host_fault::taskGatesAreNone },
        { "#GP: the task is busy", taskThatIsBusy },
        { "#TS in the new task", taskWithABadSegment },
    };
}

} // namespace namsan
