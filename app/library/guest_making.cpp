// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/library/guest_making.h"

#include "app/running/ending_signals.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace namsan {

namespace {

constexpr std::string_view scriptsName = "make-guest: "; // before each of its own lines

// The script's process: output and errors into one pipe, no input, its own process group, no signal blocked.
Result<pid_t> spawn(const std::vector<std::string>& words, int output)
{
    std::vector<char*> arguments;
    for (const std::string& word : words)
        arguments.push_back(const_cast<char*>(word.c_str())); // posix_spawn() does not write to them
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);

    pid_t process = 0;
    const int error = posix_spawn(&process, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return Error { fmt::format(
            "{} cannot be started: {}. Check that it is there and executable.", words[0], std::strerror(error)) };
    return process;
}

} // namespace

Result<GuestMaking> GuestMaking::start(const std::filesystem::path& script, std::string name, bool refresh)
{
    std::vector<std::string> words { script.string() };
    if (refresh)
        words.emplace_back("--refresh");
    words.push_back(name);
    std::array<int, 2> ends {};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        return Error { fmt::format(
            "The guest \"{}\" cannot be made: there is no pipe to its script ({}).", name, std::strerror(errno)) };
    const auto process = spawn(words, ends[1]);
    close(ends[1]);
    if (!process) {
        close(ends[0]);
        return process.error();
    }
    return GuestMaking(std::move(name), *process, ends[0]);
}

GuestMaking::GuestMaking(std::string name, pid_t process, int output)
    : m_name(std::move(name))
    , m_process(process)
    , m_output(output)
{
}

GuestMaking::GuestMaking(GuestMaking&& other) noexcept
    : m_name(std::move(other.m_name))
    , m_process(std::exchange(other.m_process, 0))
    , m_output(std::exchange(other.m_output, -1))
    , m_begun(std::move(other.m_begun))
    , m_lastLine(std::move(other.m_lastLine))
    , m_stopped(other.m_stopped)
{
}

GuestMaking::~GuestMaking()
{
    if (m_process > 0) {
        stop();
        waitpid(m_process, nullptr, 0);
    }
    if (m_output >= 0)
        close(m_output);
}

bool GuestMaking::read(const LineListener& listener)
{
    std::array<char, 4096> piece;
    const ssize_t count = ::read(m_output, piece.data(), piece.size());
    if (count < 0)
        return errno == EINTR;
    if (count == 0) {
        if (!m_begun.empty())
            takeLine(std::exchange(m_begun, {}), listener);
        return false;
    }
    m_begun.append(piece.data(), static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end = 0; (end = m_begun.find('\n', begin)) != std::string::npos; begin = end + 1)
        takeLine(std::string_view(m_begun).substr(begin, end - begin), listener);
    m_begun.erase(0, begin);
    return true;
}

void GuestMaking::takeLine(std::string_view line, const LineListener& listener)
{
    if (line.starts_with(scriptsName))
        line.remove_prefix(scriptsName.size());
    if (line.empty())
        return;
    m_lastLine = line;
    listener(line);
}

void GuestMaking::stop()
{
    m_stopped = true;
    if (m_process > 0)
        kill(-m_process, SIGTERM);
}

Result<void> GuestMaking::finish()
{
    int status = 0;
    while (waitpid(m_process, &status, 0) < 0 && errno == EINTR)
        ;
    m_process = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return {};
    if (m_stopped)
        return Error { fmt::format("The guest \"{}\" was not made, because it was stopped.", m_name) };
    return Error { fmt::format("The guest \"{}\" could not be made: {}", m_name,
        m_lastLine.empty() ? "its script gave no reason." : m_lastLine) };
}

Result<void> makeGuest(const std::filesystem::path& script, const std::string& name, bool refresh,
    const GuestMaking::LineListener& listener)
{
    const EndingSignals signals;
    auto making = GuestMaking::start(script, name, refresh);
    if (!making)
        return making.error();
    for (bool more = true; more;) {
        std::array<pollfd, 2> sources { {
            { making->descriptor(), POLLIN, 0 },
            { signals.descriptor(), POLLIN, 0 },
        } };
        poll(sources.data(), sources.size(), -1);
        if (sources[1].revents && signals.take() != 0)
            making->stop();
        if (sources[0].revents)
            more = making->read(listener);
    }
    return making->finish();
}

} // namespace namsan
