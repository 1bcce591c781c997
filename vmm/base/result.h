// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace namsan {

// Why something could not be done: one sentence for the user that names the thing, the reason and the remedy.
struct Error {
    std::string message;

    bool operator==(const Error&) const = default;
};

// A value, or the reason why there is none. Host failures and bad input travel this way; guests' mistakes never do
// (they get what hardware would give them), nor do programmers' mistakes (they are assertions).
template <class T> class [[nodiscard]] Result {
public:
    Result(T value)
        : m_content(std::move(value))
    {
    }
    Result(Error error)
        : m_content(std::move(error))
    {
    }

    bool ok() const { return m_content.index() == 0; }
    explicit operator bool() const { return ok(); }

    // Only after ok().
    T& value()
    {
        assert(ok());
        return *std::get_if<0>(&m_content);
    }
    const T& value() const
    {
        assert(ok());
        return *std::get_if<0>(&m_content);
    }
    T& operator*() { return value(); }
    const T& operator*() const { return value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    // Only after !ok().
    const Error& error() const
    {
        assert(!ok());
        return *std::get_if<1>(&m_content);
    }

private:
    std::variant<T, Error> m_content;
};

template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error)
        : m_error(std::move(error))
        , m_failed(true)
    {
    }

    bool ok() const { return !m_failed; }
    explicit operator bool() const { return ok(); }

    // Only after !ok().
    const Error& error() const
    {
        assert(m_failed);
        return m_error;
    }

private:
    Error m_error;
    bool m_failed = false;
};

} // namespace namsan
