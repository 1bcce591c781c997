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

extern char** environ;

namespace namsan {

namespace {

// A file without a name that the runner maps as well.
class SharedCases {
public:
    explicit SharedCases(std::span<const NativeCase> cases)
        : m_size(cases.size_bytes())
        , m_file(memfd_create("differential-cases", 0))
    {
        if (m_file < 0 || ftruncate(m_file, static_cast<off_t>(m_size)) < 0)
            return;
        void* at = mmap(nullptr, m_size, PROT_READ | PROT_WRITE, MAP_SHARED, m_file, 0);
        if (at == MAP_FAILED)
            return;
        m_cases = static_cast<NativeCase*>(at);
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
    const NativeCase* cases() const { return m_cases; }

private:
    size_t m_size;
    int m_file;
    NativeCase* m_cases = nullptr;
};

} // namespace

Result<void> runOnHost(std::span<NativeCase> cases)
{
    const SharedCases shared(cases);
    if (!shared.ok())
        return Error { std::string("The cases cannot be shared with the native runner: ") + std::strerror(errno) };

    std::string program = NAMSAN_NATIVE_RUNNER;
    std::string file = shared.path();
    char* arguments[] = { program.data(), file.data(), nullptr };
    pid_t child;
    if (const int error = posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ); error != 0)
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

} // namespace namsan
