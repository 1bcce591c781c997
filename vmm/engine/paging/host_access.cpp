// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/engine/paging/host_access.h"

namespace namsan::host_access {

namespace {

// A guest's races are the guest's: ThreadSanitizer is not to look.
template <class T> [[gnu::no_sanitize("thread"), gnu::noinline]] T loadUnaligned(const uint8_t* host)
{
    struct [[gnu::packed, gnu::may_alias]] Unaligned
    {
        T value;
    };
    return reinterpret_cast<const volatile Unaligned*>(host)->value;
}

template <class T> [[gnu::no_sanitize("thread"), gnu::noinline]] void storeUnaligned(uint8_t* host, T value)
{
    struct [[gnu::packed, gnu::may_alias]] Unaligned
    {
        T value;
    };
    reinterpret_cast<volatile Unaligned*>(host)->value = value;
}

template <class T> bool exchangeAs(uint8_t* host, uint64_t& expected, uint64_t desired)
{
    T value = static_cast<T>(expected);
    const bool done = compareExchange<T>(host, value, static_cast<T>(desired));
    expected = value;
    return done;
}

} // namespace

uint64_t loadAnywhere(const uint8_t* host, unsigned size)
{
    switch (size) {
    case 1:
        return loadUnaligned<uint8_t>(host);
    case 2:
        return loadUnaligned<uint16_t>(host);
    case 4:
        return loadUnaligned<uint32_t>(host);
    case 8:
        return loadUnaligned<uint64_t>(host);
    default:
        uint64_t value = 0;
        for (unsigned i = 0; i < size; ++i)
            value |= uint64_t { loadUnaligned<uint8_t>(host + i) } << (8 * i);
        return value;
    }
}

void storeAnywhere(uint8_t* host, unsigned size, uint64_t value)
{
    switch (size) {
    case 1:
        return storeUnaligned(host, static_cast<uint8_t>(value));
    case 2:
        return storeUnaligned(host, static_cast<uint16_t>(value));
    case 4:
        return storeUnaligned(host, static_cast<uint32_t>(value));
    case 8:
        return storeUnaligned(host, value);
    default:
        for (unsigned i = 0; i < size; ++i)
            storeUnaligned(host + i, static_cast<uint8_t>(value >> (8 * i)));
    }
}

bool compareExchangeAnywhere(uint8_t* host, unsigned size, uint64_t& expected, uint64_t desired)
{
    switch (size) {
    case 1:
        return exchangeAs<uint8_t>(host, expected, desired);
    case 2:
        return exchangeAs<uint16_t>(host, expected, desired);
    case 4:
        return exchangeAs<uint32_t>(host, expected, desired);
    default:
        return exchangeAs<uint64_t>(host, expected, desired);
    }
}

} // namespace namsan::host_access
