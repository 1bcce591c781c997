// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/network/virtio_network.h"

#include "vmm/devices/network/internet_checksum.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace namsan {

namespace {

constexpr uint16_t networkCard = 1; // VIRTIO 1.2, chapter 5
constexpr uint32_t ethernetClass = 0x020000;

// Feature bits, 5.1.3.
constexpr uint64_t checksumBySender = 1 << 0; // VIRTIO_NET_F_CSUM
constexpr uint64_t checksumKnownGood = 1 << 1; // VIRTIO_NET_F_GUEST_CSUM
constexpr uint64_t macAddress = 1 << 5;
constexpr uint64_t largeTcpSent = 1 << 11; // VIRTIO_NET_F_HOST_TSO4
constexpr uint64_t mergedBuffers = 1 << 15; // VIRTIO_NET_F_MRG_RXBUF
constexpr uint64_t linkStatus = 1 << 16;
constexpr uint64_t hasControlQueue = 1 << 17;
constexpr uint64_t receiveModes = 1 << 18;
constexpr uint64_t moreReceiveModes = 1 << 20;
constexpr uint64_t addressCanBeSet = 1 << 23;

// Device configuration, 5.1.4: address, link status.
constexpr uint32_t statusOffset = 6;
constexpr uint8_t linkUp = 1;

// The header before each frame, 5.1.6: flags, kind of segmentation, header length (2), segment size (2), where the
// checksum starts (2) and, from there, is stored (2), number of merged buffers (2).
constexpr size_t headerSize = 12;
constexpr size_t checksumStartOffset = 6;
constexpr size_t checksumStoreOffset = 8;
constexpr size_t bufferCountOffset = 10;
constexpr uint8_t needsChecksum = 1; // flags
constexpr uint8_t checksumValid = 2;
constexpr uint8_t segmentationNone = 0;
constexpr uint8_t segmentationTcp4 = 1;
constexpr uint8_t congestionBit = 0x80; // of the kind of segmentation

constexpr size_t ethernetHeader = 14;

// Control queue, 5.1.6.5.
constexpr uint8_t accepted = 0;
constexpr uint8_t refused = 1;
constexpr size_t longestCommand = 2 + 2 * 4 + 2 * 4096 * sizeof(MacAddress);

uint16_t wordAt(std::span<const uint8_t> bytes, size_t offset)
{
    return static_cast<uint16_t>(bytes[offset] | bytes[offset + 1] << 8);
}

// The bytes of a buffer's readable pieces, whose number has been looked at.
NetworkFrame gather(const GuestMemory& memory, const VirtqueueChain& chain)
{
    NetworkFrame bytes(chain.readableBytes());
    size_t at = 0;
    for (const GuestPiece& piece : chain.readable) {
        memory.read(piece.address, std::span(bytes).subspan(at, piece.length));
        at += piece.length;
    }
    return bytes;
}

// Spreads bytes over a buffer's writable pieces, as far as they go; returns how many went.
uint32_t scatter(GuestMemory& memory, const VirtqueueChain& chain, std::span<const uint8_t> bytes)
{
    uint32_t written = 0;
    for (const GuestPiece& piece : chain.writable) {
        const auto count = static_cast<uint32_t>(std::min<size_t>(piece.length, bytes.size()));
        memory.write(piece.address, bytes.first(count));
        bytes = bytes.subspan(count);
        written += count;
    }
    return written;
}

} // namespace

VirtioNetwork::VirtioNetwork(MmioBus& mmio, GuestMemory& memory, IrqLine& irq, Timers& timers, NetworkLink& link)
    : m_memory(memory)
    , m_link(link)
    , m_pci(mmio, memory, irq, { networkCard, ethernetClass, queues }, *this)
    , m_continuation(timers, [this] { goOn(); })
    , m_delivery(timers, [this] { deliver(); })
{
}

uint64_t VirtioNetwork::offeredFeatures() const
{
    return checksumBySender | checksumKnownGood | macAddress | largeTcpSent | mergedBuffers | linkStatus
        | hasControlQueue | receiveModes | moreReceiveModes | addressCanBeSet;
}

uint8_t VirtioNetwork::configurationByte(uint32_t offset) const
{
    if (offset < address.size())
        return m_filter.ownAddress()[offset];
    return offset == statusOffset ? linkUp : 0;
}

void VirtioNetwork::queueNotified(unsigned queue)
{
    ++m_figures.notifications;
    switch (queue) {
    case receiveQueue:
        framesWait();
        break;
    case transmitQueue:
        sendFrames();
        break;
    default:
        obeyCommands();
        break;
    }
}

void VirtioNetwork::framesWait()
{
    if (!m_delivery.armed())
        m_delivery.armIn(GuestTime::zero());
}

void VirtioNetwork::interrupt(Virtqueue& queue)
{
    queue.publish();
    if (!queue.interruptWanted())
        return;
    ++m_figures.interrupts;
    m_pci.raiseQueueInterrupt();
}

bool VirtioNetwork::brokenQueueStops(const Virtqueue& queue)
{
    if (queue.broken() && m_pci.running())
        m_pci.needReset();
    return queue.broken();
}

// Works off what the driver has offered in a queue and has it notify of more. True: there is more already. Another vCPU
// may offer as fast as this one works, which has something else to do.
template <class Work> bool VirtioNetwork::workOff(Virtqueue& queue, Work work)
{
    unsigned done = 0;
    bool more = true;
    while (more && done < queue.setup.size) {
        for (; done < queue.setup.size && queue.take(m_chain); ++done)
            work();
        queue.askForNotification(true);
        more = queue.hasBuffer();
    }
    if (done > 0)
        interrupt(queue);
    const bool broken = brokenQueueStops(queue);
    return more && !broken;
}

void VirtioNetwork::sendFrames()
{
    Virtqueue& queue = m_pci.queue(transmitQueue);
    const bool more = workOff(queue, [&] {
        sendFrame();
        queue.put(m_chain, 0);
    });
    if (more)
        m_continuation.armIn(GuestTime::zero());
}

void VirtioNetwork::obeyCommands()
{
    if (workOff(m_pci.queue(controlQueue), [this] { obeyCommand(); }))
        m_continuation.armIn(GuestTime::zero());
}

void VirtioNetwork::goOn()
{
    if (!m_pci.running())
        return;
    sendFrames();
    obeyCommands();
}

// Passes on the frame in m_chain.
void VirtioNetwork::sendFrame()
{
    const uint64_t bytes = m_chain.readableBytes();
    if (bytes < headerSize + ethernetHeader || bytes > headerSize + m_link.largestFrame()) {
        ++m_figures.framesMalformed;
        return;
    }
    NetworkFrame frame = gather(m_memory, m_chain);
    std::array<uint8_t, headerSize> header;
    std::copy_n(frame.begin(), headerSize, header.begin());
    frame.erase(frame.begin(), frame.begin() + headerSize);
    if (!completeChecksum(frame, header)) {
        ++m_figures.framesMalformed;
        return;
    }
    const size_t size = frame.size();
    if (!m_link.transmit(std::move(frame))) {
        ++m_figures.framesLost;
        return;
    }
    ++m_figures.framesSent;
    m_figures.bytesSent += size;
}

// The driver has left the sum of the pseudo header where the checksum belongs; of a frame that is to be segmented
// likewise, and the cable takes it in one piece. False: the header makes no sense. VIRTIO 1.2, 5.1.6.2.
bool VirtioNetwork::completeChecksum(NetworkFrame& frame, std::span<const uint8_t> header) const
{
    const auto segmentation = static_cast<uint8_t>(header[1] & ~congestionBit);
    const bool checksum = header[0] & needsChecksum;
    if (segmentation != segmentationNone
        && (segmentation != segmentationTcp4 || !checksum || !(m_pci.features() & largeTcpSent)))
        return false;
    if (!checksum)
        return true;
    const size_t start = wordAt(header, checksumStartOffset);
    const size_t store = start + wordAt(header, checksumStoreOffset);
    if (!(m_pci.features() & checksumBySender) || start > frame.size() || store + 2 > frame.size())
        return false;
    uint16_t sum = internetChecksum(std::span(frame).subspan(start));
    // UDP writes "no checksum" as 0, and the other zero means the same sum (RFC 768); to TCP they are alike.
    if (sum == 0)
        sum = 0xffff;
    frame[store] = static_cast<uint8_t>(sum >> 8);
    frame[store + 1] = static_cast<uint8_t>(sum);
    return true;
}

void VirtioNetwork::deliver()
{
    Virtqueue& queue = m_pci.queue(receiveQueue);
    const bool running = m_pci.running();
    const uint16_t usedBefore = queue.progress().nextUsed;
    unsigned budget = queue.setup.size;
    for (; budget > 0 && (!m_received.empty() || m_link.receive(m_received)); --budget) {
        if (!running)
            ++m_figures.framesLost; // a card without a driver hears nothing
        else if (!m_filter.passes(m_received))
            ++m_figures.framesFiltered;
        else if (!deliverFrame(m_received)) {
            // Buffers that came before the driver knew that it has to notify are there now.
            queue.askForNotification(true);
            if (!deliverFrame(m_received))
                break;
        }
        m_received.clear();
    }
    if (queue.progress().nextUsed != usedBefore)
        interrupt(queue);
    brokenQueueStops(queue);
    if (budget == 0)
        framesWait();
}

// Puts a frame and its header into the guest's buffers: as many as it takes where the driver can merge them, otherwise
// one. False: it offers too few as yet. VIRTIO 1.2, 5.1.6.3 and
// 5.1.6.4.
bool VirtioNetwork::deliverFrame(const NetworkFrame& frame)
{
    Virtqueue& queue = m_pci.queue(receiveQueue);
    const size_t needed = headerSize + frame.size();
    const bool merge = m_pci.features() & mergedBuffers;
    uint64_t room = 0;
    size_t count = 0;
    while (room < needed && (merge ? count < queue.setup.size : count == 0)) {
        if (count == m_taken.size())
            m_taken.emplace_back();
        if (!queue.take(m_taken[count])) {
            queue.untake(static_cast<unsigned>(count));
            return false;
        }
        room += m_taken[count].writableBytes();
        ++count;
    }

    std::vector<uint8_t> bytes(headerSize);
    if (m_pci.features() & checksumKnownGood)
        bytes[0] = checksumValid;
    bytes[bufferCountOffset] = static_cast<uint8_t>(count);
    bytes[bufferCountOffset + 1] = static_cast<uint8_t>(count >> 8);
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    std::span<const uint8_t> rest(bytes);
    for (size_t i = 0; i < count; ++i) {
        const uint32_t written = room < needed ? 0 : scatter(m_memory, m_taken[i], rest);
        rest = rest.subspan(written);
        queue.put(m_taken[i], written);
    }
    if (room < needed) { // even a whole queue of such buffers holds no frame
        ++m_figures.framesLost;
        return true;
    }
    ++m_figures.framesReceived;
    m_figures.bytesReceived += frame.size();
    return true;
}

void VirtioNetwork::obeyCommand()
{
    const bool readable = m_chain.readableBytes() <= longestCommand && m_chain.writableBytes() > 0;
    const uint8_t answer = readable && m_filter.command(gather(m_memory, m_chain)) ? accepted : refused;
    m_pci.queue(controlQueue).put(m_chain, scatter(m_memory, m_chain, std::span(&answer, 1)));
}

void VirtioNetwork::driverReset()
{
    m_filter.reset();
    m_continuation.cancel();
    m_received.clear();
}

void VirtioNetwork::reset()
{
    m_pci.reset();
    m_delivery.cancel();
    framesWait(); // what the cable has for the guest before is lost
}

void VirtioNetwork::save(StateWriter& state) const
{
    m_pci.save(state);
    m_filter.save(state);
}

Result<void> VirtioNetwork::restore(StateReader& state)
{
    // Both parts are taken before either changes.
    ReceiveFilter filter = m_filter;
    Snapshot before;
    StateWriter writer(before);
    m_pci.save(writer);
    if (auto restored = m_pci.restore(state, name()); !restored)
        return restored;
    if (auto restored = filter.restore(state, name()); !restored) {
        StateReader reader(before);
        static_cast<void>(m_pci.restore(reader, name()));
        return restored;
    }
    m_filter = filter;
    m_received.clear();
    // The cable is another one now; what lies in the queues is looked at in any case.
    m_continuation.armIn(GuestTime::zero());
    framesWait();
    return {};
}

} // namespace namsan
