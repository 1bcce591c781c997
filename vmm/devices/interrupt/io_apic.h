// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/interrupt_message.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/mmio_bus.h"

#include <array>

namespace namsan {

// The I/O APIC: 24 inputs, each with an entry that tells which message it becomes. Intel 82093AA datasheet (290566).
//
// Its messages go to the local APICs of the engine; without one, nobody takes them.
class IoApic final : public Device, public MmioHandler, public InterruptSink {
public:
    static constexpr PhysicalAddress address = 0xfec00000;
    static constexpr uint64_t size = 4096;
    static constexpr unsigned inputs = 24;
    static constexpr uint8_t version = 0x11;

    explicit IoApic(MmioBus&);

    // The engine's end; nullptr: none. It may be another one after a change of engines.
    void connect(InterruptMessageSink* processors) { m_processors = processors; }

    void setInterruptInput(unsigned input, bool level) override;

    // A local APIC's broadcast: level-triggered entries with that vector may ask again.
    void endOfInterrupt(uint8_t vector);

    uint64_t mmioRead(PhysicalAddress, unsigned size) override;
    void mmioWrite(PhysicalAddress, unsigned size, uint64_t value) override;

    std::string_view name() const override { return "I/O APIC"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    uint32_t readRegister() const;
    void writeRegister(uint32_t value);
    void setEntry(unsigned input, uint64_t entry);
    bool isActive(unsigned input) const;
    void sendLevel(unsigned input);
    bool send(unsigned input);

    static constexpr uint64_t masked = 1 << 16;

    InterruptMessageSink* m_processors = nullptr;
    uint32_t m_levels = 0; // of the input pins, one bit each
    uint8_t m_id = 0;
    uint8_t m_select = 0;
    std::array<uint64_t, inputs> m_entries {};
};

} // namespace namsan
