// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/child_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace namsan {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// The C library of Debian 12 declares pidfd_open() in a way that C++ cannot link.
int openProcess(pid_t id)
{
    return static_cast<int>(syscall(SYS_pidfd_open, id, 0));
}

// What the child does between fork() and its own program: system calls only, since another thread may hold any lock.
struct Beginning {
    std::vector<char*> arguments;
    const char* errors;
    int output;
    int failure; // where errno goes when the program can't be run
    pid_t parent;
    const cpu_set_t* cpus;

    [[noreturn]] void begin() const
    {
        // The signal comes when the parent is gone already, too: it is looked for after asking.
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        setpgid(0, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        std::signal(SIGPIPE, SIG_DFL);
        const int input = open("/dev/null", O_RDONLY);
        const int messages = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        const bool ready = input >= 0 && messages >= 0 && dup2(input, STDIN_FILENO) >= 0
            && dup2(output, STDOUT_FILENO) >= 0 && dup2(messages, STDERR_FILENO) >= 0
            && (!cpus || sched_setaffinity(0, sizeof *cpus, cpus) == 0);
        if (ready)
            execvp(arguments[0], arguments.data());
        const int why = errno;
        static_cast<void>(!write(failure, &why, sizeof why));
        _exit(127);
    }
};

} // namespace

Result<ChildProcess> ChildProcess::start(const Orders& orders)
{
    const auto refuse = [&](int number) {
        return Error { fmt::format(
            "The program {} can't be started: {}.", orders.arguments[0], std::strerror(number)) };
    };
    std::array<int, 2> output {};
    std::array<int, 2> failure {};
    if (pipe2(output.data(), O_CLOEXEC) != 0)
        return refuse(errno);
    FileDescriptor outputRead(output[0]);
    const FileDescriptor outputWrite(output[1]);
    if (pipe2(failure.data(), O_CLOEXEC) != 0)
        return refuse(errno);
    const FileDescriptor failureRead(failure[0]);
    FileDescriptor failureWrite(failure[1]);

    std::vector<std::string> words = orders.arguments;
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (orders.cpu)
        CPU_SET(*orders.cpu, &cpus);
    Beginning beginning { {}, orders.errors.c_str(), outputWrite.number(), failureWrite.number(), getpid(),
        orders.cpu ? &cpus : nullptr };
    for (std::string& word : words)
        beginning.arguments.push_back(word.data());
    beginning.arguments.push_back(nullptr);

    const pid_t id = fork();
    if (id < 0)
        return refuse(errno);
    if (id == 0)
        beginning.begin();
    ChildProcess child(id, FileDescriptor(openProcess(id)), std::move(outputRead));
    failureWrite = FileDescriptor();
    int why = 0;
    if (read(failureRead.number(), &why, sizeof why) == sizeof why)
        return refuse(why);
    if (child.m_process.number() < 0)
        return refuse(errno);
    return child;
}

ChildProcess::ChildProcess(pid_t id, FileDescriptor process, FileDescriptor output)
    : m_id(id)
    , m_process(std::move(process))
    , m_output(std::move(output))
{
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : m_id(std::exchange(other.m_id, 0))
    , m_process(std::move(other.m_process))
    , m_output(std::move(other.m_output))
{
}

ChildProcess::~ChildProcess()
{
    if (m_id == 0)
        return;
    kill();
    reap();
}

ChildEnding ChildProcess::wait(const Watch& watch)
{
    constexpr auto tickInterval = 100ms;
    const auto begin = Clock::now();
    bool killed = false;
    bool stopped = false;
    bool timedOut = false;
    while (!killed) {
        std::array<pollfd, 3> sources { {
            { m_output.number(), POLLIN, 0 },
            { m_process.number(), POLLIN, 0 },
            { watch.stopDescriptor, POLLIN, 0 },
        } };
        const auto patience = watch.tick ? tickInterval : 1000ms;
        if (poll(sources.data(), sources.size(), static_cast<int>(patience.count())) < 0 && errno != EINTR)
            break;
        stopped = sources[2].revents != 0;
        timedOut = watch.limit && Clock::now() - begin >= *watch.limit;
        if (sources[0].revents && !readOutput(watch))
            m_output = FileDescriptor(); // poll() passes over -1
        killed = stopped || timedOut || (watch.enough && watch.enough());
        if (killed)
            kill();
        else if (watch.tick)
            watch.tick();
        // What it wrote last is read before its end is taken notice of.
        if (sources[1].revents && !sources[0].revents)
            break;
    }
    ChildEnding ending = reap();
    ending.stopped = stopped;
    ending.timedOut = timedOut;
    return ending;
}

bool ChildProcess::readOutput(const Watch& watch)
{
    std::array<uint8_t, 4096> bytes;
    const ssize_t size = read(m_output.number(), bytes.data(), bytes.size());
    if (size <= 0)
        return false;
    if (watch.output)
        watch.output({ bytes.data(), static_cast<size_t>(size) });
    return true;
}

void ChildProcess::kill()
{
    // The group: what it has started itself goes, too. The child may not have made it yet.
    if (::kill(-m_id, SIGKILL) != 0)
        ::kill(m_id, SIGKILL);
}

ChildEnding ChildProcess::reap()
{
    int status = 0;
    while (waitpid(m_id, &status, 0) < 0 && errno == EINTR)
        ;
    m_id = 0;
    ChildEnding ending;
    if (WIFEXITED(status))
        ending.exitCode = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        ending.signal = WTERMSIG(status);
    return ending;
}

} // namespace namsan
