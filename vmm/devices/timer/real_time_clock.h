// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/irq_line.h"
#include "vmm/board/port_bus.h"
#include "vmm/time/timers.h"

#include <array>
#include <chrono>
#include <optional>

namespace namsan {

// The battery-backed clock and CMOS memory of the PC/AT at ports 70 and 71.
// Motorola MC146818 data sheet (1984); the century in byte 32h and the NMI mask in bit 7 of port 70 as on the AT.
//
// Time goes on from a start date with the board's clock. All registers are computed when they are read; a timer runs
// only for an interrupt that is enabled and not yet asked for. IRQ 8 stays high from an enabled event until register C
// is read. Illegal dates, which the data sheet leaves undefined, become the nearest legal ones.
class RealTimeClock final : public Device, public PortHandler {
public:
    static constexpr Port indexPort = 0x70;
    static constexpr Port dataPort = 0x71;

    // The date and time (UTC) that the clock shows at this moment of guest time.
    RealTimeClock(PortBus&, Timers&, IrqLine irq8, std::chrono::sys_seconds start);

    // For firmware's words in the CMOS memory: index 0Eh-7Fh, except the century.
    void setByte(uint8_t index, uint8_t value);

    // The AT's gate before the processor's NMI pin.
    bool nmiMasked() const { return m_nmiMasked; }

    // Periodic interrupts that the host delivered too late to be told from the ones that followed them.
    uint64_t lostTicks() const { return m_lostTicks; }

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;

    std::string_view name() const override { return "real-time clock"; }
    // Date, alarm and memory have a battery and stay.
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    using Seconds = std::chrono::sys_seconds;
    static constexpr size_t size = 128;

    bool dividerRuns() const;
    bool counts() const; // the date goes on
    GuestTime sinceChainStart() const { return m_timers.now() - m_chainStart; }
    Seconds date() const;
    uint64_t periodInOscillations() const; // 0: no periodic interrupt

    uint8_t readByte(uint8_t index);
    void writeByte(uint8_t index, uint8_t value);
    void writeControlA(uint8_t value);
    void writeControlB(uint8_t value);
    uint8_t readFlags();
    bool updateInProgress() const;

    uint8_t encode(unsigned value) const;
    unsigned decode(uint8_t value) const;
    uint8_t encodeHour(unsigned hour) const;
    unsigned decodeHour(uint8_t value) const;
    void showDate();
    void takeDate();

    void observe();
    std::optional<Seconds> nextAlarm(Seconds after) const;
    void driveInterrupt();
    std::optional<GuestTime> nextEvent() const;
    void expire();

    Timers& m_timers;
    IrqLine m_irq8;
    std::array<uint8_t, size> m_bytes {};
    uint8_t m_index = 0;
    bool m_nmiMasked = false;
    uint8_t m_flags = 0; // register C without IRQF
    Seconds m_startDate; // at m_chainStart, while the date goes on
    GuestTime m_chainStart; // when the divider chain was at zero; updates come each second from there
    GuestTime m_observed; // until when m_flags knows of events
    uint64_t m_lostTicks = 0;
    Timer m_eventTimer;
};

} // namespace namsan
