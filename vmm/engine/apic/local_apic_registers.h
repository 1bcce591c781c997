// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

// Registers of the local APIC by number: their offset in the page divided by 16, or their MSR less 800h.
// Intel SDM volume 3, tables 11-1 and 11-6.
namespace namsan::apic_register {

constexpr unsigned id = 0x02;
constexpr unsigned version = 0x03;
constexpr unsigned taskPriority = 0x08;
constexpr unsigned arbitrationPriority = 0x09;
constexpr unsigned processorPriority = 0x0a;
constexpr unsigned endOfInterrupt = 0x0b;
constexpr unsigned remoteRead = 0x0c;
constexpr unsigned logicalDestination = 0x0d;
constexpr unsigned destinationFormat = 0x0e;
constexpr unsigned spuriousVector = 0x0f;
constexpr unsigned inService = 0x10; // to 17
constexpr unsigned triggerMode = 0x18; // to 1F
constexpr unsigned request = 0x20; // to 27
constexpr unsigned errorStatus = 0x28;
constexpr unsigned commandLow = 0x30;
constexpr unsigned commandHigh = 0x31; // not in x2APIC mode
constexpr unsigned localVectors = 0x32; // to 37
constexpr unsigned initialCount = 0x38;
constexpr unsigned currentCount = 0x39;
constexpr unsigned divideConfiguration = 0x3e;
constexpr unsigned selfIpi = 0x3f; // only in x2APIC mode

} // namespace namsan::apic_register

// Bits within them.
namespace namsan::apic_bit {

constexpr uint32_t softwareEnable = 1 << 8; // spurious vector register

constexpr uint32_t deliveryModeShift = 8; // LVT and ICR
constexpr uint32_t deliveryModeMask = 7 << deliveryModeShift;
constexpr uint32_t deliveryPending = 1 << 12;
constexpr uint32_t activeLow = 1 << 13; // LVT of LINT0 and LINT1
constexpr uint32_t remoteRequest = 1 << 14;
constexpr uint32_t levelTriggered = 1 << 15;
constexpr uint32_t masked = 1 << 16;
constexpr uint32_t timerModeShift = 17;
constexpr uint32_t timerModeMask = 3 << timerModeShift;

constexpr uint32_t logicalDestination = 1 << 11; // ICR
constexpr uint32_t assertLevel = 1 << 14;
constexpr uint32_t shorthandShift = 18;

// Error status register. SDM volume 3, figure 11-9.
constexpr uint32_t sendIllegalVector = 1 << 5;
constexpr uint32_t receiveIllegalVector = 1 << 6;
constexpr uint32_t illegalRegister = 1 << 7;

} // namespace namsan::apic_bit
