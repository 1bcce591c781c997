// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/interpret/sse_host.h"

namespace namsan {

void settleSseExceptions(Processor& processor, uint32_t raised)
{
    uint32_t& guest = imageOf(processor.fxsave).mxcsr;
    const uint32_t unmasked = raised & ~(guest >> mxcsr::maskShift);
    if (!unmasked) [[likely]] {
        guest |= raised;
        return;
    }
    // An unmasked exception of the operands stops the instruction before it could raise one of the result.
    guest |= unmasked & mxcsr::beforeComputing ? raised & mxcsr::beforeComputing : raised;
    if (!(processor.cr4 & cr4::simdExceptions))
        throwInvalidOpcode();
    throw Fault { Exception::Simd, {} };
}

bool hasDenormal(Xmm value, Underflow kind)
{
    const auto singles = std::bit_cast<std::array<uint32_t, 4>>(value);
    const auto doubles = std::bit_cast<std::array<uint64_t, 2>>(value);
    const auto isDenormalSingle = [](uint32_t bits) { return (bits & 0x7f800000) == 0 && (bits & 0x007fffff) != 0; };
    const auto isDenormalDouble
        = [](uint64_t bits) { return (bits & 0x7ff0000000000000) == 0 && (bits & 0x000fffffffffffff) != 0; };
    switch (kind) {
    case Underflow::Impossible:
        return false;
    case Underflow::LowSingle:
        return isDenormalSingle(singles[0]);
    case Underflow::Singles:
        return isDenormalSingle(singles[0]) || isDenormalSingle(singles[1]) || isDenormalSingle(singles[2])
            || isDenormalSingle(singles[3]);
    case Underflow::LowDouble:
        return isDenormalDouble(doubles[0]);
    case Underflow::Doubles:
        return isDenormalDouble(doubles[0]) || isDenormalDouble(doubles[1]);
    }
    return false;
}

} // namespace namsan
