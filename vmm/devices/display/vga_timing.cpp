// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/vga_timing.h"

#include "vmm/base/scaled_division.h"

namespace namsan {

namespace {
using Crtc = VgaRegisters::Crtc;

constexpr uint64_t nanosecondsPerSecond = 1'000'000'000;

// "Miscellaneous Output Register", clock select; the two that are not the VGA's own count as the slower one.
uint64_t dotClock(const VgaRegisters& registers)
{
    const uint64_t crystal = (registers.miscellaneousOutput >> 2 & 3) == 1 ? 28'322'000 : 25'175'000;
    return registers.halvedDotClock() ? crystal / 2 : crystal;
}

uint64_t dotsPerLine(const VgaRegisters& registers)
{
    return (registers.crtc[Crtc::HorizontalTotal] + 5u) * registers.dotsPerCharacter();
}
} // namespace

VgaBeam vgaBeam(const VgaRegisters& registers, GuestTime now)
{
    const uint64_t lineDots = dotsPerLine(registers);
    const uint64_t dots = multiplyDivide(static_cast<uint64_t>(now.count()), dotClock(registers), nanosecondsPerSecond)
        % (lineDots * registers.verticalTotal());
    const auto line = static_cast<unsigned>(dots / lineDots);
    const uint64_t dot = dots % lineDots;

    // The retrace ends when the lower four bits of the line counter are those of the end register.
    const unsigned start = registers.verticalRetraceStart();
    const unsigned lines = ((registers.crtc[Crtc::VerticalRetraceEnd] - start - 1u) & 15u) + 1;
    const bool displaying
        = line < registers.displayedLines() && dot < uint64_t { registers.columns() } * registers.dotsPerCharacter();
    return { displaying, line >= start && line - start < lines };
}

GuestTime vgaFrameTime(const VgaRegisters& registers)
{
    const uint64_t dots = dotsPerLine(registers) * registers.verticalTotal();
    return GuestTime(static_cast<int64_t>(multiplyDivide(dots, nanosecondsPerSecond, dotClock(registers))));
}

} // namespace namsan
