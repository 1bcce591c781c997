// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

// Guest memory at its host address, which other vCPUs may be at as well: each access that lies in one cache line is one
// access of the host's, as on hardware (Intel SDM volume 3, 9.1.1), and ordered as the host's are: x86 like the guest.
namespace namsan::host_access {

// At an address aligned to its size.
template <class T> inline T load(uintptr_t address)
{
    if constexpr (std::is_integral_v<T>) {
        return __atomic_load_n(reinterpret_cast<const T*>(address), __ATOMIC_RELAXED);
    } else {
        T value;
        std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
        return value;
    }
}

template <class T> inline void store(uintptr_t address, T value)
{
    if constexpr (std::is_integral_v<T>)
        __atomic_store_n(reinterpret_cast<T*>(address), value, __ATOMIC_RELAXED);
    else
        std::memcpy(reinterpret_cast<void*>(address), &value, sizeof value);
}

// At any address; 1 to 8 bytes.
uint64_t loadAnywhere(const uint8_t* host, unsigned size);
void storeAnywhere(uint8_t* host, unsigned size, uint64_t value);

// Replaces `expected` by `desired`, and tells whether it was there; otherwise expected becomes what was. At any
// address, one of the host's locked instructions: not to be used across cache lines, which some hosts punish.
template <class T> inline bool compareExchange(void* address, T& expected, T desired)
{
    bool done;
    asm volatile("lock cmpxchg %[desired], %[memory]"
                 : [memory] "+m"(*static_cast<T*>(address)), "+a"(expected), "=@ccz"(done)
                 : [desired] "q"(desired)
                 : "memory");
    return done;
}

bool compareExchangeAnywhere(uint8_t* host, unsigned size, uint64_t& expected, uint64_t desired);

} // namespace namsan::host_access
