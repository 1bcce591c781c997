// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/interrupt/pic_8259.h"

namespace namsan {

namespace {
enum Icw1 : uint8_t { needsIcw4 = 1 << 0, single = 1 << 1, initialize = 1 << 4 };
enum Icw4 : uint8_t { automaticEnd = 1 << 1, speciallyNested = 1 << 4 };
enum Ocw2 : uint8_t { endOfInterruptCommand = 1 << 5, specificLevel = 1 << 6, rotatePriorities = 1 << 7 };
enum Ocw3 : uint8_t {
    readInServiceRegister = 1 << 0,
    readRegisterCommand = 1 << 1,
    pollCommand = 1 << 2,
    isOcw3 = 1 << 3,
    specialMaskMode = 1 << 5,
    enableSpecialMaskMode = 1 << 6,
};

constexpr uint8_t maskOf(unsigned input)
{
    return static_cast<uint8_t>(1u << input);
}
} // namespace

void Pic8259::setInput(unsigned input, bool level)
{
    const uint8_t mask = maskOf(input);
    if (level && !(m_inputs & mask))
        m_edges |= mask;
    m_inputs = static_cast<uint8_t>(level ? m_inputs | mask : m_inputs & ~mask);
}

std::optional<unsigned> Pic8259::highestOf(uint8_t levels) const
{
    for (unsigned i = 1; i <= inputs; ++i) {
        const unsigned input = (m_lowest + i) % inputs;
        if (levels & maskOf(input))
            return input;
    }
    return {};
}

std::optional<unsigned> Pic8259::requested() const
{
    const auto request = highestOf(static_cast<uint8_t>(requestRegister() & ~m_masked));
    if (!request)
        return {};
    // Special mask mode: what is in service but masked no longer holds back the others ("Special Mask Mode").
    const auto serving = highestOf(static_cast<uint8_t>(m_specialMask ? m_inService & ~m_masked : m_inService));
    if (!serving || priorityOf(*request) < priorityOf(*serving))
        return request;
    // A slave in service may ask again for one of its higher inputs ("The Special Fully Nest Mode").
    if (*request == *serving && m_speciallyNested && hasSlave(*request))
        return request;
    return {};
}

unsigned Pic8259::acknowledge()
{
    const auto input = requested();
    if (!input)
        return 7;
    m_edges = static_cast<uint8_t>(m_edges & ~maskOf(*input));
    if (!m_automaticEnd)
        m_inService |= maskOf(*input);
    else if (m_rotateOnAutomaticEnd)
        m_lowest = static_cast<uint8_t>(*input);
    return *input;
}

uint8_t Pic8259::poll()
{
    m_poll = false;
    if (!interruptOutput())
        return 0;
    return static_cast<uint8_t>(0x80 | acknowledge());
}

uint8_t Pic8259::readCommand()
{
    if (m_poll)
        return poll();
    return m_readInService ? m_inService : requestRegister();
}

uint8_t Pic8259::readData()
{
    return m_poll ? poll() : m_masked;
}

void Pic8259::writeCommand(uint8_t value)
{
    if (value & initialize)
        startInitialization(value);
    else if (value & isOcw3)
        operationCommand3(value);
    else
        operationCommand2(value);
}

// "Initialization Command Word 1": the list of what happens by itself.
void Pic8259::startInitialization(uint8_t icw1)
{
    m_edges = 0;
    m_masked = 0;
    m_inService = 0;
    m_lowest = 7;
    if (m_position == Position::Slave)
        m_icw3 = 7;
    m_specialMask = false;
    m_readInService = false;
    m_poll = false;
    m_automaticEnd = false;
    m_rotateOnAutomaticEnd = false;
    m_speciallyNested = false;
    m_single = icw1 & single;
    m_icw4Follows = icw1 & needsIcw4;
    m_expected = Expected::Icw2;
}

void Pic8259::writeData(uint8_t value)
{
    switch (m_expected) {
    case Expected::Ocw1:
        m_masked = value;
        return;
    case Expected::Icw2:
        m_vectorBase = value;
        m_expected = !m_single ? Expected::Icw3 : m_icw4Follows ? Expected::Icw4 : Expected::Ocw1;
        return;
    case Expected::Icw3:
        m_icw3 = value;
        m_expected = m_icw4Follows ? Expected::Icw4 : Expected::Ocw1;
        return;
    case Expected::Icw4:
        m_automaticEnd = value & automaticEnd;
        m_speciallyNested = value & speciallyNested;
        m_expected = Expected::Ocw1;
        return;
    }
}

void Pic8259::operationCommand2(uint8_t ocw2)
{
    const bool rotate = ocw2 & rotatePriorities;
    const uint8_t level = ocw2 & 7;
    switch (ocw2 & (endOfInterruptCommand | specificLevel)) {
    case 0:
        m_rotateOnAutomaticEnd = rotate;
        break;
    case endOfInterruptCommand:
        // "Fully Nested Mode": a masked level in service is not ended by this in special mask mode.
        endOfInterrupt(highestOf(static_cast<uint8_t>(m_specialMask ? m_inService & ~m_masked : m_inService)), rotate);
        break;
    case endOfInterruptCommand | specificLevel:
        endOfInterrupt(level, rotate);
        break;
    case specificLevel:
        if (rotate)
            m_lowest = level;
        break;
    }
}

void Pic8259::endOfInterrupt(std::optional<unsigned> input, bool rotate)
{
    if (!input)
        return;
    m_inService = static_cast<uint8_t>(m_inService & ~maskOf(*input));
    if (rotate)
        m_lowest = static_cast<uint8_t>(*input);
}

void Pic8259::operationCommand3(uint8_t ocw3)
{
    if (ocw3 & enableSpecialMaskMode)
        m_specialMask = ocw3 & specialMaskMode;
    if (ocw3 & readRegisterCommand)
        m_readInService = ocw3 & readInServiceRegister;
    if (ocw3 & pollCommand)
        m_poll = true;
}

void Pic8259::reset()
{
    // The inputs are not the chip's to change: those who drive them are reset too.
    const uint8_t inputsBefore = m_inputs;
    *this = Pic8259(m_position);
    m_inputs = inputsBefore;
}

void Pic8259::save(StateWriter& state) const
{
    state.put(m_inputs, m_edges, m_levelTriggered, m_masked, m_inService, m_lowest, m_vectorBase, m_icw3, m_expected);
    state.put(m_single, m_icw4Follows, m_automaticEnd, m_rotateOnAutomaticEnd, m_speciallyNested, m_specialMask,
        m_readInService, m_poll);
}

Result<void> Pic8259::restore(StateReader& state, std::string_view device)
{
    Pic8259 chip(m_position);
    auto taken = state.takeInto(chip.m_inputs, chip.m_edges, chip.m_levelTriggered, chip.m_masked, chip.m_inService,
        chip.m_lowest, chip.m_vectorBase, chip.m_icw3, chip.m_expected, chip.m_single, chip.m_icw4Follows,
        chip.m_automaticEnd, chip.m_rotateOnAutomaticEnd, chip.m_speciallyNested, chip.m_specialMask,
        chip.m_readInService, chip.m_poll);
    if (!taken)
        return taken;
    if (chip.m_lowest >= inputs || chip.m_expected > Expected::Icw4)
        return StateReader::impossible(device);
    *this = chip;
    return {};
}

} // namespace namsan
