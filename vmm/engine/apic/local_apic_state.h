// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace namsan {

// Bits of IA32_APIC_BASE. Intel SDM volume 3, figures 11-5 and 11-26.
namespace apic_base {
constexpr uint64_t bootProcessor = 1 << 8;
constexpr uint64_t x2ApicEnable = 1 << 10;
constexpr uint64_t globalEnable = 1 << 11;
constexpr uint64_t defaultAddress = 0xfee00000;
constexpr uint64_t addressMask = 0xffffff000; // 36 bits
} // namespace apic_base

// The entries of the local vector table, in the order of their registers.
enum class LocalVector : uint8_t { Timer, Thermal, PerformanceCounter, Lint0, Lint1, Error };
constexpr unsigned localVectorCount = 6;

// Everything a local APIC remembers, for snapshots and for a change of engines. Registers as in the manual.
struct LocalApicState {
    uint64_t base = 0; // IA32_APIC_BASE; 0 in a machine without local APICs
    uint64_t command = 0; // ICR
    uint64_t tscDeadline = 0;
    uint32_t id = 0;
    uint32_t taskPriority = 0;
    uint32_t logicalDestination = 0;
    uint32_t destinationFormat = 0xffffffff;
    uint32_t spuriousVector = 0xff;
    uint32_t errorStatus = 0; // what a read gives
    uint32_t errorsSinceWrite = 0; // what the next write puts there
    std::array<uint32_t, 8> inService {};
    std::array<uint32_t, 8> triggerMode {};
    std::array<uint32_t, 8> request {};
    std::array<uint32_t, localVectorCount> localVectors {};
    uint32_t initialCount = 0;
    uint32_t currentCount = 0; // where the timer stands
    uint32_t divideConfiguration = 0;
    uint32_t missedTicks = 0; // periodic ticks that are still to come
    uint8_t startUpVector = 0;
    bool externalPending = false; // an ExtINT message waits for its acknowledgement
    std::array<bool, 2> localInputs {}; // levels of LINT0 and LINT1

    bool operator==(const LocalApicState&) const = default;

    // After power-on and INIT: Intel SDM volume 3, 11.4.7. The address and the enable bit are power-on's.
    static LocalApicState afterReset(uint32_t id);

    // What a BIOS leaves: the 8259s' wire goes through, NMI comes in at LINT1. Intel MP specification 1.4, 3.6.2.2.
    void becomeVirtualWire();
};

} // namespace namsan
