// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace namsan {

// How a local APIC takes an interrupt message. Intel SDM volume 3, 11.6.1; Intel 82093AA datasheet (290566), 3.2.4.
enum class DeliveryMode : uint8_t {
    Fixed = 0,
    LowestPriority = 1,
    SystemManagement = 2,
    Reserved = 3,
    Nmi = 4,
    Initialize = 5,
    StartUp = 6,
    External = 7, // the vector comes from the 8259s
};

// What travels between I/O APIC, devices that send MSIs, and local APICs.
struct InterruptMessage {
    uint32_t destination = 0; // 8 bits from an I/O APIC or in xAPIC mode, 32 in x2APIC mode
    bool wide = false; // the destination has 32 bits
    bool logical = false; // a set of processors, as their LDRs say; otherwise an APIC ID
    DeliveryMode mode = DeliveryMode::Fixed;
    uint8_t vector = 0;
    bool levelTriggered = false;

    bool operator==(const InterruptMessage&) const = default;
};

// Where messages go: the local APICs of an engine.
class InterruptMessageSink {
public:
    virtual ~InterruptMessageSink() = default;

    // Whether a local APIC has taken it: a message to nobody is lost. Any thread, also under the board lock; never
    // waits for a processor.
    virtual bool send(const InterruptMessage&) = 0;
};

} // namespace namsan
