// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QCoreApplication>

#include <array>
#include <optional>

namespace namsan {

// The application object that Qt's databases want, for the time of a test.
class TestCoreApplication {
public:
    TestCoreApplication()
    {
        if (!QCoreApplication::instance())
            m_application.emplace(m_count, m_arguments.data());
    }

private:
    int m_count = 1;
    std::array<char, 5> m_name { "test" };
    std::array<char*, 2> m_arguments { m_name.data(), nullptr };
    std::optional<QCoreApplication> m_application;
};

} // namespace namsan
