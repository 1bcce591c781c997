// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/apic/local_apic.h"

#include "vmm/engine/apic/local_apic_registers.h"

#include <bit>

namespace namsan {

namespace {

using namespace apic_bit;

constexpr uint8_t firstLegalVector = 16;
constexpr uint32_t priorityClass = 0xf0;

using VectorSet = std::array<uint32_t, 8>;

void insert(VectorSet& set, uint8_t vector)
{
    set[vector / 32] |= uint32_t { 1 } << vector % 32;
}
void erase(VectorSet& set, uint8_t vector)
{
    set[vector / 32] &= ~(uint32_t { 1 } << vector % 32);
}
bool contains(const VectorSet& set, uint8_t vector)
{
    return set[vector / 32] >> vector % 32 & 1;
}
// The vector of highest priority; 0 for none: vectors below 16 are never in a set.
uint8_t highestOf(const VectorSet& set)
{
    for (size_t word = set.size(); word-- > 0;)
        if (set[word])
            return static_cast<uint8_t>(word * 32 + 31 - static_cast<size_t>(std::countl_zero(set[word])));
    return 0;
}

DeliveryMode modeOf(uint32_t entry)
{
    return static_cast<DeliveryMode>((entry & deliveryModeMask) >> deliveryModeShift);
}

} // namespace

LocalApic::LocalApic(uint32_t id, Features features, uint64_t tscFrequency, LocalApicWires& wires)
    : m_features(features)
    , m_wires(wires)
    , m_state(LocalApicState::afterReset(id))
    , m_timer(tscFrequency)
{
}

bool LocalApic::softwareEnabled() const
{
    return m_state.spuriousVector & softwareEnable;
}

// -- the way to the processor ----------------------------------------------------------------------------------------

// SDM volume 3, 11.8.3.1.
uint32_t LocalApic::processorPriority() const
{
    const uint32_t serving = highestOf(m_state.inService) & priorityClass;
    return (m_state.taskPriority & priorityClass) >= serving ? m_state.taskPriority : serving;
}

// A disabled local APIC lets the 8259s' wire through, as if it were not there (11.4.3).
bool LocalApic::externalRequested() const
{
    if (!isEnabled())
        return m_state.localInputs[0];
    const uint32_t lint0 = localVector(LocalVector::Lint0);
    const bool fromWire
        = m_state.localInputs[0] && !(lint0 & masked) && softwareEnabled() && modeOf(lint0) == DeliveryMode::External;
    return fromWire || m_state.externalPending;
}

void LocalApic::driveInterruptRequest()
{
    const bool own
        = isEnabled() && (highestOf(m_state.request) & priorityClass) > (processorPriority() & priorityClass);
    m_wires.setInterruptRequest(own || externalRequested());
}

std::optional<uint8_t> LocalApic::acknowledge()
{
    if (externalRequested()) {
        m_state.externalPending = false;
        driveInterruptRequest();
        return {};
    }
    const uint8_t vector = highestOf(m_state.request);
    // The request may have gone, or the task priority risen, since the processor saw its pin (11.9).
    if (!isEnabled() || (vector & priorityClass) <= (processorPriority() & priorityClass))
        return static_cast<uint8_t>(m_state.spuriousVector);
    erase(m_state.request, vector);
    insert(m_state.inService, vector);
    driveInterruptRequest();
    return vector;
}

void LocalApic::endOfInterrupt()
{
    const uint8_t vector = highestOf(m_state.inService);
    if (!vector)
        return;
    erase(m_state.inService, vector);
    if (contains(m_state.triggerMode, vector)) {
        for (const LocalVector which : { LocalVector::Lint0, LocalVector::Lint1 })
            if (static_cast<uint8_t>(localVector(which)) == vector)
                localVector(which) &= ~remoteRequest;
        m_wires.broadcastEndOfInterrupt(vector);
        setLevelledInput(0);
        setLevelledInput(1);
    }
    driveInterruptRequest();
}

void LocalApic::request(uint8_t vector, bool levelTriggeredMessage)
{
    if (vector < firstLegalVector) {
        reportError(receiveIllegalVector);
        return;
    }
    insert(m_state.request, vector);
    if (levelTriggeredMessage)
        insert(m_state.triggerMode, vector);
    else
        erase(m_state.triggerMode, vector);
    driveInterruptRequest();
}

// An error whose own vector is illegal is one more bit, and not one more interrupt.
void LocalApic::reportError(uint32_t bits)
{
    m_state.errorsSinceWrite |= bits;
    if (m_reportingError)
        return;
    m_reportingError = true;
    raiseLocal(LocalVector::Error);
    m_reportingError = false;
}

void LocalApic::raiseLocal(LocalVector which)
{
    const uint32_t entry = localVector(which);
    if (!isEnabled() || (entry & masked))
        return;
    // Timer and error have no delivery mode: theirs is fixed.
    const DeliveryMode mode
        = which == LocalVector::Timer || which == LocalVector::Error ? DeliveryMode::Fixed : modeOf(entry);
    switch (mode) {
    case DeliveryMode::Fixed:
        request(static_cast<uint8_t>(entry), entry & levelTriggered);
        break;
    case DeliveryMode::Nmi:
        m_wires.raiseNmi();
        break;
    case DeliveryMode::Initialize:
        initialize();
        m_wires.initialize();
        break;
    default: // an SMI to a processor without system management, and what is reserved
        break;
    }
}

void LocalApic::setLocalInput(unsigned pin, bool level)
{
    const bool rises = level && !m_state.localInputs[pin];
    m_state.localInputs[pin] = level;
    const LocalVector which = pin == 0 ? LocalVector::Lint0 : LocalVector::Lint1;
    if (!isEnabled()) {
        if (pin == 1 && rises)
            m_wires.raiseNmi();
    } else if (localVector(which) & levelTriggered) {
        setLevelledInput(pin);
    } else if (rises && modeOf(localVector(which)) != DeliveryMode::External) {
        raiseLocal(which);
    }
    driveInterruptRequest();
}

void LocalApic::setLevelledInput(unsigned pin)
{
    const LocalVector which = pin == 0 ? LocalVector::Lint0 : LocalVector::Lint1;
    uint32_t& entry = localVector(which);
    constexpr uint32_t inTheWay = masked | remoteRequest;
    if (!m_state.localInputs[pin] || !(entry & levelTriggered) || (entry & inTheWay)
        || modeOf(entry) != DeliveryMode::Fixed)
        return;
    entry |= remoteRequest;
    raiseLocal(which);
}

// -- messages --------------------------------------------------------------------------------------------------------

uint32_t LocalApic::logicalDestination() const
{
    return isX2() ? m_state.id >> 4 << 16 | uint32_t { 1 } << (m_state.id & 15) : m_state.logicalDestination;
}

// SDM volume 3, 11.6.2 and 11.12.9. A message with 8 bits of destination and one with 32 speak of the same IDs, but not
// of the same broadcast.
bool LocalApic::isAddressed(const InterruptMessage& message) const
{
    if (!isEnabled())
        return false;
    const uint32_t destination = message.destination;
    if (destination == (message.wide ? 0xffffffff : 0xff))
        return true;
    if (!message.logical)
        return destination == m_state.id;
    if (isX2()) {
        const uint32_t own = logicalDestination();
        return own >> 16 == destination >> 16 && (own & destination & 0xffff);
    }
    const uint32_t own = m_state.logicalDestination >> 24;
    constexpr uint32_t flatModel = 0xf;
    if (m_state.destinationFormat >> 28 == flatModel)
        return own & destination;
    const uint32_t cluster = destination >> 4 & 0xf;
    return (cluster == own >> 4 || cluster == 0xf) && (own & destination & 0xf);
}

bool LocalApic::isFocusOf(uint8_t vector) const
{
    return contains(m_state.inService, vector) || contains(m_state.request, vector);
}

bool LocalApic::accept(const InterruptMessage& message)
{
    switch (message.mode) {
    case DeliveryMode::Fixed:
    case DeliveryMode::LowestPriority:
        if (takesFixed())
            request(message.vector, message.levelTriggered);
        return takesFixed();
    case DeliveryMode::Nmi:
        m_wires.raiseNmi();
        return true;
    case DeliveryMode::Initialize:
        initialize();
        m_wires.initialize();
        return true;
    case DeliveryMode::StartUp:
        m_state.startUpVector = message.vector;
        m_wires.startUp(message.vector);
        return true;
    case DeliveryMode::External:
        if (!takesFixed())
            return false;
        m_state.externalPending = true;
        driveInterruptRequest();
        return true;
    case DeliveryMode::SystemManagement:
    case DeliveryMode::Reserved:
        break;
    }
    return false;
}

// Writing the low half of the ICR sends what it describes. SDM volume 3, 11.6.1 and table 11-3.
void LocalApic::sendCommand()
{
    const auto low = static_cast<uint32_t>(m_state.command);
    InterruptMessage message;
    message.wide = isX2();
    message.destination = static_cast<uint32_t>(m_state.command >> (isX2() ? 32 : 56));
    message.logical = low & apic_bit::logicalDestination;
    message.mode = modeOf(low);
    message.vector = static_cast<uint8_t>(low);
    const auto shorthand = static_cast<LocalApicWires::Shorthand>(low >> shorthandShift & 3);

    // An INIT without its level only made the arbitration IDs equal, long ago.
    if (message.mode == DeliveryMode::Initialize && !(low & assertLevel))
        return;
    const bool carriesVector = message.mode == DeliveryMode::Fixed || message.mode == DeliveryMode::LowestPriority;
    if (carriesVector && message.vector < firstLegalVector) {
        reportError(sendIllegalVector);
        return;
    }
    if (message.mode == DeliveryMode::Reserved || message.mode == DeliveryMode::External)
        return;
    m_wires.send(message, shorthand);
}

// -- timer -----------------------------------------------------------------------------------------------------------

// A masked timer counts, but nobody hears of it.
std::optional<GuestTime> LocalApic::deadline() const
{
    if (!isEnabled() || (localVector(LocalVector::Timer) & masked))
        return {};
    return m_timer.deadline();
}

void LocalApic::runTimer(const ApicTimer::Now& now)
{
    const uint32_t entry = localVector(LocalVector::Timer);
    const bool silent = !isEnabled() || (entry & masked);
    const auto vector = static_cast<uint8_t>(entry);
    const bool due = m_timer.expire(now, silent || !contains(m_state.request, vector));
    if (silent)
        m_timer.forgetMissedTicks(now);
    else if (due)
        raiseLocal(LocalVector::Timer);
}

void LocalApic::updateTimer(const ApicTimer::Now& now)
{
    m_timer.setMode(
        static_cast<ApicTimer::Mode>((localVector(LocalVector::Timer) & timerModeMask) >> timerModeShift), now);
}

// -- whole state -----------------------------------------------------------------------------------------------------

void LocalApic::initialize()
{
    const uint64_t base = m_state.base;
    const auto inputs = m_state.localInputs;
    m_state = LocalApicState::afterReset(m_state.id);
    m_state.base = base;
    m_state.localInputs = inputs;
    m_timer.stop();
    driveInterruptRequest();
}

LocalApicState LocalApic::save(const ApicTimer::Now& now) const
{
    LocalApicState state = m_state;
    state.initialCount = m_timer.initialCount();
    state.currentCount = m_timer.currentCount(now);
    state.divideConfiguration = m_timer.divideConfiguration();
    state.tscDeadline = m_timer.tscDeadline();
    state.missedTicks = static_cast<uint32_t>(m_timer.missedTicks());
    return state;
}

void LocalApic::load(const LocalApicState& state, const ApicTimer::Now& now)
{
    m_state = state;
    const uint32_t entry = localVector(LocalVector::Timer);
    m_timer.resume(static_cast<ApicTimer::Mode>((entry & timerModeMask) >> timerModeShift), state.divideConfiguration,
        state.initialCount, state.currentCount, state.tscDeadline, state.missedTicks, now);
    driveInterruptRequest();
}

} // namespace namsan
