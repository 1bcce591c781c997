// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/board/device.h"
#include "vmm/board/mmio_bus.h"
#include "vmm/board/port_bus.h"
#include "vmm/devices/display/vga_memory.h"
#include "vmm/devices/display/vga_registers.h"
#include "vmm/display/screen_source.h"
#include "vmm/display/text_mode_painter.h"
#include "vmm/time/timers.h"

namespace namsan {

// A VGA in its text modes: registers, planes, fonts and what they show. Graphics modes have their registers and memory;
// their picture is black.
// IBM Personal System/2 Hardware Interface Technical Reference, "Video Subsystem" (1992).
class Vga final : public Device, public PortHandler, public MmioHandler, public ScreenSource {
public:
    static constexpr PhysicalAddress windowBase = 0xa0000;
    static constexpr uint64_t windowSize = 0x20000;

    // How long the cursor shows and how long it doesn't; blinking characters take twice that. The manual's 8 pictures
    // of 1/70 s would more than double what an idle screen costs.
    static constexpr GuestTime cursorPhase = std::chrono::milliseconds(250);

    Vga(PortBus&, MmioBus&, Timers&);

    // What a BIOS leaves to a boot loader: mode 3 with a cleared screen, the ROM font and the standard colours. Called
    // after construction or reset where no BIOS runs.
    void setTextMode3();

    uint32_t portIn(Port, Width) override;
    void portOut(Port, Width, uint32_t value) override;
    uint64_t mmioRead(PhysicalAddress, unsigned size) override;
    void mmioWrite(PhysicalAddress, unsigned size, uint64_t value) override;

    void paint(Frame&) override;
    bool mustBePolled() const override { return false; }
    std::optional<GuestTime> nextBlink() const override;

    std::string_view name() const override { return "VGA"; }
    void reset() override;
    void save(StateWriter&) const override;
    Result<void> restore(StateReader&) override;

private:
    void loadRomFont();
    void noteChange();

    uint8_t readIndexed(Port);
    void writeIndexed(Port, uint8_t value);
    uint8_t readAttribute() const;
    void writeAttribute(uint8_t value);
    uint8_t readCrtc() const;
    void writeCrtc(uint8_t value);
    uint8_t readDacData();
    void writeDacData(uint8_t value);
    uint8_t inputStatus0() const;
    uint8_t inputStatus1();

    Timers& m_timers;
    VgaRegisters m_registers {};
    VgaMemory m_memory;
    TextModePainter m_painter;
    bool m_changed = true; // since it was painted
    bool m_fontsChanged = true;
};

} // namespace namsan
