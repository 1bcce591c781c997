// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/session/session_rig.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace namsan {

namespace {

constexpr uint32_t gdtAddress = 0x1000;
constexpr uint32_t idtAddress = 0x2000;
constexpr uint32_t tssAddress = 0x1800;
constexpr uint32_t kernelStack = 0x80000; // of the TSS
constexpr uint16_t codeSelector = 8;
constexpr uint16_t dataSelector = 16;
constexpr uint16_t tssSelector = 0x28;

// Kicks a vCPU that takes too long.
class Watchdog {
public:
    Watchdog(Vcpu& vcpu, std::chrono::milliseconds limit)
        : m_thread([this, &vcpu, limit] {
            std::unique_lock lock(m_mutex);
            if (m_changed.wait_for(lock, limit, [this] { return m_done; }))
                return;
            m_bitten = true;
            vcpu.kick();
        })
    {
    }
    // Whether it had to.
    bool call()
    {
        {
            const std::lock_guard guard(m_mutex);
            m_done = true;
            m_changed.notify_all();
        }
        m_thread.join();
        return m_bitten;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_done = false;
    bool m_bitten = false;
    std::thread m_thread;
};

} // namespace

uint32_t RigBus::portIn(Port port, Width width)
{
    const uint32_t value = onPortIn ? onPortIn(port) : 0x87654321;
    portReads.push_back({ port, bytesOf(width), value });
    return value;
}

void RigBus::portOut(Port port, Width width, uint32_t value)
{
    portWrites.push_back({ port, bytesOf(width), value });
    if (onPortOut)
        onPortOut(port, value);
}

uint64_t RigBus::mmioRead(PhysicalAddress address, unsigned size)
{
    const uint64_t value = 0x1122334455667788;
    mmioReads.push_back({ address, size, value });
    return value;
}

void RigBus::mmioWrite(PhysicalAddress address, unsigned size, uint64_t value)
{
    mmioWrites.push_back({ address, size, value });
}

uint8_t RigBus::acknowledgeInterrupt()
{
    ++acknowledged;
    if (onAcknowledge)
        onAcknowledge();
    return vector;
}

SessionRig::SessionRig(const Engine& engine)
    : memory(std::move(*GuestMemory::create(memorySize)))
{
    if (!memory->addTrackedRegion(trackedBase, 16 * GuestMemory::pageSize))
        trouble = "no tracked region";
    auto made = engine.make(*memory, clock, CpuModel::standard(), bus);
    if (!made) {
        trouble = made.error().message;
        return;
    }
    session = std::move(*made);
    bus.onAcknowledge = [this] { vcpu().setInterruptRequest(false); };
}

void SessionRig::makeTables(bool realMode)
{
    m_real = realMode;
    for (unsigned vector = 0; vector < 256; ++vector) {
        const uint32_t handler = handlersAddress + 16 * vector;
        write<uint8_t>(handler, 0xf4);
        if (realMode)
            write<uint32_t>(4 * vector, handler); // 0000:handler
        else // an interrupt gate that user mode may call
            write<uint64_t>(idtAddress + 8 * vector,
                uint64_t { handler >> 16 } << 48 | uint64_t { 0xee00 } << 32 | codeSelector << 16 | (handler & 0xffff));
    }
    write<uint64_t>(gdtAddress + codeSelector, 0x00cf9b000000ffff);
    write<uint64_t>(gdtAddress + dataSelector, 0x00cf93000000ffff);
    write<uint64_t>(gdtAddress + (userCode & ~7u), 0x00cffb000000ffff);
    write<uint64_t>(gdtAddress + (userData & ~7u), 0x00cff3000000ffff);
    write<uint64_t>(gdtAddress + tssSelector, 0x00008b0000000067 | uint64_t { tssAddress } << 16);
    write<uint32_t>(tssAddress + 4, kernelStack);
    write<uint32_t>(tssAddress + 8, dataSelector);
    write<uint32_t>(tssAddress + 100, 0x68u << 16); // no I/O permission bitmap
}

void SessionRig::flat32(std::vector<uint8_t> code)
{
    if (!m_real)
        makeTables(false);
    state = CpuState::afterReset();
    state.cr0 = cr0::extensionType | cr0::protectionEnable | cr0::numericError;
    state.cr4 = cr4::fxsave | cr4::simdExceptions;
    state.gdtr = { gdtAddress, 0xff };
    state.idtr = { idtAddress, 256 * 8 - 1 };
    for (SegmentState& segment : state.segments)
        segment = { dataSelector, 0xc093, 0, 0xffffffff };
    state.segments[Cs] = { codeSelector, 0xc09b, 0, 0xffffffff };
    state.tr = { tssSelector, 0x8b, tssAddress, 0x67 };
    state.eip = codeAddress;
    state.gpr[Esp] = stackTop;
    code.push_back(0xf4);
    store(codeAddress, std::move(code));
}

void SessionRig::paged32(std::vector<uint8_t> code)
{
    flat32(std::move(code));
    constexpr uint32_t presentWritableUser = 7;
    for (uint32_t table = 0; table < 2; ++table) {
        const uint32_t tableAddress = pageDirectory + (table + 1) * 0x1000;
        write<uint32_t>(pageDirectory + 4 * table, tableAddress | presentWritableUser);
        for (uint32_t page = 0; page < 1024; ++page)
            write<uint32_t>(tableAddress + 4 * page, (table << 22 | page << 12) | presentWritableUser);
    }
    state.cr3 = pageDirectory;
    state.cr0 |= cr0::paging | cr0::writeProtect;
}

void SessionRig::setPage(uint32_t linear, uint32_t entry)
{
    write<uint32_t>(pageDirectory + 0x1000 + (linear >> 12) * 4, entry);
}

void SessionRig::real16(std::vector<uint8_t> code)
{
    makeTables(true);
    state = CpuState::afterReset();
    state.cr0 = cr0::extensionType;
    state.idtr = { 0, 0x3ff };
    for (SegmentState& segment : state.segments)
        segment = { dataAddress >> 4, 0x93, dataAddress, 0xffff };
    state.segments[Cs] = { codeAddress >> 4, 0x9b, codeAddress, 0xffff };
    state.segments[Ss] = { 0x8000, 0x93, 0x80000, 0xffff };
    state.eip = 0;
    state.gpr[Esp] = 0xfff0;
    code.push_back(0xf4);
    store(codeAddress, std::move(code));
}

SessionRig::End SessionRig::run()
{
    vcpu().load(state);
    return goOn();
}

SessionRig::End SessionRig::goOn()
{
    Watchdog watchdog(vcpu(), longEnough);
    const VcpuExit exit = vcpu().run();
    const bool tooLong = watchdog.call();
    state = vcpu().save();
    switch (exit.reason) {
    case VcpuExit::Reason::Kicked:
        return tooLong ? End::TimeOut : End::Kicked;
    case VcpuExit::Reason::Halted:
        return End::Halted;
    case VcpuExit::Reason::TripleFault:
        return End::TripleFault;
    case VcpuExit::Reason::Failed:
        break;
    }
    failure = exit.why;
    return End::Failed;
}

std::optional<unsigned> SessionRig::raised() const
{
    const uint32_t linear = state.segments[Cs].base + state.eip - 1;
    if (linear < handlersAddress || linear >= handlersAddress + 16 * 256 || linear % 16)
        return {};
    return (linear - handlersAddress) / 16;
}

uint32_t SessionRig::pushed(unsigned index)
{
    const uint32_t stack = state.segments[Ss].base + state.gpr[Esp];
    return m_real ? read<uint16_t>(stack + 2 * index) : read<uint32_t>(stack + 4 * index);
}

void Verdict::ends(SessionRig& rig, SessionRig::End found, SessionRig::End wanted)
{
    if (found == wanted)
        return;
    constexpr const char* names[] = { "kicked", "halted", "in a triple fault", "failed", "never" };
    std::string raised = rig.raised() ? fmt::format(" in the handler of vector {}", *rig.raised()) : "";
    add(fmt::format("ended {}, not {}, at {:04x}:{:08x}{}{}", names[static_cast<size_t>(found)],
        names[static_cast<size_t>(wanted)], rig.state.segments[Cs].selector, rig.state.eip, raised,
        found == SessionRig::End::Failed ? ": " + rig.failure : ""));
}

void Verdict::raises(SessionRig& rig, SessionRig::End found, unsigned vector)
{
    ends(rig, found, SessionRig::End::Halted);
    if (found != SessionRig::End::Halted)
        return;
    if (!rig.raised())
        add(fmt::format("vector {} was not raised; it ended at {:08x}", vector, rig.state.eip));
    else if (*rig.raised() != vector)
        add(fmt::format("vector {} was raised, not {}; on the stack {:x} {:x}", *rig.raised(), vector, rig.pushed(0),
            rig.pushed(1)));
}

void Verdict::halts(SessionRig& rig, SessionRig::End found)
{
    ends(rig, found, SessionRig::End::Halted);
    if (found == SessionRig::End::Halted && rig.raised())
        add(fmt::format("vector {} was raised, return address {:08x}", *rig.raised(), rig.pushed(0)));
}

} // namespace namsan
