// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/devices/display/vga.h"

#include "vmm/devices/display/text_font_8x16.h"
#include "vmm/devices/display/vga_text_screen.h"
#include "vmm/devices/display/vga_timing.h"

#include <algorithm>

namespace namsan {

namespace {
using Crtc = VgaRegisters::Crtc;

// The ports, named as in the manual; the CRT controller and input status 1 are at 3Bx or 3Dx.
enum : Port {
    monochromeCrtcIndex = 0x3b4,
    monochromeCrtcData = 0x3b5,
    monochromeInputStatus1 = 0x3ba, // feature control when written
    attributeAddress = 0x3c0, // and data when written
    attributeData = 0x3c1,
    miscellaneousOutputWrite = 0x3c2, // input status 0 when read
    videoSubsystemEnable = 0x3c3,
    sequencerIndex = 0x3c4,
    sequencerData = 0x3c5,
    pixelMask = 0x3c6,
    dacReadIndex = 0x3c7, // DAC state when read
    dacWriteIndex = 0x3c8,
    dacData = 0x3c9,
    featureControlRead = 0x3ca,
    miscellaneousOutputRead = 0x3cc,
    graphicsIndex = 0x3ce,
    graphicsData = 0x3cf,
    colourCrtcIndex = 0x3d4,
    colourCrtcData = 0x3d5,
    colourInputStatus1 = 0x3da,
};

constexpr uint8_t nothing = 0xff;
constexpr uint8_t fontPlaneMask = 1 << 2;

// Ports of the monochrome half under the numbers of the colour half.
Port asColour(Port port)
{
    return port < attributeAddress ? static_cast<Port>(port + 0x20) : port;
}
} // namespace

Vga::Vga(PortBus& ports, MmioBus& mmio, Timers& timers)
    : m_timers(timers)
{
    ports.claim(monochromeCrtcIndex, monochromeCrtcData, *this);
    ports.claim(monochromeInputStatus1, *this);
    ports.claim(attributeAddress, graphicsData, *this);
    ports.claim(colourCrtcIndex, colourCrtcData, *this);
    ports.claim(colourInputStatus1, *this);
    mmio.claim(windowBase, windowSize, *this);
}

void Vga::setTextMode3()
{
    constexpr uint8_t lightGreyOnBlack = 0x07;
    m_registers.setTextMode3();
    std::ranges::fill(m_memory.plane(0), uint8_t { ' ' });
    std::ranges::fill(m_memory.plane(1), lightGreyOnBlack);
    loadRomFont();
    noteChange();
}

void Vga::loadRomFont()
{
    constexpr size_t bytesPerCharacter = 32;
    const auto fonts = m_memory.plane(2);
    for (size_t character = 0; character < textFont8x16.size(); ++character)
        std::ranges::copy(textFont8x16[character], fonts.begin() + static_cast<long>(character * bytesPerCharacter));
    m_fontsChanged = true;
}

void Vga::noteChange()
{
    if (m_changed)
        return;
    m_changed = true;
    changed().send({});
}

uint32_t Vga::portIn(Port port, Width)
{
    const bool crtcSide = port < attributeAddress || port > graphicsData;
    if (crtcSide && m_registers.colourPorts() != (port > graphicsData))
        return nothing;
    switch (asColour(port)) {
    case colourInputStatus1:
        return inputStatus1();
    case attributeAddress:
        return m_registers.attributeIndex;
    case miscellaneousOutputWrite:
        return inputStatus0();
    case videoSubsystemEnable:
        return m_registers.videoSubsystemEnable;
    case pixelMask:
        return m_registers.pixelMask;
    case dacReadIndex:
        return m_registers.dacState;
    case dacWriteIndex:
        return m_registers.dacWriteIndex;
    case dacData:
        return readDacData();
    case featureControlRead:
        return m_registers.featureControl;
    case miscellaneousOutputRead:
        return m_registers.miscellaneousOutput;
    default:
        return readIndexed(asColour(port));
    }
}

uint8_t Vga::readIndexed(Port port)
{
    switch (port) {
    case attributeData:
        return readAttribute();
    case sequencerIndex:
        return m_registers.sequencerIndex;
    case sequencerData:
        return m_registers.sequencerIndex < m_registers.sequencer.size()
            ? m_registers.sequencer[m_registers.sequencerIndex]
            : nothing;
    case graphicsIndex:
        return m_registers.graphicsIndex;
    case graphicsData:
        return m_registers.graphicsIndex < m_registers.graphics.size() ? m_registers.graphics[m_registers.graphicsIndex]
                                                                       : nothing;
    case colourCrtcIndex:
        return m_registers.crtcIndex;
    case colourCrtcData:
        return readCrtc();
    default:
        return nothing;
    }
}

void Vga::portOut(Port port, Width, uint32_t wide)
{
    const auto value = static_cast<uint8_t>(wide);
    const bool crtcSide = port < attributeAddress || port > graphicsData;
    if (crtcSide && m_registers.colourPorts() != (port > graphicsData))
        return;
    switch (asColour(port)) {
    case colourInputStatus1:
        m_registers.featureControl = value;
        break;
    case attributeAddress:
        writeAttribute(value);
        break;
    case miscellaneousOutputWrite:
        m_registers.miscellaneousOutput = value;
        noteChange();
        break;
    case videoSubsystemEnable:
        m_registers.videoSubsystemEnable = value & 1;
        break;
    case pixelMask:
        m_registers.pixelMask = value;
        noteChange();
        break;
    case dacReadIndex:
        m_registers.dacReadIndex = value;
        m_registers.dacComponent = 0;
        m_registers.dacState = 3;
        break;
    case dacWriteIndex:
        m_registers.dacWriteIndex = value;
        m_registers.dacComponent = 0;
        m_registers.dacState = 0;
        break;
    case dacData:
        writeDacData(value);
        break;
    default:
        writeIndexed(asColour(port), value);
    }
}

void Vga::writeIndexed(Port port, uint8_t value)
{
    switch (port) {
    case sequencerIndex:
        m_registers.sequencerIndex = value;
        return;
    case graphicsIndex:
        m_registers.graphicsIndex = value;
        return;
    case colourCrtcIndex:
        m_registers.crtcIndex = value;
        return;
    case sequencerData:
        if (const uint8_t index = m_registers.sequencerIndex; index < m_registers.sequencer.size())
            m_registers.sequencer[index] = value & VgaRegisters::sequencerBits[index];
        break;
    case graphicsData:
        if (const uint8_t index = m_registers.graphicsIndex; index < m_registers.graphics.size())
            m_registers.graphics[index] = value & VgaRegisters::graphicsBits[index];
        break;
    case colourCrtcData:
        writeCrtc(value);
        break;
    default:
        return;
    }
    noteChange();
}

uint8_t Vga::readAttribute() const
{
    const uint8_t index = m_registers.attributeIndex & 0x1f;
    return index < m_registers.attribute.size() ? m_registers.attribute[index] : nothing;
}

// One port takes index and data by turns ("Attribute Controller Registers").
void Vga::writeAttribute(uint8_t value)
{
    if (m_registers.attributeTakesData) {
        const uint8_t index = m_registers.attributeIndex & 0x1f;
        if (index < m_registers.attribute.size())
            m_registers.attribute[index] = value & VgaRegisters::attributeBits[index];
        noteChange();
    } else {
        const uint8_t before = m_registers.attributeIndex;
        m_registers.attributeIndex = value & 0x3f;
        if ((before ^ value) & VgaRegisters::paletteAddressSource)
            noteChange();
    }
    m_registers.attributeTakesData = !m_registers.attributeTakesData;
}

uint8_t Vga::readCrtc() const
{
    return m_registers.crtcIndex < m_registers.crtc.size() ? m_registers.crtc[m_registers.crtcIndex] : nothing;
}

// "Vertical Retrace End Register", bit 7 protects the registers 0 to 7 but for the line compare bit of 7.
void Vga::writeCrtc(uint8_t value)
{
    const uint8_t index = m_registers.crtcIndex;
    if (index >= m_registers.crtc.size())
        return;
    uint8_t& target = m_registers.crtc[index];
    uint8_t writable = VgaRegisters::crtcBits[index];
    if (index <= Crtc::Overflow && bit(m_registers.crtc[Crtc::VerticalRetraceEnd], 7))
        writable &= index == Crtc::Overflow ? 0x10 : 0x00;
    target = static_cast<uint8_t>((target & ~writable) | (value & writable));
}

uint8_t Vga::readDacData()
{
    const uint8_t value = m_registers.dac[m_registers.dacReadIndex][m_registers.dacComponent];
    if (++m_registers.dacComponent == 3) {
        m_registers.dacComponent = 0;
        ++m_registers.dacReadIndex;
    }
    return value;
}

void Vga::writeDacData(uint8_t value)
{
    m_registers.dacWritten[m_registers.dacComponent] = value & 0x3f;
    if (++m_registers.dacComponent < 3)
        return;
    m_registers.dacComponent = 0;
    m_registers.dac[m_registers.dacWriteIndex++] = m_registers.dacWritten;
    noteChange();
}

// Bit 4 is the comparator at the DAC's outputs, by which a BIOS finds out which monitor loads them.
uint8_t Vga::inputStatus0() const
{
    const auto& [red, green, blue] = m_registers.dac[0];
    return red + green + blue >= 0x4e ? 0x00 : 0x10;
}

uint8_t Vga::inputStatus1()
{
    m_registers.attributeTakesData = false;
    const VgaBeam beam = vgaBeam(m_registers, m_timers.now());
    return static_cast<uint8_t>((beam.displaying ? 0 : 1 << 0) | (beam.verticalRetrace ? 1 << 3 : 0));
}

uint64_t Vga::mmioRead(PhysicalAddress address, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
        const auto offset = VgaMemory::offsetInWindow(m_registers, address + i);
        value |= uint64_t { offset ? m_memory.read(m_registers, *offset) : nothing } << (8 * i);
    }
    return value;
}

void Vga::mmioWrite(PhysicalAddress address, unsigned size, uint64_t value)
{
    uint8_t planes = 0;
    for (unsigned i = 0; i < size; ++i) {
        if (const auto offset = VgaMemory::offsetInWindow(m_registers, address + i))
            planes |= m_memory.write(m_registers, *offset, static_cast<uint8_t>(value >> (8 * i)));
    }
    if (planes & fontPlaneMask)
        m_fontsChanged = true;
    if (planes)
        noteChange();
}

void Vga::paint(Frame& frame)
{
    m_changed = false;
    const TextScreen screen = vgaTextScreen(m_registers, m_memory);
    if (m_registers.blanked() || !m_registers.alphanumeric()) {
        const int width = static_cast<int>(m_registers.columns() * m_registers.dotsPerCharacter());
        m_painter.paintBlank(m_registers.halvedDotClock() ? 2 * width : width, screen.height, frame);
        frame.text.clear();
        return;
    }
    const auto phase = static_cast<uint64_t>(m_timers.now() / cursorPhase);
    m_painter.paint(screen, vgaFonts(m_registers, m_memory), m_fontsChanged,
        { .cursorShows = !bit(phase, 0), .charactersShow = !bit(phase, 1) }, frame);
    frame.text = textLines(screen);
    m_fontsChanged = false;
}

std::optional<GuestTime> Vga::nextBlink() const
{
    if (!m_painter.blinks())
        return {};
    return (m_timers.now() / cursorPhase + 1) * cursorPhase;
}

void Vga::reset()
{
    m_registers = {};
    for (unsigned plane = 0; plane < VgaMemory::planeCount; ++plane)
        std::ranges::fill(m_memory.plane(plane), uint8_t { 0 });
    m_fontsChanged = true;
    noteChange();
}

void Vga::save(StateWriter& state) const
{
    state.put(m_registers);
    for (unsigned plane = 0; plane < VgaMemory::planeCount; ++plane)
        state.putBytes(m_memory.plane(plane));
}

Result<void> Vga::restore(StateReader& state)
{
    auto registers = state.take<VgaRegisters>();
    if (!registers)
        return registers.error();
    std::array<std::vector<uint8_t>, VgaMemory::planeCount> planes;
    for (auto& plane : planes) {
        auto bytes = state.takeBytes(VgaMemory::planeSize);
        if (!bytes)
            return bytes.error();
        plane = std::move(*bytes);
    }
    const auto complete = [](const std::vector<uint8_t>& plane) { return plane.size() == VgaMemory::planeSize; };
    if (!registers->possible() || !std::ranges::all_of(planes, complete))
        return StateReader::impossible(name());

    m_registers = *registers;
    for (unsigned plane = 0; plane < VgaMemory::planeCount; ++plane)
        std::ranges::copy(planes[plane], m_memory.plane(plane).begin());
    m_fontsChanged = true;
    noteChange();
    return {};
}

} // namespace namsan
