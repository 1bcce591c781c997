// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/apic/local_apic_state.h"

#include "vmm/board/interrupt_message.h"
#include "vmm/engine/apic/local_apic_registers.h"

namespace namsan {

LocalApicState LocalApicState::afterReset(uint32_t id)
{
    LocalApicState state;
    state.id = id;
    state.base = apic_base::defaultAddress | apic_base::globalEnable | (id == 0 ? apic_base::bootProcessor : 0);
    state.localVectors.fill(apic_bit::masked);
    return state;
}

void LocalApicState::becomeVirtualWire()
{
    const auto entry = [](DeliveryMode mode) { return static_cast<uint32_t>(mode) << apic_bit::deliveryModeShift; };
    spuriousVector |= apic_bit::softwareEnable;
    localVectors[static_cast<size_t>(LocalVector::Lint0)] = entry(DeliveryMode::External);
    localVectors[static_cast<size_t>(LocalVector::Lint1)] = entry(DeliveryMode::Nmi);
}

} // namespace namsan
