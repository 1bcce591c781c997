// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/devices/network/network_figures.h"
#include "vmm/devices/network/network_link.h"
#include "vmm/devices/network/receive_filter.h"
#include "vmm/devices/virtio/virtio_pci_function.h"
#include "vmm/time/timers.h"

namespace namsan {

// A network card: virtio-net. VIRTIO 1.2, 5.1.
//
// Why this card and not one that once was a chip: with it the guest's processor does the least. Its driver computes and
// checks no checksum, hands over up to 64 KiB of TCP at once, leaves the card alone while there is something under way
// (event index) and reads one register per interrupt. That is so because the cable is the host's memory: nothing on it
// goes wrong, and a frame may be as large as an IP packet can be.
//
// Frames from the guest are passed on while it notifies, on the vCPU's thread; frames for the guest by deliver(), on
// the board thread. Both work off at most a queue's length, and a timer continues what is left.
class VirtioNetwork final : public Device, private VirtioModel {
public:
    static constexpr MacAddress address { 0x02, 0x4e, 0x41, 0x4d, 0x53, 0x01 }; // locally administered

    // irq is INTA#. The link outlives the card.
    VirtioNetwork(MmioBus&, GuestMemory&, IrqLine& irq, Timers&, NetworkLink&);

    PciFunction& function() { return m_pci; }
    // The link may have frames for the guest. They come when timers next run: a paused machine gets none.
    void framesWait();
    const NetworkFigures& figures() const { return m_figures; }

    std::string_view name() const override { return "network card"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    static constexpr unsigned receiveQueue = 0; // 5.1.2
    static constexpr unsigned transmitQueue = 1;
    static constexpr unsigned controlQueue = 2;
    static constexpr unsigned queues = 3;

    uint64_t offeredFeatures() const override;
    uint8_t configurationByte(uint32_t offset) const override;
    void queueNotified(unsigned queue) override;
    void driverReset() override;

    template <class Work> bool workOff(Virtqueue&, Work);
    void goOn();
    void sendFrames();
    void sendFrame();
    bool completeChecksum(NetworkFrame&, std::span<const uint8_t> header) const;
    void deliver();
    bool deliverFrame(const NetworkFrame&);
    void obeyCommands();
    void obeyCommand();
    void interrupt(Virtqueue&);
    bool brokenQueueStops(const Virtqueue&);

    GuestMemory& m_memory;
    NetworkLink& m_link;
    ReceiveFilter m_filter { address };
    VirtioPciFunction m_pci;
    Timer m_continuation; // of what a notification left undone
    Timer m_delivery;
    VirtqueueChain m_chain; // what is being worked on; kept for its memory
    NetworkFrame m_received; // the frame that waits for the guest's buffers; empty: none
    std::vector<VirtqueueChain> m_taken; // the buffers that it is put into
    NetworkFigures m_figures;
};

} // namespace namsan
