// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/model_specific_registers.h"

#include "vmm/engine/interpret/control_registers.h"

namespace namsan {

namespace {

constexpr uint32_t timeStampCounterMsr = 0x10;
constexpr uint32_t platformId = 0x17;
constexpr uint32_t biosSignature = 0x8b; // the microcode's revision
constexpr uint32_t sysenterCsMsr = 0x174;
constexpr uint32_t sysenterEspMsr = 0x175;
constexpr uint32_t sysenterEipMsr = 0x176;
constexpr uint32_t miscEnable = 0x1a0;
constexpr uint32_t pageAttributeTable = 0x277;
constexpr uint32_t extendedFeatureEnable = 0xc0000080;

// Of the local APIC: IA32_APIC_BASE, IA32_TSC_DEADLINE, x2APIC.
bool isApicRegister(uint32_t number)
{
    return number == 0x1b || number == 0x6e0 || (number >= 0x800 && number <= 0x8ff);
}

// Fast strings on; branch trace storage and precise event sampling are not there.
constexpr uint64_t miscEnableValue = 1 << 0 | 1 << 11 | 1 << 12;

// Each byte holds a memory type; 2 and 3 and from 8 on are reserved. Intel SDM volume 3, table 11-10.
bool isValidPat(uint64_t value)
{
    for (unsigned entry = 0; entry < 8; ++entry) {
        const auto type = static_cast<uint8_t>(value >> (8 * entry));
        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

// What a register came with; of those without a feature of their own, the generation's.
Feature featureOf(uint32_t number)
{
    switch (number) {
    case timeStampCounterMsr:
        return Feature::Tsc;
    case sysenterCsMsr:
    case sysenterEspMsr:
    case sysenterEipMsr:
        return Feature::Sep;
    case pageAttributeTable:
        return Feature::Pat;
    case extendedFeatureEnable:
        return Feature::Nx;
    case platformId:
    case biosSignature:
        return Feature::Hints; // since the Pentium Pro
    case miscEnable:
        return Feature::Sse2; // since the Pentium 4 and the Pentium M
    default:
        return Feature::Msr;
    }
}

void requireFeature(const Processor& processor, uint32_t number)
{
    if (!processor.model.has(featureOf(number)))
        throwGeneralProtection();
}

} // namespace

uint64_t readModelSpecificRegister(const Processor& processor, uint32_t number)
{
    requireFeature(processor, number);
    if (isApicRegister(number)) {
        const auto value = processor.apic ? processor.apic->readMsr(number) : std::nullopt;
        if (!value)
            throwGeneralProtection();
        return *value;
    }
    switch (number) {
    case timeStampCounterMsr:
        return timeStampCounter(processor);
    case platformId:
    case biosSignature:
        return 0;
    case sysenterCsMsr:
        return processor.sysenterCs;
    case sysenterEspMsr:
        return processor.sysenterEsp;
    case sysenterEipMsr:
        return processor.sysenterEip;
    case miscEnable:
        return miscEnableValue;
    case pageAttributeTable:
        return processor.pat;
    case extendedFeatureEnable:
        return processor.efer;
    default:
        throwGeneralProtection();
    }
}

void writeModelSpecificRegister(Processor& processor, uint32_t number, uint64_t value)
{
    requireFeature(processor, number);
    if (isApicRegister(number)) {
        if (!processor.apic || !processor.apic->writeMsr(number, value))
            throwGeneralProtection();
        processor.leaveBlock = true; // an interrupt may be let in
        return;
    }
    switch (number) {
    case timeStampCounterMsr:
        processor.tscOffset = value - processor.clock.tsc();
        if (processor.apic)
            processor.apic->setTscOffset(processor.tscOffset);
        return;
    case biosSignature: // cleared by software before CPUID fills it in; revision 0 stays
    case miscEnable: // no switch there changes what this processor does
        return;
    case sysenterCsMsr:
        processor.sysenterCs = static_cast<uint32_t>(value);
        return;
    case sysenterEspMsr:
        processor.sysenterEsp = static_cast<uint32_t>(value);
        return;
    case sysenterEipMsr:
        processor.sysenterEip = static_cast<uint32_t>(value);
        return;
    case pageAttributeTable:
        if (!isValidPat(value))
            throwGeneralProtection();
        processor.pat = value;
        return;
    case extendedFeatureEnable:
        return writeEfer(processor, value);
    default:
        throwGeneralProtection();
    }
}

} // namespace namsan
