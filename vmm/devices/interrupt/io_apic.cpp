// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/interrupt/io_apic.h"

namespace namsan {

namespace {

// Offsets from the base.
constexpr uint64_t ioRegisterSelect = 0x00;
constexpr uint64_t ioWindow = 0x10;

// Registers behind the window.
constexpr uint8_t identification = 0x00;
constexpr uint8_t versionRegister = 0x01;
constexpr uint8_t arbitration = 0x02;
constexpr uint8_t redirectionTable = 0x10; // two registers for each input
constexpr uint8_t redirectionTableEnd = redirectionTable + 2 * IoApic::inputs;

// Redirection table entries: 3.2.4.
constexpr unsigned deliveryModeShift = 8;
constexpr uint64_t deliveryModeMask = 7 << deliveryModeShift;
constexpr uint64_t logicalDestination = 1 << 11;
constexpr uint64_t activeLow = 1 << 13;
constexpr uint64_t remoteRequest = 1 << 14;
constexpr uint64_t levelTriggered = 1 << 15;
constexpr unsigned destinationShift = 56;
constexpr uint64_t writableLow = 0x0001afff;
constexpr uint64_t writableHigh = uint64_t { 0xff } << destinationShift;

DeliveryMode modeOf(uint64_t entry)
{
    return static_cast<DeliveryMode>((entry & deliveryModeMask) >> deliveryModeShift);
}

// Only interrupts with a vector can be level triggered; whatever else is an edge, whatever the entry says.
bool isLevel(uint64_t entry)
{
    const DeliveryMode mode = modeOf(entry);
    return (entry & levelTriggered) && (mode == DeliveryMode::Fixed || mode == DeliveryMode::LowestPriority);
}

} // namespace

IoApic::IoApic(MmioBus& mmio)
{
    m_entries.fill(masked);
    mmio.claim(address, size, *this);
}

bool IoApic::isActive(unsigned input) const
{
    return (m_levels >> input & 1) != ((m_entries[input] & activeLow) ? 1 : 0);
}

// A masked edge is neither delivered nor held pending (3.2.4, bit 16).
void IoApic::setInterruptInput(unsigned input, bool level)
{
    if (input >= inputs || ((m_levels >> input & 1) != 0) == level)
        return;
    m_levels ^= uint32_t { 1 } << input;
    const uint64_t entry = m_entries[input];
    if (isLevel(entry))
        sendLevel(input);
    else if (isActive(input) && !(entry & masked))
        send(input);
}

void IoApic::sendLevel(unsigned input)
{
    uint64_t& entry = m_entries[input];
    if (!isLevel(entry) || !isActive(input) || (entry & (masked | remoteRequest)))
        return;
    if (send(input))
        entry |= remoteRequest;
}

bool IoApic::send(unsigned input)
{
    const uint64_t entry = m_entries[input];
    if (!m_processors)
        return false;
    return m_processors->send({ .destination = static_cast<uint32_t>(entry >> destinationShift),
        .wide = false,
        .logical = (entry & logicalDestination) != 0,
        .mode = modeOf(entry),
        .vector = static_cast<uint8_t>(entry),
        .levelTriggered = isLevel(entry) });
}

void IoApic::endOfInterrupt(uint8_t vector)
{
    for (unsigned input = 0; input < inputs; ++input) {
        uint64_t& entry = m_entries[input];
        if (static_cast<uint8_t>(entry) != vector || !(entry & remoteRequest))
            continue;
        entry &= ~remoteRequest;
        sendLevel(input);
    }
}

uint64_t IoApic::mmioRead(PhysicalAddress where, unsigned)
{
    switch (where - address) {
    case ioRegisterSelect:
        return m_select;
    case ioWindow:
        return readRegister();
    default:
        return 0;
    }
}

void IoApic::mmioWrite(PhysicalAddress where, unsigned, uint64_t value)
{
    switch (where - address) {
    case ioRegisterSelect:
        m_select = static_cast<uint8_t>(value);
        break;
    case ioWindow:
        writeRegister(static_cast<uint32_t>(value));
        break;
    default:
        break;
    }
}

uint32_t IoApic::readRegister() const
{
    if (m_select >= redirectionTable && m_select < redirectionTableEnd) {
        const unsigned half = m_select - redirectionTable;
        return static_cast<uint32_t>(m_entries[half / 2] >> (32 * (half % 2)));
    }
    switch (m_select) {
    case identification:
    case arbitration:
        return uint32_t { m_id } << 24;
    case versionRegister:
        return version | (inputs - 1) << 16;
    default:
        return 0;
    }
}

void IoApic::writeRegister(uint32_t value)
{
    if (m_select >= redirectionTable && m_select < redirectionTableEnd) {
        const unsigned half = m_select - redirectionTable;
        const uint64_t entry = m_entries[half / 2];
        if (half % 2)
            setEntry(half / 2, (entry & ~writableHigh) | (uint64_t { value } << 32 & writableHigh));
        else
            setEntry(half / 2, (entry & ~writableLow) | (value & writableLow));
    } else if (m_select == identification) {
        m_id = static_cast<uint8_t>(value >> 24 & 0xf);
    }
}

// An entry that becomes an edge waits for no end of interrupt any more.
void IoApic::setEntry(unsigned input, uint64_t entry)
{
    if (!isLevel(entry))
        entry &= ~remoteRequest;
    m_entries[input] = entry;
    sendLevel(input);
}

void IoApic::reset()
{
    m_id = 0;
    m_select = 0;
    m_entries.fill(masked);
}

void IoApic::save(StateWriter& state) const
{
    state.put(m_levels, m_id, m_select, m_entries);
}

Result<void> IoApic::restore(StateReader& state)
{
    uint32_t levels = 0;
    uint8_t id = 0;
    uint8_t select = 0;
    std::array<uint64_t, inputs> entries {};
    if (auto taken = state.takeInto(levels, id, select, entries); !taken)
        return taken;
    bool possible = levels >> inputs == 0 && id <= 0xf;
    for (const uint64_t entry : entries)
        possible = possible && !(entry & ~(writableLow | writableHigh | remoteRequest))
            && (isLevel(entry) || !(entry & remoteRequest));
    if (!possible)
        return StateReader::impossible(name());
    m_levels = levels;
    m_id = id;
    m_select = select;
    m_entries = entries;
    return {};
}

} // namespace namsan
