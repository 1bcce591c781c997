// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/apic/local_apics.h"
#include "vmm/engine/interpret/processor.h"
#include "vmm/engine/processor_group.h"
#include "vmm/session/vm_session.h"

namespace namsan {

// What stands between one vCPU and the board: its local APIC, whose page and vectors never get to the board; and for
// one of several, the word to the others that it is at the bus, where it may have to wait.
class VcpuBus final : public GuestBus, public ApicRegisters {
public:
    // apics and group may be nullptr. All outlive it.
    VcpuBus(GuestBus& board, LocalApics* apics, ProcessorGroup* group, unsigned index)
        : m_board(board)
        , m_apics(apics)
        , m_group(group)
        , m_index(index)
    {
    }

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;
    uint64_t mmioRead(PhysicalAddress, unsigned size) override;
    void mmioWrite(PhysicalAddress, unsigned size, uint64_t value) override;
    uint8_t acknowledgeInterrupt() override;
    void endOfInterrupt(uint8_t vector) override;

    std::optional<uint64_t> readMsr(uint32_t number) override;
    bool writeMsr(uint32_t number, uint64_t value) override;
    bool isEnabled() const override { return m_apics->isEnabled(m_index); }
    void setTscOffset(uint64_t offset) override { m_apics->setTscOffset(m_index, offset); }

private:
    class Away;

    GuestBus& m_board;
    LocalApics* m_apics;
    ProcessorGroup* m_group;
    unsigned m_index;
};

} // namespace namsan
