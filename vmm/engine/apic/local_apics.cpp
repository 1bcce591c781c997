// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/apic/local_apics.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

namespace namsan {

namespace {
constexpr unsigned nobody = ~0u;
constexpr uint64_t pageSize = 4096;
} // namespace

// One local APIC with its wires, and what its processor asks for without the lock.
class LocalApics::Chip final : public LocalApicWires {
public:
    Chip(LocalApics& all, unsigned index, LocalApic::Features features, uint64_t tscFrequency)
        : apic(index, features, tscFrequency, *this)
        , m_all(all)
        , m_index(index)
    {
    }

    void setInterruptRequest(bool level) override
    {
        if (std::exchange(m_requesting, level) == level || !processor)
            return;
        processor->setApicRequest(level);
        if (level)
            wake();
    }
    void raiseNmi() override
    {
        if (processor)
            processor->apicNmi();
        wake();
    }
    void initialize() override
    {
        if (processor)
            processor->apicInitialize();
        wake();
    }
    void startUp(uint8_t vector) override
    {
        if (processor)
            processor->apicStartUp(vector);
        wake();
    }
    void send(const InterruptMessage& message, Shorthand shorthand) override
    {
        m_all.route(message, shorthand, m_index);
    }
    void broadcastEndOfInterrupt(uint8_t vector) override { m_all.m_ended = vector; }

    // What may be read without the lock.
    void publish()
    {
        const bool inMemory = apic.isEnabled() && !apic.isX2();
        page.store(inMemory ? apic.base() & apic_base::addressMask : noPage, std::memory_order_relaxed);
        enabled.store(apic.isEnabled(), std::memory_order_relaxed);
    }

    static constexpr uint64_t noPage = ~uint64_t { 0 };
    LocalApic apic;
    ApicProcessor* processor = nullptr;
    uint64_t tscOffset = 0;
    std::atomic<uint64_t> page = apic_base::defaultAddress;
    std::atomic<bool> enabled = true;

private:
    void wake() { m_all.m_toWake |= uint32_t { 1 } << m_index; }

    LocalApics& m_all;
    unsigned m_index;
    bool m_requesting = false;
};

// The lock, and what is to be told once it is free.
class LocalApics::Inside {
public:
    explicit Inside(LocalApics& all)
        : m_all(all)
        , m_guard(all.m_mutex)
    {
    }
    ~Inside()
    {
        uint32_t toWake = std::exchange(m_all.m_toWake, 0);
        const auto deadline = earliest();
        const bool closer = deadline && (!m_all.m_toldDeadline || *deadline < *m_all.m_toldDeadline);
        m_all.m_toldDeadline = deadline;
        m_guard.unlock();
        for (unsigned index = 0; toWake; ++index, toWake >>= 1)
            if ((toWake & 1) && m_all.m_chips[index]->processor)
                m_all.m_chips[index]->processor->wake();
        if (closer && m_all.m_deadlineMoved)
            m_all.m_deadlineMoved(*deadline - m_all.m_clock.now());
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

private:
    std::optional<GuestTime> earliest() const
    {
        std::optional<GuestTime> first;
        for (const auto& chip : m_all.m_chips)
            if (const auto deadline = chip->apic.deadline(); deadline && (!first || *deadline < *first))
                first = deadline;
        return first;
    }

    LocalApics& m_all;
    std::unique_lock<std::mutex> m_guard;
};

LocalApics::LocalApics(unsigned count, LocalApic::Features features, const Clock& clock)
    : m_clock(clock)
{
    for (unsigned index = 0; index < count; ++index)
        m_chips.push_back(std::make_unique<Chip>(*this, index, features, clock.tscFrequency()));
}

LocalApics::~LocalApics() = default;

void LocalApics::connect(unsigned index, ApicProcessor& processor)
{
    m_chips[index]->processor = &processor;
}

ApicTimer::Now LocalApics::now(const Chip& chip) const
{
    return { m_clock.now(), m_clock.tsc() + chip.tscOffset };
}

// -- of one processor ------------------------------------------------------------------------------------------------

bool LocalApics::ownsAddress(unsigned index, uint64_t physical) const
{
    return physical / pageSize * pageSize == m_chips[index]->page.load(std::memory_order_relaxed);
}

bool LocalApics::isEnabled(unsigned index) const
{
    return m_chips[index]->enabled.load(std::memory_order_relaxed);
}

uint64_t LocalApics::read(unsigned index, uint64_t physical, unsigned size)
{
    const Inside inside(*this);
    Chip& chip = *m_chips[index];
    return chip.apic.readMemory(static_cast<uint32_t>(physical % pageSize), size, now(chip));
}

std::optional<uint8_t> LocalApics::write(unsigned index, uint64_t physical, unsigned size, uint64_t value)
{
    const Inside inside(*this);
    Chip& chip = *m_chips[index];
    chip.apic.writeMemory(static_cast<uint32_t>(physical % pageSize), size, value, now(chip));
    return std::exchange(m_ended, {});
}

std::optional<uint64_t> LocalApics::readMsr(unsigned index, uint32_t number)
{
    const Inside inside(*this);
    Chip& chip = *m_chips[index];
    return chip.apic.readMsr(number, now(chip));
}

LocalApics::MsrWrite LocalApics::writeMsr(unsigned index, uint32_t number, uint64_t value)
{
    const Inside inside(*this);
    Chip& chip = *m_chips[index];
    const bool done = chip.apic.writeMsr(number, value, now(chip));
    chip.publish();
    return { done, std::exchange(m_ended, {}) };
}

void LocalApics::setTscOffset(unsigned index, uint64_t offset)
{
    const Inside inside(*this);
    m_chips[index]->tscOffset = offset;
}

std::optional<uint8_t> LocalApics::acknowledge(unsigned index)
{
    const Inside inside(*this);
    return m_chips[index]->apic.acknowledge();
}

LocalApicState LocalApics::save(unsigned index) const
{
    const std::lock_guard guard(m_mutex);
    const Chip& chip = *m_chips[index];
    return chip.apic.save(now(chip));
}

void LocalApics::load(unsigned index, const LocalApicState& state)
{
    const Inside inside(*this);
    Chip& chip = *m_chips[index];
    chip.apic.load(state, now(chip));
    chip.publish();
}

// -- of everybody ----------------------------------------------------------------------------------------------------

void LocalApics::setLocalInput(unsigned index, unsigned pin, bool level)
{
    const Inside inside(*this);
    m_chips[index]->apic.setLocalInput(pin, level);
}

bool LocalApics::send(const InterruptMessage& message)
{
    const Inside inside(*this);
    return route(message, LocalApicWires::Shorthand::None, nobody);
}

bool LocalApics::route(const InterruptMessage& message, LocalApicWires::Shorthand shorthand, unsigned sender)
{
    using enum LocalApicWires::Shorthand;
    std::vector<unsigned> addressed;
    addressed.reserve(m_chips.size());
    for (unsigned index = 0; index < m_chips.size(); ++index) {
        const bool self = index == sender;
        const bool meant = shorthand == None ? m_chips[index]->apic.isAddressed(message)
            : shorthand == Self              ? self
                                : m_chips[index]->apic.isEnabled() && (shorthand != AllExcludingSelf || !self);
        if (meant)
            addressed.push_back(index);
    }
    if (message.mode == DeliveryMode::LowestPriority)
        return deliverToLowestPriority(message, addressed);
    bool accepted = false;
    for (const unsigned index : addressed)
        accepted |= m_chips[index]->apic.accept(message);
    return accepted;
}

// The processor that already has the interrupt, or else the one of lowest priority; among equals, in turn. SDM volume
// 3, 11.6.2.4.
bool LocalApics::deliverToLowestPriority(const InterruptMessage& message, const std::vector<unsigned>& candidates)
{
    const auto rank = [this, &message](unsigned index) {
        const LocalApic& apic = m_chips[index]->apic;
        const auto turn = (index + count() - m_lastArbitrationWinner - 1) % count();
        return std::array<uint32_t, 3> { !apic.isFocusOf(message.vector), apic.processorPriority() >> 4, turn };
    };
    std::optional<unsigned> winner;
    for (const unsigned index : candidates)
        if (m_chips[index]->apic.takesFixed() && (!winner || rank(index) < rank(*winner)))
            winner = index;
    if (!winner)
        return false;
    m_lastArbitrationWinner = *winner;
    return m_chips[*winner]->apic.accept(message);
}

// -- timers ----------------------------------------------------------------------------------------------------------

std::optional<GuestTime> LocalApics::nextDeadline() const
{
    const std::lock_guard guard(m_mutex);
    return m_toldDeadline;
}

void LocalApics::setDeadlineMoved(std::function<void(GuestTime delay)> deadlineMoved)
{
    const std::lock_guard guard(m_mutex);
    m_deadlineMoved = std::move(deadlineMoved);
}

void LocalApics::runDue()
{
    const Inside inside(*this);
    for (const auto& chip : m_chips)
        if (const auto deadline = chip->apic.deadline(); deadline && *deadline <= m_clock.now())
            chip->apic.runTimer(now(*chip));
}

GuestTime LocalApics::lateness() const
{
    const std::lock_guard guard(m_mutex);
    GuestTime latest {};
    for (const auto& chip : m_chips)
        latest = std::max(latest, chip->apic.lateness());
    return latest;
}

} // namespace namsan
