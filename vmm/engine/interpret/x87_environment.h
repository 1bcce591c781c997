// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/engine/interpret/fxsave_image.h"

#include <array>
#include <cstdint>
#include <span>

namespace namsan {

// The x87 environment in memory, in its four forms. Intel SDM volume 1, figures 8-9 to 8-12.
struct X87EnvironmentForm {
    bool wide; // 32-bit operand size: 28 bytes, else 14
    bool realMode; // real-address or virtual-8086 mode: linear addresses in place of selectors

    unsigned size() const { return wide ? 28 : 14; }
};

// FSTENV and FLDENV between an FXSAVE image and such bytes (of form.size()). Reading leaves the image's ES and B as the
// bytes have them.
void writeEnvironment(const FxsaveImage&, X87EnvironmentForm, std::span<uint8_t>);
void readEnvironment(FxsaveImage&, X87EnvironmentForm, std::span<const uint8_t>);

// The tag word in full: two bits for each physical register. Intel SDM volume 1, 8.1.7.
uint16_t fullTagWord(const FxsaveImage&);

} // namespace namsan
