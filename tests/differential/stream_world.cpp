// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/stream_world.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <vector>

namespace namsan {

namespace {

constexpr uint32_t kernelPages = 0x3f0000; // where no stream reaches but by accident
constexpr uint32_t pageDirectory = kernelPages + 0x1000;
constexpr uint32_t pageTable = kernelPages + 0x2000;
constexpr uint32_t gdt = kernelPages + 0x3000;
constexpr uint32_t idt = kernelPages + 0x4000;
constexpr uint32_t tss = kernelPages + 0x5000;
constexpr uint32_t memorySize = 4 << 20;

constexpr uint32_t present = 1, writable = 2, user = 4;
constexpr uint32_t accessedAndDirty = 0x60;

constexpr uint16_t kernelCode = 0x08, kernelData = 0x10, userCode = 0x1b, userData = 0x23, taskState = 0x28;
constexpr unsigned vectors = 32;
constexpr uint32_t pageFault = 14;
constexpr uint32_t pageFaultHandler = kernelPages + 0x9000;
constexpr uint32_t ownedByStreams = 0x200; // a bit of page table entries that is the kernel's own

template <class T> void put(GuestMemory& memory, PhysicalAddress at, T value)
{
    std::memcpy(memory.host(at), &value, sizeof value);
}

constexpr uint64_t gateTo(uint32_t handler)
{
    return uint64_t { handler >> 16 } << 48 | uint64_t { 0xee00 } << 32 | uint64_t { kernelCode } << 16
        | (handler & 0xffff);
}

SegmentState segmentOf(uint16_t selector)
{
    constexpr uint32_t unusable = 1 << 16;
    switch (selector) {
    case StreamWorld::basedData:
        return { selector, 0xc0f3, StreamWorld::base, 0xffffffff };
    case StreamWorld::limitedData:
        return { selector, 0xc0f3, 0, 0x280fff };
    case 0:
        return { 0, unusable, 0, 0 };
    default:
        return { userData, 0xc0f3, 0, 0xffffffff };
    }
}

bool pushesErrorCode(uint32_t vector)
{
    return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

} // namespace

StreamWorld::StreamWorld(Kind kind)
    : m_kind(kind)
{
    auto memory = GuestMemory::create(memorySize);
    if (!memory)
        throw std::runtime_error(memory.error().message);
    m_memory = std::move(*memory);
    makeTables();
    put<uint32_t>(*m_memory, pageDirectory, pageTable | present | writable | user | accessedAndDirty);
    for (uint32_t page = 0; page < 16; ++page)
        map(kernelPages + page * 4096, present | writable);
    for (uint32_t number = 0; number < pages; ++number) {
        const bool code = number < nativeStreamCodePages;
        if (!code || kind != Kind::Sealed)
            map(addressOfPage(number), present | user | (code ? 0 : writable));
    }
    m_memory->fill(nativeStreamCodePage, nativeStreamCodePages * 4096, 0xcc);
    if (kind == Kind::System)
        makePageFaultHandler();
}

uint32_t StreamWorld::addressOfPage(uint32_t number)
{
    return number < nativeStreamCodePages ? nativeStreamCodePage + number * 4096
                                          : nativeStreamMemory + (number - nativeStreamCodePages) * 4096;
}

void StreamWorld::putRights(const NativeStream& stream)
{
    for (uint32_t number = 0; m_kind == Kind::System && number < pages; ++number) {
        const uint32_t given = stream.pageRights ? stream.pageRights >> (2 * number) & 3 : present | writable;
        put<uint32_t>(*m_memory, pageTable + addressOfPage(number) / 4096 * 4,
            addressOfPage(number) | given | user | ownedByStreams);
    }
}

bool StreamWorld::putRight(uint32_t linear)
{
    if (m_kind != Kind::System || linear >= memorySize)
        return false;
    uint32_t entry;
    const PhysicalAddress place = pageTable + linear / 4096 * 4;
    std::memcpy(&entry, m_memory->host(place), sizeof entry);
    if (!(entry & ownedByStreams) || (entry & (present | writable)) == (present | writable))
        return false;
    put<uint32_t>(*m_memory, place, entry | present | writable);
    return true;
}

// The same as guest code. It works through SS, which is the kernel's own, whatever the stream has put into the others.
void StreamWorld::makePageFaultHandler()
{
    std::vector<uint8_t> code;
    const auto add = [&code](std::initializer_list<uint8_t> bytes) { code.insert(code.end(), bytes); };
    const auto addAddress = [&code](uint32_t value) {
        for (unsigned n = 0; n < 4; ++n)
            code.push_back(static_cast<uint8_t>(value >> (8 * n)));
    };
    add({ 0x50, 0x51, 0x0f, 0x20, 0xd0, 0x3d }); // push eax; push ecx; mov eax,cr2; cmp eax,
    addAddress(memorySize);
    add({ 0x73, 38 }); // jae refusal
    add({ 0x89, 0xc1, 0xc1, 0xe9, 0x0c }); // mov ecx,eax; shr ecx,12
    add({ 0x36, 0xf7, 0x04, 0x8d }); // test dword ss:[ecx*4+pageTable],
    addAddress(pageTable);
    addAddress(ownedByStreams);
    add({ 0x74, 19 }); // jz refusal
    add({ 0x36, 0x83, 0x0c, 0x8d }); // or dword ss:[ecx*4+pageTable],present|writable
    addAddress(pageTable);
    add({ present | writable });
    add({ 0x36, 0x0f, 0x01, 0x38 }); // invlpg ss:[eax]
    add({ 0x59, 0x58, 0x83, 0xc4, 0x04, 0xcf }); // pop ecx; pop eax; add esp,4; iret
    add({ 0x59, 0x58, 0xe9 }); // refusal: pop ecx; pop eax; jmp to where page faults end
    addAddress(handlers + 16 * pageFault - (pageFaultHandler + static_cast<uint32_t>(code.size()) + 4));
    m_memory->write(pageFaultHandler, code);
    put<uint64_t>(*m_memory, idt + 8 * pageFault, gateTo(pageFaultHandler));
}

void StreamWorld::map(uint32_t address, uint32_t rights)
{
    put<uint32_t>(*m_memory, pageTable + address / 4096 * 4, address | rights | accessedAndDirty);
}

void StreamWorld::makeTables()
{
    put<uint64_t>(*m_memory, gdt + kernelCode, 0x00cf9b000000ffff);
    put<uint64_t>(*m_memory, gdt + kernelData, 0x00cf93000000ffff);
    put<uint64_t>(*m_memory, gdt + (userCode & ~7u), 0x00cffb000000ffff);
    put<uint64_t>(*m_memory, gdt + (userData & ~7u), 0x00cff3000000ffff);
    put<uint64_t>(*m_memory, gdt + (basedData & ~7u), 0x00cff3000000ffff | uint64_t { base } << 16);
    put<uint64_t>(*m_memory, gdt + (limitedData & ~7u), 0x00c0f30000000280);
    put<uint64_t>(*m_memory, gdt + taskState, 0x00008b0000000067 | uint64_t { tss & 0xffffff } << 16);
    for (uint32_t vector = 0; vector < vectors; ++vector) {
        const uint32_t handler = handlers + 16 * vector;
        put<uint8_t>(*m_memory, handler, 0xf4);
        put<uint64_t>(*m_memory, idt + 8 * vector, gateTo(handler));
    }
    put<uint32_t>(*m_memory, tss + 4, kernelStack);
    put<uint32_t>(*m_memory, tss + 8, kernelData);
    put<uint16_t>(*m_memory, tss + 102, 0xffff); // no I/O permission bitmap
}

void StreamWorld::putMemory(const NativeStream& stream)
{
    std::copy_n(stream.memory, nativeStreamMemoryBytes, m_memory->host(nativeStreamMemory));
}

void StreamWorld::takeMemory(NativeStream& stream) const
{
    std::copy_n(m_memory->host(nativeStreamMemory), nativeStreamMemoryBytes, stream.memory);
}

void StreamWorld::putCode(const NativeStream& stream)
{
    m_memory->write(stream.codeAddress, stream.code);
}

void StreamWorld::eraseCode(const NativeStream& stream)
{
    if (m_kind == Kind::System) // may have written anywhere in it
        m_memory->fill(nativeStreamCodePage, nativeStreamCodePages * 4096, 0xcc);
    else
        m_memory->fill(stream.codeAddress, nativeStreamCodeBytes, 0xcc);
}

void StreamWorld::takeCode(NativeStream& stream) const
{
    m_memory->read(stream.codeAddress, stream.code);
}

bool StreamWorld::codeDiffers(const NativeStream& stream) const
{
    // All memory is in one piece.
    return std::memcmp(stream.code, m_memory->host(stream.codeAddress), sizeof stream.code) != 0;
}

CpuState StreamWorld::stateBefore(const NativeStream& stream) const
{
    CpuState state;
    state.cr0
        = cr0::protectionEnable | cr0::monitorCoprocessor | cr0::extensionType | cr0::numericError | cr0::writeProtect;
    state.cr4 = cr4::fxsave | cr4::simdExceptions;
    state.gdtr = { gdt, 0xff };
    state.idtr = { idt, vectors * 8 - 1 };
    state.tr = { taskState, 0x8b, tss, 0x67 };
    if (m_kind == Kind::Bare) {
        state.segments.fill({ kernelData, 0xc093, 0, 0xffffffff });
        state.segments[Cs] = { kernelCode, 0xc09b, 0, 0xffffffff };
    } else {
        state.cr0 |= cr0::paging;
        state.cr3 = pageDirectory;
        for (unsigned index = Es; index <= Gs; ++index)
            state.segments[index] = segmentOf(stream.selectors[Cs] ? stream.selectors[index] : userData);
        state.segments[Cs] = { userCode, 0xc0fb, 0, 0xffffffff };
    }
    std::copy_n(stream.gpr, 8, state.gpr.begin());
    state.eip = stream.eip;
    state.eflags = stream.eflags | eflags::interruptEnable | eflags::alwaysOne;
    std::copy_n(stream.fxsave, 512, state.fxsave.bytes.begin());
    return state;
}

void StreamWorld::takeEnd(const CpuState& state, NativeStream& stream) const
{
    std::copy(state.gpr.begin(), state.gpr.end(), stream.gpr);
    std::copy_n(state.fxsave.bytes.begin(), 512, stream.fxsave);
    takeMemory(stream);
    takeCode(stream);
    for (unsigned index = Es; index <= Gs; ++index)
        stream.selectors[index] = state.segments[index].selector;
    stream.done = 1;
    if (m_kind == Kind::Bare && (state.eip - handlers) / 16 >= vectors) {
        stream.trap = 3;
        stream.errorCode = stream.cr2 = 0;
        stream.eip = state.eip - 1;
        stream.eflags = state.eflags;
        return;
    }
    stream.trap = (state.eip - 1 - handlers) / 16;
    const auto pushed = [&](uint32_t index) {
        uint32_t value = ~0u; // a fault that should not have been may find the stack anywhere
        if (const uint8_t* at = m_memory->host(state.gpr[Esp] + 4 * index))
            std::memcpy(&value, at, sizeof value);
        return value;
    };
    const uint32_t frame = pushesErrorCode(stream.trap) ? 1 : 0;
    stream.errorCode = frame ? pushed(0) : 0;
    stream.cr2 = stream.trap == 14 ? state.cr2 : 0;
    stream.eip = pushed(frame) - (stream.trap == 3 ? 1 : 0);
    stream.eflags = pushed(frame + 2);
    if (m_kind == Kind::Bare) {
        stream.gpr[Esp] = state.gpr[Esp] + 4 * (frame + 3);
        return;
    }
    stream.gpr[Esp] = pushed(frame + 3);
    // CS and SS are the kernel's now; the stream's are on its stack.
    stream.selectors[Cs] = static_cast<uint16_t>(pushed(frame + 1));
    stream.selectors[Ss] = static_cast<uint16_t>(pushed(frame + 4));
}

} // namespace namsan
