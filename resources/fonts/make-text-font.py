#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes vmm/devices/display/text_font_8x16.cpp, the font of the VGA's text mode, from GNU Unifont.

    resources/fonts/make-text-font.py /usr/share/unifont/unifont.hex > vmm/devices/display/text_font_8x16.cpp

unifont.hex comes with Debian's package unifont. The result is kept in the tree: run this only to change the font.
"""

import sys

# What the PC shows for the codes that are control characters elsewhere.
GRAPHIC_CONTROLS = " ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"

HEADER = """// SPDX-License-Identifier: GPL-3.0-or-later
// Made by resources/fonts/make-text-font.py from GNU Unifont (https://unifoundry.com/unifont/).
// The glyphs: Copyright 1998-2022 Roman Czyborra, Paul Hardy, Qianqian Fang, Andrew Miller, Johnnie Weaver,
// David Corbett, Nils Moskopp, Rebecca Bettencourt, and others; licensed under the GNU General Public License, version
// 2 or later, with the GNU font embedding exception, and under the SIL Open Font License 1.1.
#include "vmm/devices/display/text_font_8x16.h"

namespace namsan {
"""


def unicode_of(code):
    if code < 0x20:
        return GRAPHIC_CONTROLS[code]
    if code == 0x7F:
        return "⌂"
    return bytes([code]).decode("cp437")


def read_glyphs(path):
    glyphs = {}
    with open(path, encoding="ascii") as lines:
        for line in lines:
            code_point, bitmap = line.strip().split(":")
            glyphs[int(code_point, 16)] = bytes.fromhex(bitmap)
    return glyphs


def glyph_of(glyphs, character):
    if character in (" ", "\u00a0"):
        return bytes(16)
    glyph = glyphs.get(ord(character))
    if glyph is None or len(glyph) != 16:
        sys.exit(f"Unifont has no glyph 8 dots wide for U+{ord(character):04X}.")
    return glyph


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    glyphs = read_glyphs(sys.argv[1])
    print(HEADER)
    print("// clang-format off")
    print("const std::array<TextGlyph, 256> textFont8x16 { {")
    for code in range(256):
        character = unicode_of(code)
        rows = ", ".join(f"0x{row:02x}" for row in glyph_of(glyphs, character))
        print(f"    {{ {rows} }}, // {code:02x} {character}".rstrip().replace("// 5c \\", "// 5c backslash"))
    print("} };\n")
    print("const std::array<char16_t, 256> codePage437 {")
    for row in range(0, 256, 16):
        print("    " + ", ".join(f"0x{ord(unicode_of(code)):04x}" for code in range(row, row + 16)) + ",")
    print("};")
    print("// clang-format on\n")
    print("} // namespace namsan")


main()
