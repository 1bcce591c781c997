// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <termios.h>
#include <vector>

namespace namsan {

// Standard input as a guest's serial console. A terminal is made raw, so that every key, Ctrl+C too, reaches the guest,
// and put back at the end of this object's life; Ctrl+] leaves. A pipe or a file is passed on as it is.
class Terminal {
public:
    explicit Terminal(int descriptor);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    int descriptor() const { return m_descriptor; } // to wait on
    bool isTerminal() const { return m_before.has_value(); }

    struct Input {
        std::vector<uint8_t> bytes; // for the guest
        bool leave = false; // the user typed Ctrl+]
        bool atEnd = false; // nothing will come any more
    };
    // What there is now; waits where there is nothing.
    Input read();

private:
    int m_descriptor;
    std::optional<termios> m_before; // how the terminal was
};

} // namespace namsan
