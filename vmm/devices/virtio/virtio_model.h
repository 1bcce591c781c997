// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// Feature bits of all kinds of devices. VIRTIO 1.2, chapter 6.
namespace virtio {
constexpr uint64_t indirectDescriptors = uint64_t { 1 } << 28;
constexpr uint64_t eventIndex = uint64_t { 1 } << 29;
constexpr uint64_t version1 = uint64_t { 1 } << 32;
} // namespace virtio

// What one kind of virtio device adds to the transport that drivers find it by. Called under the board lock.
class VirtioModel {
public:
    virtual ~VirtioModel() = default;

    // What the device offers of its kind's feature bits, 0 to 23.
    virtual uint64_t offeredFeatures() const = 0;
    // The device specific configuration, one byte; 0 behind its end. VIRTIO 1.2, 4.1.4.6.
    virtual uint8_t configurationByte(uint32_t offset) const = 0;
    // The driver has notified a queue, or may have done so while the device was not allowed to look. Only while the
    // device runs.
    virtual void queueNotified(unsigned queue) = 0;
    // The device goes back to its initial state; queues are reset already.
    virtual void driverReset() = 0;
};

} // namespace namsan
