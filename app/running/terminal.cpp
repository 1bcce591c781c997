// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/terminal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <unistd.h>

namespace namsan {

namespace {

constexpr uint8_t controlRightBracket = 0x1d;

} // namespace

Terminal::Terminal(int descriptor)
    : m_descriptor(descriptor)
{
    termios settings {};
    if (tcgetattr(descriptor, &settings) != 0)
        return;
    m_before = settings;
    cfmakeraw(&settings);
    settings.c_oflag = m_before->c_oflag; // messages of this program still need their carriage returns
    tcsetattr(descriptor, TCSADRAIN, &settings);
}

Terminal::~Terminal()
{
    if (m_before)
        tcsetattr(m_descriptor, TCSADRAIN, &*m_before);
}

Terminal::Input Terminal::read()
{
    std::array<uint8_t, 1024> buffer;
    const ssize_t size = ::read(m_descriptor, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN))
        return {};
    if (size <= 0)
        return { .bytes = {}, .leave = false, .atEnd = true };
    const auto end = buffer.begin() + size;
    const auto last = isTerminal() ? std::find(buffer.begin(), end, controlRightBracket) : end;
    return { .bytes = { buffer.begin(), last }, .leave = last != end, .atEnd = false };
}

} // namespace namsan
