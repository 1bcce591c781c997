// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace namsan {

// Something to be called later that never takes memory from the heap: a lambda that holds no more than so many bytes of
// references, pointers and numbers.
template <size_t bytes> class InlineFunction {
public:
    InlineFunction() = default;

    template <class Callable>
    requires(!std::is_same_v<std::remove_cvref_t<Callable>, InlineFunction>)
        InlineFunction(Callable&& callable) // like std::function's: where one is asked for, a lambda can be given
    {
        using Held = std::remove_cvref_t<Callable>;
        static_assert(std::is_trivially_copyable_v<Held> && std::is_trivially_destructible_v<Held>);
        static_assert(sizeof(Held) <= bytes && alignof(Held) <= alignof(void*));
        new (m_held.data()) Held(std::forward<Callable>(callable));
        m_call = [](const std::byte* held) { (*std::launder(reinterpret_cast<const Held*>(held)))(); };
    }

    void operator()() const { m_call(m_held.data()); }

private:
    void (*m_call)(const std::byte*) = nullptr;
    alignas(void*) std::array<std::byte, bytes> m_held;
};

} // namespace namsan
