// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/differential/native_host.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace namsan {

namespace {

// A file without a name that the runner maps as well.
class SharedCases {
public:
    explicit SharedCases(std::span<const std::byte> cases)
        : m_size(cases.size())
        , m_file(memfd_create("differential-cases", 0))
    {
        if (m_file < 0 || ftruncate(m_file, static_cast<off_t>(m_size)) < 0)
            return;
        void* at = mmap(nullptr, m_size, PROT_READ | PROT_WRITE, MAP_SHARED, m_file, 0);
        if (at == MAP_FAILED)
            return;
        m_cases = at;
        std::memcpy(at, cases.data(), m_size);
    }
    ~SharedCases()
    {
        if (m_cases)
            munmap(m_cases, m_size);
        if (m_file >= 0)
            close(m_file);
    }
    SharedCases(const SharedCases&) = delete;
    SharedCases& operator=(const SharedCases&) = delete;

    bool ok() const { return m_cases; }
    std::string path() const { return "/proc/self/fd/" + std::to_string(m_file); } // inherited by the runner
    const void* cases() const { return m_cases; }

private:
    size_t m_size;
    int m_file;
    void* m_cases = nullptr;
};

template <class Case> Result<void> run(std::span<Case> cases, std::string option)
{
    const SharedCases shared(std::as_bytes(cases));
    if (!shared.ok())
        return Error { std::string("The cases cannot be shared with the native runner: ") + std::strerror(errno) };

    std::string program = NAMSAN_NATIVE_RUNNER;
    std::string file = shared.path();
    std::vector<char*> arguments { program.data() };
    if (!option.empty())
        arguments.push_back(option.data());
    arguments.insert(arguments.end(), { file.data(), nullptr });
    pid_t child;
    if (const int error = posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments.data(), environ); error != 0)
        return Error { program + " cannot be started: " + std::strerror(error)
            + "; 32-bit programs need a kernel with"
              " CONFIG_IA32_EMULATION" };
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    std::memcpy(cases.data(), shared.cases(), cases.size_bytes());
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        size_t completed = 0;
        while (completed < cases.size() && cases[completed].done)
            ++completed;
        return Error { "The native runner ended with status " + std::to_string(status) + " in case "
            + std::to_string(completed) };
    }
    return {};
}

} // namespace

Result<void> runOnHost(std::span<NativeCase> cases)
{
    return run(cases, {});
}

Result<void> runOnHost(std::span<NativeStream> streams)
{
    return run(streams, "--streams");
}

} // namespace namsan
