// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/translate/thunks.h"

#include "vmm/engine/interpret/fxsave_image.h"
#include "vmm/engine/translate/assembler.h"
#include "vmm/engine/translate/code_region.h"
#include "vmm/engine/translate/memory_form.h"
#include "vmm/engine/translate/runtime.h"

#include <initializer_list>

namespace namsan {

namespace {

using namespace register_map;
constexpr auto jumpTable = static_cast<int>(offsetof(TranslatedFrame, jumps));

using SlowAccess = uint32_t (*)(TranslatedFrame*, uint32_t linear, uint32_t site);

// Those that the host's calling convention lets a called function change. System V ABI, AMD64, 3.2.1.
constexpr std::initializer_list<unsigned> changedByCalls { Eax, Ecx, Edx, Esi, Edi };
constexpr std::initializer_list<unsigned> allRegisters { Eax, Ecx, Edx, Ebx, Esp, Ebp, Esi, Edi };

class ThunkEmitter {
public:
    ThunkEmitter(Assembler& assembler, const CodeRegion& region, const Processor& guest, const MemoryForm& memoryForm)
        : m_assembler(assembler)
        , m_memoryForm(memoryForm)
        , m_region(region)
        , m_offsets(ProcessorOffsets::of(guest))
    {
    }

    Thunks emit()
    {
        Thunks thunks;
        const uint8_t* enter = emitEnter();
        thunks.enter = reinterpret_cast<Thunks::Enter>(reinterpret_cast<uintptr_t>(m_region.executable(enter)));
        thunks.lendFloatingPoint = emitLendFloatingPoint();
        emitLeave();
        thunks.leave = m_leave;
        thunks.missing = emitLeaveTo(LeaveReason::Lookup);
        thunks.attention = emitLeaveTo(LeaveReason::Attention);
        for (uint32_t kind = 0; kind < thunks.link.size(); ++kind)
            thunks.link[kind] = emitLink(kind);
        thunks.lookUp = here();
        emitJumpThroughTable(m_assembler, thunks.missing);
        thunks.leaveDropped = emitLeaveTo(LeaveReason::Dropped);
        for (const bool keepsFlags : { false, true }) {
            thunks.readSlowly[keepsFlags] = emitSlowAccess(&TranslatorRuntime::readSlowly, keepsFlags);
            thunks.readForWriteSlowly[keepsFlags] = emitSlowAccess(&TranslatorRuntime::readForWriteSlowly, keepsFlags);
            thunks.prepareWrite[keepsFlags] = emitSlowAccess(&TranslatorRuntime::prepareWrite, keepsFlags);
        }
        thunks.commitWrite = emitCommitWrite();
        thunks.runHandler = emitRunHandler();
        for (unsigned place = 0; place < thunks.keepAgain.size(); ++place)
            for (const MemoryAccess access : { MemoryAccess::Read, MemoryAccess::Write })
                thunks.keepAgain[place][access == MemoryAccess::Write]
                    = emitKeepAgain(register_map::hostOfKept[place], access);
        return thunks;
    }

private:
    const uint8_t* here()
    {
        m_assembler.align(16);
        return m_assembler.getCurr();
    }
    Xbyak::Address slotOf(unsigned reg) { return m_assembler.inProcessor(m_offsets.gpr + 4 * static_cast<int>(reg)); }
    void store(std::initializer_list<unsigned> registers)
    {
        for (const unsigned reg : registers)
            m_assembler.mov(slotOf(reg), guest(reg));
    }
    void load(std::initializer_list<unsigned> registers)
    {
        for (const unsigned reg : registers)
            m_assembler.mov(guest(reg), slotOf(reg));
    }

    const uint8_t* emitEnter()
    {
        Assembler& a = m_assembler;
        const uint8_t* start = here();
        for (const auto& reg : { a.rbx, a.rbp, a.r12, a.r13, a.r14, a.r15 })
            a.push(reg);
        a.sub(a.rsp, 8); // units run with the stack aligned to 16, so that what they call finds it as the ABI says
        a.mov(frame, a.rdi);
        a.mov(processor, a.rsi);
        a.mov(temporary64, a.rdx);
        a.mov(pageTable, a.rcx);
        load(allRegisters);
        a.mov(address, a.inProcessor(m_offsets.nextEip));
        a.jmp(temporary64);
        return start;
    }

    void emitLeave()
    {
        Assembler& a = m_assembler;
        m_leave = here();
        store(allRegisters);
        m_leaveStored = a.getCurr();
        emitBringBackFloatingPoint();
        a.add(a.rsp, 8);
        for (const auto& reg : { a.r15, a.r14, a.r13, a.r12, a.rbp, a.rbx })
            a.pop(reg);
        a.ret();
    }

    // The guest goes on at r8d.
    const uint8_t* emitLeaveTo(LeaveReason reason)
    {
        Assembler& a = m_assembler;
        const uint8_t* start = here();
        a.mov(a.inProcessor(m_offsets.nextEip), address);
        a.mov(a.dword[frame + offsetof(TranslatedFrame, reason)], static_cast<uint32_t>(reason));
        a.jmp(m_leave, Assembler::T_NEAR);
        return start;
    }

    const uint8_t* emitLink(uint32_t kind)
    {
        Assembler& a = m_assembler;
        const uint8_t* start = here();
        a.pop(temporary64);
        a.mov(address, a.dword[temporary64]);
        if (kind & link_kind::fromAnyPage)
            a.add(address, a.dword[frame + offsetof(TranslatedFrame, linearPage)]);
        a.mov(host, reinterpret_cast<uintptr_t>(m_region.executable(m_region.writable())));
        a.sub(temporary64, host);
        a.lea(temporary, a.ptr[temporary64 * (1 << link_kind::bits) + kind]);
        a.mov(a.inFrame(offsetof(TranslatedFrame, link)), temporary);
        a.mov(a.inProcessor(m_offsets.nextEip), address);
        a.mov(a.dword[frame + offsetof(TranslatedFrame, reason)], static_cast<uint32_t>(LeaveReason::Link));
        a.jmp(m_leave, Assembler::T_NEAR);
        return start;
    }

    // FXSAVE and FXRSTOR of Processor::fxsave, in the form with 32-bit pointers; Xbyak does not know them.
    static constexpr int fxsave = 0;
    static constexpr int fxrstor = 1;
    void emitWithImage(int extension)
    {
        constexpr int rexB = 0x41;
        constexpr int displacement32 = 0x80;
        for (const int byte : { rexB, 0x0f, 0xae, displacement32 | extension << 3 | (processor.getIdx() & 7) })
            m_assembler.db(byte);
        m_assembler.dd(static_cast<uint32_t>(m_offsets.fxsave));
    }

    // The image's own fields are kept: the pointers, which translated code writes there itself (the host's would be
    // those of emitted code), and the mask.
    void emitBringBackFloatingPoint()
    {
        Assembler& a = m_assembler;
        const auto image = [&](size_t member) { return processor + (m_offsets.fxsave + static_cast<int>(member)); };
        Xbyak::Label notLent;
        a.cmp(a.byte[frame + offsetof(TranslatedFrame, floatingPointInHost)], 0);
        a.je(notLent, Assembler::T_NEAR);
        a.movzx(a.edx, a.word[image(offsetof(FxsaveImage, opcode))]);
        a.mov(a.rax, a.ptr[image(offsetof(FxsaveImage, instructionOffset))]);
        a.mov(a.rcx, a.ptr[image(offsetof(FxsaveImage, dataOffset))]);
        a.mov(a.esi, a.dword[image(offsetof(FxsaveImage, mxcsrMask))]);
        emitWithImage(fxsave);
        a.fninit();
        a.ldmxcsr(a.ptr[frame + offsetof(TranslatedFrame, hostMxcsr)]);
        a.mov(a.word[image(offsetof(FxsaveImage, opcode))], a.dx);
        a.mov(a.ptr[image(offsetof(FxsaveImage, instructionOffset))], a.rax);
        a.mov(a.ptr[image(offsetof(FxsaveImage, dataOffset))], a.rcx);
        a.mov(a.dword[image(offsetof(FxsaveImage, mxcsrMask))], a.esi);
        a.mov(a.byte[frame + offsetof(TranslatedFrame, floatingPointInHost)], 0);
        a.L(notLent);
    }

    // XMM8 to XMM15 come from the image's unused part and are never changed.
    const uint8_t* emitLendFloatingPoint()
    {
        Assembler& a = m_assembler;
        const uint8_t* start = here();
        emitWithImage(fxrstor);
        a.mov(a.byte[frame + offsetof(TranslatedFrame, floatingPointInHost)], 1);
        a.ret();
        return start;
    }

    template <class Function> void callFunction(Function function)
    {
        m_assembler.mov(m_assembler.rax, reinterpret_cast<uintptr_t>(function));
        m_assembler.call(m_assembler.rax);
    }

    void saveTemporaries()
    {
        m_assembler.mov(m_assembler.inFrame(offsetof(TranslatedFrame, savedAddress)), address64);
        m_assembler.mov(m_assembler.inFrame(offsetof(TranslatedFrame, savedValue)), m_assembler.r11);
    }
    void restoreTemporaries()
    {
        m_assembler.mov(address64, m_assembler.inFrame(offsetof(TranslatedFrame, savedAddress)));
        m_assembler.mov(m_assembler.r11, m_assembler.inFrame(offsetof(TranslatedFrame, savedValue)));
    }

    // What was called has said whether to go on. The registers in Processor are those from before the instruction.
    void leaveIfTold(int onStack)
    {
        Assembler& a = m_assembler;
        Xbyak::Label goOn;
        a.test(a.eax, a.eax);
        a.jz(goOn);
        a.add(a.rsp, onStack);
        a.jmp(m_leaveStored, Assembler::T_NEAR);
        a.L(goOn);
    }

    const uint8_t* emitSlowAccess(SlowAccess function, bool keepsFlags)
    {
        Assembler& a = m_assembler;
        const uint8_t* start = here();
        store(allRegisters);
        if (keepsFlags) { // as UnitEmitter::saveFlags() does
            a.lahf();
            a.seto(a.al);
            a.mov(a.inProcessor(m_offsets.arithmeticFlags), a.ax);
        }
        saveTemporaries();
        emitBringBackFloatingPoint();
        a.mov(a.rdi, frame);
        a.mov(a.esi, address);
        a.mov(a.edx, temporary);
        a.sub(a.rsp, 8);
        callFunction(function);
        leaveIfTold(16);
        a.add(a.rsp, 8);
        restoreTemporaries();
        a.lea(host, a.inFrame(offsetof(TranslatedFrame, scratch)));
        a.sub(host, address64);
        if (keepsFlags) { // as UnitEmitter::loadFlags() does
            a.movzx(a.eax, a.word[processor + m_offsets.arithmeticFlags]);
            a.add(a.al, 127);
            a.sahf();
        }
        load(changedByCalls);
        a.ret();
        return start;
    }

    const uint8_t* emitCommitWrite()
    {
        Assembler& a = m_assembler;
        const uint8_t* start = here();
        a.pushfq();
        store(changedByCalls);
        saveTemporaries();
        emitBringBackFloatingPoint();
        a.mov(a.rdi, frame);
        a.mov(a.esi, address);
        callFunction(&TranslatorRuntime::commitWrite); // pushfq has aligned the stack
        load(changedByCalls);
        restoreTemporaries();
        a.popfq();
        a.ret();
        return start;
    }

    const uint8_t* emitRunHandler()
    {
        Assembler& a = m_assembler;
        const uint8_t* start = here();
        store(allRegisters);
        emitBringBackFloatingPoint();
        a.mov(a.rdi, frame);
        a.mov(a.rsi, temporary64);
        a.sub(a.rsp, 8);
        callFunction(&TranslatorRuntime::runHandler);
        leaveIfTold(16);
        a.add(a.rsp, 8);
        load(allRegisters);
        a.ret();
        return start;
    }

    const uint8_t* emitKeepAgain(uint8_t kept, MemoryAccess access)
    {
        const uint8_t* start = here();
        m_memoryForm.emitLookupInto(m_assembler, access, kept);
        m_assembler.loadAddressWide(Xbyak::Reg64(kept), { .base = kept, .index = number(address64) });
        m_assembler.ret();
        return start;
    }

    Assembler& m_assembler;
    const MemoryForm& m_memoryForm;
    const CodeRegion& m_region;
    const ProcessorOffsets m_offsets;
    const uint8_t* m_leave = nullptr;
    const uint8_t* m_leaveStored = nullptr; // the same, with the registers already in Processor
};

} // namespace

Thunks emitThunks(Assembler& assembler, const CodeRegion& region, const Processor& guest, const MemoryForm& memoryForm)
{
    return ThunkEmitter(assembler, region, guest, memoryForm).emit();
}

void emitCompareWithTable(Assembler& a)
{
    static_assert(TranslatedFrame::jumpBits == 16);
    a.imul(temporary, address, static_cast<int>(TranslatedFrame::jumpFactor));
    a.shr(temporary, 32 - TranslatedFrame::jumpBits);
    a.add(temporary, temporary);
    a.mov(host, a.inFrame(offsetof(TranslatedFrame, context)));
    a.or_(host, address64);
    a.cmp(host, a.ptr[frame + temporary64 * 8 + jumpTable + offsetof(JumpEntry, key)]);
}

void emitJumpByTable(Assembler& a)
{
    a.jmp(a.ptr[frame + temporary64 * 8 + jumpTable + offsetof(JumpEntry, code)]);
}

void emitJumpThroughTable(Assembler& a, const uint8_t* missing, std::optional<uint32_t> known)
{
    if (!known) {
        emitCompareWithTable(a);
        a.jumpIf(Condition::NotEqual, missing);
        emitJumpByTable(a);
        return;
    }
    constexpr uint8_t compare = 0x3b;
    constexpr uint8_t load = 0x8b;
    const auto inFrame = [](size_t offset) {
        return Assembler::Place { .base = number(frame), .displacement = static_cast<int32_t>(offset) };
    };
    const size_t entry = jumpTable + TranslatedFrame::jumpNumber(*known) * sizeof(JumpEntry);
    a.encodeWide(load, host, inFrame(offsetof(TranslatedFrame, context)));
    a.or_(host, address64);
    a.encodeWide(compare, host, inFrame(entry + offsetof(JumpEntry, key)));
    a.jumpIf(Condition::NotEqual, missing);
    a.jumpThrough(inFrame(entry + offsetof(JumpEntry, code)));
}

} // namespace namsan
