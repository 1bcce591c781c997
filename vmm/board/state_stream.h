// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/result.h"

#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace namsan {

// The saved state of one device or of a whole board, as bytes.
using Snapshot = std::vector<uint8_t>;

// What may be saved: numbers, enumerations, and arrays and aggregates of them without padding or pointers.
template <class T>
concept Saveable
    = std::is_trivially_copyable_v<T> && !std::is_pointer_v<
          T> && (std::has_unique_object_representations_v<T> || std::is_floating_point_v<T> || std::same_as<T, bool>);

// Writes a device's state, in the order in which restore() will take it.
class StateWriter {
public:
    explicit StateWriter(Snapshot& snapshot)
        : m_snapshot(snapshot)
    {
    }

    template <Saveable... T> void put(const T&... values) { (append(&values, sizeof values), ...); }

    // Bytes whose number restore() does not know beforehand.
    void putBytes(std::span<const uint8_t> bytes)
    {
        put(static_cast<uint64_t>(bytes.size()));
        append(bytes.data(), bytes.size());
    }

private:
    void append(const void* from, size_t size)
    {
        const auto* bytes = static_cast<const uint8_t*>(from);
        m_snapshot.insert(m_snapshot.end(), bytes, bytes + size);
    }

    Snapshot& m_snapshot;
};

// Reads what a StateWriter wrote. The snapshot may come from a file and so be short or false: a device takes everything
// that it needs into temporaries, checks it, and changes itself only then.
class StateReader {
public:
    explicit StateReader(std::span<const uint8_t> snapshot)
        : m_rest(snapshot)
    {
    }

    template <Saveable T> Result<T> take()
    {
        if (m_rest.size() < sizeof(T))
            return truncated();
        T value;
        if constexpr (std::same_as<T, bool>) {
            value = m_rest[0] != 0; // any other byte than 0 and 1 would be no bool at all
        } else {
            std::memcpy(&value, m_rest.data(), sizeof value);
        }
        m_rest = m_rest.subspan(sizeof value);
        return value;
    }

    // Fills all the variables, or none of them.
    template <Saveable... T> Result<void> takeInto(T&... variables)
    {
        if (m_rest.size() < (sizeof(T) + ... + 0))
            return truncated();
        ((variables = *take<T>()), ...);
        return {};
    }

    // At most largest bytes.
    Result<std::vector<uint8_t>> takeBytes(uint64_t largest)
    {
        auto size = take<uint64_t>();
        if (!size)
            return size.error();
        if (*size > largest || *size > m_rest.size())
            return truncated();
        std::vector<uint8_t> bytes(m_rest.begin(), m_rest.begin() + static_cast<std::ptrdiff_t>(*size));
        m_rest = m_rest.subspan(*size);
        return bytes;
    }

    bool atEnd() const { return m_rest.empty(); }

    // The error for a state that was read in full but that the device could never have been in.
    static Error impossible(std::string_view device)
    {
        return { "The saved state of the " + std::string(device)
            + " holds values that the device cannot have. The snapshot is damaged; use another one." };
    }

private:
    static Error truncated() { return { "The saved state ends too early. The snapshot is damaged; use another one." }; }

    std::span<const uint8_t> m_rest;
};

} // namespace namsan
