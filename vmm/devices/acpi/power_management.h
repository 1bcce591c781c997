// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/channel.h"
#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/messages.h"
#include "vmm/board/port_bus.h"
#include "vmm/time/timers.h"

namespace namsan {

// The fixed power management registers of ACPI: power button, soft off, power management timer, and the port by which
// an operating system takes power management over from the firmware. ACPI 6.5, 4.8.3; Intel 82371AB (PIIX4) datasheet,
// chapter 7.2. There is no firmware behind SMIs here: while SCI_EN is 0, events wait in the status register.
class PowerManagement final : public Device {
public:
    static constexpr Port base = 0x600; // PMBASE: 64 ports, of which the first 12 are something
    static constexpr uint8_t size = 64;
    static constexpr Port eventBlock = base; // PM1_STS, and PM1_EN 2 further on
    static constexpr Port controlBlock = base + 4; // PM1_CNT
    static constexpr Port timerBlock = base + 8; // PM_TMR, 24 bits
    static constexpr Port apmControl = 0xb2; // APMC, FADT's SMI_CMD; APMS at B3
    static constexpr uint8_t acpiEnable = 0xf1;
    static constexpr uint8_t acpiDisable = 0xf0;
    static constexpr unsigned sciInterrupt = 9;
    static constexpr unsigned softOffType = 0; // SLP_TYP of S5, as on the PIIX4
    static constexpr uint64_t timerFrequency = 3'579'545; // Hz

    // sci is level triggered.
    PowerManagement(PortBus&, Timers&, IrqLine& sci, Channel<PowerOffRequest>&);

    void pressPowerButton();

    std::string_view name() const override { return "power management"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    class Registers final : public PortHandler {
    public:
        explicit Registers(PowerManagement& chip)
            : m_chip(chip)
        {
        }
        uint32_t portIn(Port, Width) override;
        void portOut(Port, Width, uint32_t value) override;

    private:
        PowerManagement& m_chip;
    };
    class ApmPorts final : public PortHandler {
    public:
        explicit ApmPorts(PowerManagement& chip)
            : m_chip(chip)
        {
        }
        uint32_t portIn(Port, Width) override;
        void portOut(Port, Width, uint32_t value) override;

    private:
        PowerManagement& m_chip;
    };

    uint64_t timerTicks() const;
    uint16_t status() const;
    void clearStatus(uint16_t bits);
    void writeControl(uint16_t value, bool highByteWritten);
    void update();

    Registers m_registers { *this };
    ApmPorts m_apmPorts { *this };
    const Timers& m_timers;
    IrqLine& m_sci;
    Channel<PowerOffRequest>& m_powerOff;
    Timer m_carry;

    uint16_t m_status = 0; // without TMR_STS, which the time tells
    uint64_t m_seenHalf = 0; // half periods of the timer (bit 23 and above) when TMR_STS was last cleared
    uint16_t m_enable = 0;
    uint16_t m_control = 0;
    uint8_t m_apmControl = 0;
    uint8_t m_apmStatus = 0;
};

} // namespace namsan
