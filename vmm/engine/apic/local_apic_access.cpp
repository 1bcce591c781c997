// SPDX-License-Identifier: GPL-3.0-or-later
// What software reads and writes: a part of LocalApic.
#include "vmm/engine/apic/local_apic.h"
#include "vmm/engine/apic/local_apic_registers.h"

namespace namsan {

namespace {

using namespace apic_bit;

constexpr uint32_t apicBaseMsr = 0x1b;
constexpr uint32_t tscDeadlineMsr = 0x6e0;
constexpr uint32_t firstX2Msr = 0x800;
constexpr uint32_t lastX2Msr = 0x83f;

constexpr uint32_t versionValue = 0x14 | (localVectorCount - 1) << 16; // an xAPIC
constexpr uint32_t writableCommandBits = 0x000ccfff;

// What software may set in each entry of the local vector table. SDM volume 3, figure 11-8.
constexpr std::array<uint32_t, localVectorCount> writableVectorBits {
    0x000100ff | timerModeMask, // with TSC-deadline mode; less without
    0x000107ff, // thermal sensor
    0x000107ff, // performance counters
    0x0001a7ff, // LINT0
    0x0001a7ff, // LINT1
    0x000100ff, // error
};

constexpr bool isIn(unsigned number, unsigned first, unsigned count)
{
    return number - first < count;
}

// In x2APIC mode, reserved bits are looked at. SDM volume 3, 11.12.1.3.
constexpr uint64_t allowedX2Bits(unsigned number)
{
    using namespace apic_register;
    switch (number) {
    case taskPriority:
    case selfIpi:
        return 0xff;
    case endOfInterrupt:
    case errorStatus:
        return 0;
    case spuriousVector:
        return 0x3ff;
    case commandLow:
        return 0xffffffff00000000 | writableCommandBits;
    case initialCount:
        return 0xffffffff;
    case divideConfiguration:
        return 0xb;
    default:
        return isIn(number, localVectors, localVectorCount) ? writableVectorBits[number - localVectors] : 0;
    }
}

constexpr bool isX2Writable(unsigned number)
{
    using namespace apic_register;
    switch (number) {
    case taskPriority:
    case endOfInterrupt:
    case spuriousVector:
    case errorStatus:
    case commandLow:
    case initialCount:
    case divideConfiguration:
    case selfIpi:
        return true;
    default:
        return isIn(number, localVectors, localVectorCount);
    }
}

constexpr bool isX2Readable(unsigned number)
{
    using namespace apic_register;
    switch (number) {
    case id:
    case version:
    case taskPriority:
    case processorPriority:
    case apic_register::logicalDestination:
    case spuriousVector:
    case errorStatus:
    case commandLow:
    case initialCount:
    case currentCount:
    case divideConfiguration:
        return true;
    default:
        return isIn(number, inService, 24) || isIn(number, localVectors, localVectorCount);
    }
}

} // namespace

uint64_t LocalApic::readMemory(uint32_t offset, unsigned size, const ApicTimer::Now& now)
{
    const uint32_t within = offset % 16;
    if (within >= 4)
        return 0;
    const uint64_t value = readRegister(offset / 16, now) >> (8 * within);
    return size >= 4 ? value : value & ((uint64_t { 1 } << (8 * size)) - 1);
}

void LocalApic::writeMemory(uint32_t offset, unsigned size, uint64_t value, const ApicTimer::Now& now)
{
    if (offset % 16 == 0 && size >= 4)
        writeRegister(offset / 16, static_cast<uint32_t>(value), now);
}

uint32_t LocalApic::readRegister(unsigned number, const ApicTimer::Now& now)
{
    using namespace apic_register;
    if (isIn(number, inService, 8))
        return m_state.inService[number - inService];
    if (isIn(number, triggerMode, 8))
        return m_state.triggerMode[number - triggerMode];
    if (isIn(number, apic_register::request, 8))
        return m_state.request[number - apic_register::request];
    if (isIn(number, localVectors, localVectorCount))
        return m_state.localVectors[number - localVectors];
    switch (number) {
    case apic_register::id:
        return isX2() ? m_state.id : m_state.id << 24;
    case version:
        return versionValue;
    case taskPriority:
        return m_state.taskPriority;
    case arbitrationPriority:
    case remoteRead:
        return 0; // xAPICs have neither
    case apic_register::processorPriority:
        return processorPriority();
    case apic_register::logicalDestination:
        return logicalDestination();
    case destinationFormat:
        return m_state.destinationFormat;
    case spuriousVector:
        return m_state.spuriousVector;
    case errorStatus:
        return m_state.errorStatus;
    case commandLow:
        return static_cast<uint32_t>(m_state.command);
    case commandHigh:
        return static_cast<uint32_t>(m_state.command >> 32);
    case initialCount:
        return m_timer.initialCount();
    case currentCount:
        return m_timer.currentCount(now);
    case divideConfiguration:
        return m_timer.divideConfiguration();
    case apic_register::endOfInterrupt:
        return 0;
    default:
        reportError(illegalRegister);
        return 0;
    }
}

void LocalApic::writeRegister(unsigned number, uint32_t value, const ApicTimer::Now& now)
{
    using namespace apic_register;
    if (isIn(number, localVectors, localVectorCount))
        return writeLocalVector(number - localVectors, value, now);
    switch (number) {
    case taskPriority:
        m_state.taskPriority = value & 0xff;
        return driveInterruptRequest();
    case apic_register::endOfInterrupt:
        return endOfInterrupt();
    case apic_register::logicalDestination:
        m_state.logicalDestination = value & 0xff000000;
        return;
    case destinationFormat:
        m_state.destinationFormat = value | 0x0fffffff;
        return;
    case spuriousVector:
        return writeSpuriousVector(value, now);
    case errorStatus:
        m_state.errorStatus = std::exchange(m_state.errorsSinceWrite, 0);
        return;
    case commandLow:
        m_state.command = (m_state.command & 0xffffffff00000000) | (value & writableCommandBits);
        return sendCommand();
    case commandHigh:
        m_state.command = uint64_t { value & 0xff000000 } << 32 | static_cast<uint32_t>(m_state.command);
        return;
    case initialCount:
        runTimer(now);
        return m_timer.setInitialCount(value, now);
    case divideConfiguration:
        runTimer(now);
        return m_timer.setDivideConfiguration(value, now);
    case apic_register::id: // fixed, as on processors with several cores
    case version:
    case arbitrationPriority:
    case apic_register::processorPriority:
    case remoteRead:
    case currentCount:
        return;
    default:
        if (!isIn(number, inService, 24))
            reportError(illegalRegister);
    }
}

// While the APIC is disabled by software, all entries stay masked (11.4.7.2).
void LocalApic::writeLocalVector(unsigned index, uint32_t value, const ApicTimer::Now& now)
{
    runTimer(now);
    uint32_t writable = writableVectorBits[index];
    const auto which = static_cast<LocalVector>(index);
    if (which == LocalVector::Timer && !m_features.tscDeadline)
        writable &= ~(2u << timerModeShift);
    uint32_t& entry = m_state.localVectors[index];
    entry = (entry & remoteRequest) | (value & writable) | (softwareEnabled() ? 0 : masked);
    if (!(entry & levelTriggered))
        entry &= ~remoteRequest;
    if (which == LocalVector::Timer)
        updateTimer(now);
    if (which == LocalVector::Lint0 || which == LocalVector::Lint1)
        setLevelledInput(which == LocalVector::Lint0 ? 0 : 1);
    driveInterruptRequest();
}

void LocalApic::writeSpuriousVector(uint32_t value, const ApicTimer::Now& now)
{
    runTimer(now);
    m_state.spuriousVector = value & 0x3ff; // with the focus bit, which does nothing
    if (!softwareEnabled())
        for (uint32_t& entry : m_state.localVectors)
            entry |= masked;
    driveInterruptRequest();
}

// -- model-specific registers ----------------------------------------------------------------------------------------

std::optional<uint64_t> LocalApic::readMsr(uint32_t number, const ApicTimer::Now& now)
{
    if (number == apicBaseMsr)
        return m_state.base;
    if (number == tscDeadlineMsr && m_features.tscDeadline)
        return m_timer.tscDeadline();
    if (!isX2() || number < firstX2Msr || number > lastX2Msr || !isX2Readable(number - firstX2Msr))
        return {};
    if (number - firstX2Msr == apic_register::commandLow)
        return m_state.command;
    return readRegister(number - firstX2Msr, now);
}

bool LocalApic::writeMsr(uint32_t number, uint64_t value, const ApicTimer::Now& now)
{
    if (number == apicBaseMsr)
        return writeBase(value, now);
    if (number == tscDeadlineMsr && m_features.tscDeadline) {
        runTimer(now);
        m_timer.setTscDeadline(value, now);
        return true;
    }
    if (!isX2() || number < firstX2Msr || number > lastX2Msr)
        return false;
    return writeX2Register(number - firstX2Msr, value, now);
}

bool LocalApic::writeX2Register(unsigned number, uint64_t value, const ApicTimer::Now& now)
{
    if (!isX2Writable(number) || (value & ~allowedX2Bits(number)))
        return false;
    switch (number) {
    case apic_register::commandLow:
        m_state.command = value;
        sendCommand();
        return true;
    case apic_register::selfIpi: {
        InterruptMessage message;
        message.vector = static_cast<uint8_t>(value);
        message.wide = true;
        if (message.vector < 16)
            reportError(sendIllegalVector);
        else
            m_wires.send(message, LocalApicWires::Shorthand::Self);
        return true;
    }
    default:
        writeRegister(number, static_cast<uint32_t>(value), now);
        return true;
    }
}

// SDM volume 3, 11.12.5 and figure 11-27: the ways between disabled, xAPIC and x2APIC.
bool LocalApic::writeBase(uint64_t value, const ApicTimer::Now& now)
{
    using namespace apic_base;
    constexpr uint64_t known = addressMask | bootProcessor | globalEnable;
    if (value & ~(known | (m_features.x2Apic ? x2ApicEnable : 0)))
        return false;
    const uint64_t before = m_state.base & (globalEnable | x2ApicEnable);
    const uint64_t after = value & (globalEnable | x2ApicEnable);
    constexpr uint64_t x2 = globalEnable | x2ApicEnable;
    if (after == x2ApicEnable || (before == x2 && after == globalEnable) || (before == 0 && after == x2))
        return false;
    runTimer(now);
    // The boot processor's bit is the hardware's.
    m_state.base = (value & ~bootProcessor) | (m_state.base & bootProcessor);
    if (before != 0 && after == 0)
        initialize(); // SDM volume 3, 11.4.7.1: as after power-on when it is enabled again
    if (after == x2 && before != x2)
        m_state.command = 0;
    driveInterruptRequest();
    return true;
}

} // namespace namsan
