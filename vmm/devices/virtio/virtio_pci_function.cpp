// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/virtio/virtio_pci_function.h"

#include "vmm/base/bits.h"

#include <array>
#include <bit>

namespace namsan {

namespace {

constexpr uint16_t virtioVendor = 0x1af4;
constexpr uint16_t firstDeviceId = 0x1040; // plus the type, 4.1.2
constexpr uint16_t subsystem = 0x0040; // any; at least this says that it is not transitional, 4.1.2.1
constexpr uint8_t revision = 1;

// The window of BAR 0 and its parts.
constexpr unsigned bar = 0;
constexpr uint32_t windowSize = 0x4000;
constexpr uint32_t partSize = 0x1000;
constexpr uint32_t commonPart = 0x0000;
constexpr uint32_t interruptPart = 0x1000;
constexpr uint32_t devicePart = 0x2000;
constexpr uint32_t notifyPart = 0x3000;
constexpr uint32_t notifyMultiplier = 4; // bytes between two queues' registers

// Capabilities, 4.1.4.
constexpr uint8_t vendorSpecific = 0x09;
constexpr uint8_t capabilityLength = 16;
constexpr uint8_t longCapabilityLength = 20; // with the notification's multiplier, or a window's data
constexpr uint8_t typeCommon = 1;
constexpr uint8_t typeNotify = 2;
constexpr uint8_t typeInterrupt = 3;
constexpr uint8_t typeDevice = 4;
constexpr uint8_t typePciAccess = 5;
constexpr uint8_t capabilities = 0x40;
constexpr uint8_t pciAccess = capabilities + 3 * capabilityLength + longCapabilityLength; // the last one
constexpr uint8_t pciAccessBar = pciAccess + 4;
constexpr uint8_t pciAccessOffset = pciAccess + 8;
constexpr uint8_t pciAccessLength = pciAccess + 12;
constexpr uint8_t pciAccessData = pciAccess + 16;

// Registers of the common configuration, 4.1.4.3.
constexpr uint32_t deviceFeatureSelect = 0x00;
constexpr uint32_t deviceFeature = 0x04;
constexpr uint32_t driverFeatureSelect = 0x08;
constexpr uint32_t driverFeature = 0x0c;
constexpr uint32_t configMsixVector = 0x10;
constexpr uint32_t numQueues = 0x12;
constexpr uint32_t deviceStatus = 0x14;
constexpr uint32_t configGeneration = 0x15;
constexpr uint32_t queueSelect = 0x16;
constexpr uint32_t queueSize = 0x18;
constexpr uint32_t queueMsixVector = 0x1a;
constexpr uint32_t queueEnable = 0x1c;
constexpr uint32_t queueNotifyOff = 0x1e;
constexpr uint32_t queueDesc = 0x20; // three of 64 bits, reached by their halves
constexpr uint32_t queueDriver = 0x28;
constexpr uint32_t queueDevice = 0x30;
constexpr uint32_t commonSize = 0x38;

constexpr uint32_t noVector = 0xffff;

// The size with which a register of the common configuration is accessed; 0 where none begins.
constexpr unsigned registerSize(uint32_t offset)
{
    if (offset < configMsixVector || (offset >= queueDesc && offset < commonSize))
        return offset % 4 == 0 ? 4 : 0;
    if (offset == deviceStatus || offset == configGeneration)
        return 1;
    return offset < commonSize && offset % 2 == 0 ? 2 : 0;
}

// One half of a register of 64 bits.
uint32_t half(uint64_t value, uint32_t offset)
{
    return static_cast<uint32_t>(offset & 4 ? value >> 32 : value);
}
void setHalf(uint64_t& value, uint32_t offset, uint32_t written)
{
    const unsigned shift = offset & 4 ? 32 : 0;
    value = (value & ~(uint64_t { 0xffffffff } << shift)) | uint64_t { written } << shift;
}

} // namespace

VirtioPciFunction::VirtioPciFunction(
    MmioBus& mmio, GuestMemory& memory, IrqLine& irq, const Identity& identity, VirtioModel& model)
    : m_space(virtioVendor, static_cast<uint16_t>(firstDeviceId + identity.deviceType), identity.classCode, revision)
    , m_window(mmio, windowSize, *this)
    , m_irq(irq)
    , m_model(model)
{
    for (unsigned i = 0; i < identity.queues; ++i)
        m_queues.emplace_back(memory);
    m_space.setWord(pci::subsystemVendorId, virtioVendor);
    m_space.setWord(pci::subsystemId, subsystem);
    m_space.setWord(pci::status, pci::capabilitiesList);
    m_space.setWritableWord(pci::command, pci::busMaster | pci::interruptDisable);
    m_space.addMemoryBar(bar, windowSize, false);
    m_space.setByte(pci::interruptPin, 1); // INTA#
    m_space.setWritable(pci::interruptLine, 0xff);
    m_space.setByte(pci::capabilitiesPointer, capabilities);

    uint8_t at = capabilities;
    at = addCapability(at, typeCommon, capabilityLength, commonPart, commonSize);
    at = addCapability(at, typeInterrupt, capabilityLength, interruptPart, 1);
    at = addCapability(at, typeDevice, capabilityLength, devicePart, partSize);
    m_space.setByte(static_cast<uint8_t>(at + capabilityLength), notifyMultiplier);
    addCapability(at, typeNotify, longCapabilityLength, notifyPart, notifyMultiplier * identity.queues);
    addCapability(pciAccess, typePciAccess, longCapabilityLength, 0, 0);
    m_space.setByte(pciAccess + 1, 0); // the last one
    for (uint8_t offset = pciAccessOffset; offset < pciAccess + longCapabilityLength; ++offset)
        m_space.setWritable(offset, 0xff);
    m_space.setWritable(pciAccessBar, 0xff);
}

// Writes a capability that points to one right behind it, and returns that one's place.
uint8_t VirtioPciFunction::addCapability(uint8_t at, uint8_t type, uint8_t length, uint32_t offset, uint32_t size)
{
    const auto place = [at](unsigned field) { return static_cast<uint8_t>(at + field); };
    m_space.setByte(at, vendorSpecific);
    m_space.setByte(place(1), place(length));
    m_space.setByte(place(2), length);
    m_space.setByte(place(3), type);
    m_space.setByte(place(4), bar);
    m_space.setWord(place(8), static_cast<uint16_t>(offset));
    m_space.setWord(place(12), static_cast<uint16_t>(size));
    return place(length);
}

uint64_t VirtioPciFunction::offeredFeatures() const
{
    return m_model.offeredFeatures() | virtio::version1 | virtio::eventIndex | virtio::indirectDescriptors;
}

bool VirtioPciFunction::running() const
{
    return (m_status & driverOk) && !(m_status & deviceNeedsReset) && (m_space.commandRegister() & pci::busMaster);
}

void VirtioPciFunction::needReset()
{
    constexpr uint8_t configurationChange = 1 << 1; // 4.1.4.5: the driver looks at the status again
    m_status |= deviceNeedsReset;
    m_interruptStatus |= configurationChange;
    driveInterrupt();
}

void VirtioPciFunction::raiseQueueInterrupt()
{
    m_interruptStatus |= 1;
    driveInterrupt();
}

void VirtioPciFunction::driveInterrupt()
{
    m_irq.set(m_interruptStatus && !(m_space.commandRegister() & pci::interruptDisable));
}

uint32_t VirtioPciFunction::readConfiguration(uint8_t offset, Width width)
{
    if (offset - offset % 4 == pciAccessData) { // 4.1.4.9
        const uint32_t length = m_space.read(pciAccessLength, Width::Dword);
        const uint32_t from = m_space.read(pciAccessOffset, Width::Dword);
        if (m_space.byte(pciAccessBar) == bar && (length == 1 || length == 2 || length == 4) && from % length == 0)
            m_space.write(pciAccessData, Width::Dword, static_cast<uint32_t>(readWindow(from, length)));
    }
    return m_space.read(offset, width);
}

void VirtioPciFunction::writeConfiguration(uint8_t offset, Width width, uint32_t value)
{
    m_space.write(offset, width, value);
    if (offset - offset % 4 == pciAccessData) {
        const uint32_t length = m_space.read(pciAccessLength, Width::Dword);
        const uint32_t to = m_space.read(pciAccessOffset, Width::Dword);
        if (m_space.byte(pciAccessBar) == bar && (length == 1 || length == 2 || length == 4) && to % length == 0)
            writeWindow(to, length, m_space.read(pciAccessData, Width::Dword));
        return;
    }
    m_window.moveTo(m_space.barAddress(bar));
    if (offset - offset % 4 == pci::command)
        commandWritten();
}

void VirtioPciFunction::commandWritten()
{
    driveInterrupt();
    // What came while the device was no bus master is still in the rings.
    if (running()) {
        for (unsigned i = 0; i < m_queues.size(); ++i)
            m_model.queueNotified(i);
    }
}

uint64_t VirtioPciFunction::mmioRead(PhysicalAddress address, unsigned size)
{
    return readWindow(static_cast<uint32_t>(address - *m_window.address()), size);
}

void VirtioPciFunction::mmioWrite(PhysicalAddress address, unsigned size, uint64_t value)
{
    writeWindow(static_cast<uint32_t>(address - *m_window.address()), size, value);
}

uint64_t VirtioPciFunction::readWindow(uint32_t offset, unsigned size)
{
    switch (offset - offset % partSize) {
    case commonPart:
        // A 64-bit register may be read in one piece by a processor that can. 4.1.3.1 asks for nothing else.
        if (size == 8 && offset % 8 == 0 && offset >= queueDesc && offset < commonSize)
            return readCommon(offset) | uint64_t { readCommon(offset + 4) } << 32;
        return registerSize(offset) == size ? readCommon(offset) : 0;
    case interruptPart: {
        if (offset != interruptPart)
            return 0;
        const uint8_t value = m_interruptStatus; // reading acknowledges
        m_interruptStatus = 0;
        driveInterrupt();
        return value;
    }
    case devicePart: {
        uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i)
            value |= uint64_t { m_model.configurationByte(offset - devicePart + i) } << (8 * i);
        return value;
    }
    default:
        return 0;
    }
}

void VirtioPciFunction::writeWindow(uint32_t offset, unsigned size, uint64_t value)
{
    switch (offset - offset % partSize) {
    case commonPart:
        if (size == 8 && offset % 8 == 0 && offset >= queueDesc && offset < commonSize) {
            writeCommon(offset, static_cast<uint32_t>(value));
            writeCommon(offset + 4, static_cast<uint32_t>(value >> 32));
        } else if (registerSize(offset) == size) {
            writeCommon(offset, static_cast<uint32_t>(value));
        }
        break;
    case notifyPart: // the address tells the queue; the value is the same number, 4.1.5.2
        notify((offset - notifyPart) / notifyMultiplier);
        break;
    default:
        break;
    }
}

void VirtioPciFunction::notify(unsigned queue)
{
    if (queue < m_queues.size() && running())
        m_model.queueNotified(queue);
}

uint32_t VirtioPciFunction::readCommon(uint32_t offset) const
{
    switch (offset) {
    case deviceFeatureSelect:
        return m_deviceFeatureSelect;
    case deviceFeature:
        return m_deviceFeatureSelect < 2 ? half(offeredFeatures(), m_deviceFeatureSelect * 4) : 0;
    case driverFeatureSelect:
        return m_driverFeatureSelect;
    case driverFeature:
        return m_driverFeatureSelect < 2 ? half(m_driverFeatures, m_driverFeatureSelect * 4) : 0;
    case configMsixVector:
    case queueMsixVector:
        return noVector;
    case numQueues:
        return static_cast<uint32_t>(m_queues.size());
    case deviceStatus:
        return m_status;
    case queueSelect:
        return m_queueSelect;
    default:
        return m_queueSelect < m_queues.size() ? readQueueRegister(offset) : 0;
    }
}

uint32_t VirtioPciFunction::readQueueRegister(uint32_t offset) const
{
    const Virtqueue::Setup& setup = m_queues[m_queueSelect].setup;
    switch (offset) {
    case queueSize:
        return setup.size;
    case queueEnable:
        return setup.enabled;
    case queueNotifyOff:
        return m_queueSelect;
    default:
        break;
    }
    if (offset < queueDesc)
        return 0;
    const uint64_t area = offset < queueDriver ? setup.descriptorArea
        : offset < queueDevice                 ? setup.driverArea
                                               : setup.deviceArea;
    return half(area, offset);
}

void VirtioPciFunction::writeCommon(uint32_t offset, uint32_t value)
{
    switch (offset) {
    case deviceFeatureSelect:
        m_deviceFeatureSelect = value;
        break;
    case driverFeatureSelect:
        m_driverFeatureSelect = value;
        break;
    case driverFeature:
        if (m_driverFeatureSelect < 2 && !(m_status & featuresOk))
            setHalf(m_driverFeatures, m_driverFeatureSelect * 4, value);
        break;
    case deviceStatus:
        writeStatus(static_cast<uint8_t>(value));
        break;
    case queueSelect:
        m_queueSelect = static_cast<uint16_t>(value);
        break;
    default:
        if (m_queueSelect < m_queues.size() && !(m_status & deviceNeedsReset))
            writeQueueRegister(offset, value);
    }
}

void VirtioPciFunction::writeQueueRegister(uint32_t offset, uint32_t value)
{
    Virtqueue::Setup& setup = m_queues[m_queueSelect].setup;
    if (setup.enabled) // only a reset switches a queue off, and nothing moves while it is on: 4.1.4.3.2
        return;
    switch (offset) {
    case queueSize:
        if (std::has_single_bit(value) && value <= Virtqueue::largestSize)
            setup.size = static_cast<uint16_t>(value);
        return;
    case queueEnable:
        setup.enabled = value == 1;
        return;
    default:
        break;
    }
    if (offset < queueDesc)
        return;
    uint64_t& area = offset < queueDriver ? setup.descriptorArea
        : offset < queueDevice            ? setup.driverArea
                                          : setup.deviceArea;
    setHalf(area, offset, value);
}

void VirtioPciFunction::writeStatus(uint8_t value)
{
    if (value == 0) {
        resetByDriver();
        return;
    }
    const bool wasRunning = running();
    const bool featuresAsked = (value & featuresOk) && !(m_status & featuresOk);
    const bool acceptable = !(m_driverFeatures & ~offeredFeatures()) && (m_driverFeatures & virtio::version1);
    if (featuresAsked && !acceptable)
        value = static_cast<uint8_t>(value & ~featuresOk); // 2.2.2: the driver sees it refused
    // Bits are set one after the other, and only a reset clears them.
    m_status = static_cast<uint8_t>(m_status | (value & ~deviceNeedsReset));
    for (Virtqueue& queue : m_queues)
        queue.setFeatures(features() & virtio::eventIndex, features() & virtio::indirectDescriptors);
    if (!wasRunning && running()) {
        for (unsigned i = 0; i < m_queues.size(); ++i)
            m_model.queueNotified(i);
    }
}

void VirtioPciFunction::resetByDriver()
{
    for (Virtqueue& queue : m_queues)
        queue.reset();
    m_driverFeatures = 0;
    m_deviceFeatureSelect = m_driverFeatureSelect = 0;
    m_queueSelect = 0;
    m_status = 0;
    m_interruptStatus = 0;
    driveInterrupt();
    m_model.driverReset();
}

void VirtioPciFunction::reset()
{
    m_space.reset();
    m_window.moveTo(m_space.barAddress(bar));
    resetByDriver();
}

void VirtioPciFunction::save(StateWriter& state) const
{
    m_space.save(state);
    state.put(
        m_driverFeatures, m_deviceFeatureSelect, m_driverFeatureSelect, m_queueSelect, m_status, m_interruptStatus);
    for (const Virtqueue& queue : m_queues) {
        const Virtqueue::Progress progress = queue.progress();
        state.put(queue.setup.descriptorArea, queue.setup.driverArea, queue.setup.deviceArea, queue.setup.size,
            queue.setup.enabled, progress);
    }
}

Result<void> VirtioPciFunction::restore(StateReader& state, std::string_view device)
{
    PciConfigurationSpace space = m_space;
    if (auto restored = space.restore(state, device); !restored)
        return restored;
    uint64_t driverFeatures = 0;
    uint32_t deviceSelect = 0;
    uint32_t driverSelect = 0;
    uint16_t selected = 0;
    uint8_t status = 0;
    uint8_t interruptStatus = 0;
    if (auto taken = state.takeInto(driverFeatures, deviceSelect, driverSelect, selected, status, interruptStatus);
        !taken)
        return taken;
    if ((status & featuresOk) && (driverFeatures & ~offeredFeatures()))
        return StateReader::impossible(device);
    std::vector<std::pair<Virtqueue::Setup, Virtqueue::Progress>> queues(m_queues.size());
    for (auto& [setup, progress] : queues) {
        if (auto taken = state.takeInto(
                setup.descriptorArea, setup.driverArea, setup.deviceArea, setup.size, setup.enabled, progress);
            !taken)
            return taken;
        if (!std::has_single_bit(setup.size) || setup.size > Virtqueue::largestSize || setup.enabled > 1)
            return StateReader::impossible(device);
    }

    m_space = space;
    m_driverFeatures = driverFeatures;
    m_deviceFeatureSelect = deviceSelect;
    m_driverFeatureSelect = driverSelect;
    m_queueSelect = selected;
    m_status = status;
    m_interruptStatus = interruptStatus;
    for (size_t i = 0; i < queues.size(); ++i) {
        m_queues[i].setup = queues[i].first;
        m_queues[i].setProgress(queues[i].second);
        m_queues[i].setFeatures(features() & virtio::eventIndex, features() & virtio::indirectDescriptors);
    }
    m_window.moveTo(m_space.barAddress(bar));
    driveInterrupt();
    return {};
}

} // namespace namsan
