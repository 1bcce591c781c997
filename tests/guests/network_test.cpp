// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"
#include "vmm/base/file_descriptor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <thread>

namespace namsan {

namespace {

// A web server of the host, on its loopback, for one page.
class PageServer {
public:
    explicit PageServer(std::string page)
        : m_page(std::move(page))
        , m_socket(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(bind(m_socket.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(listen(m_socket.number(), 8), 0);
        getsockname(m_socket.number(), reinterpret_cast<sockaddr*>(&address), &size);
        m_port = ntohs(address.sin_port);
        m_thread = std::thread([this] { serve(); });
    }
    ~PageServer()
    {
        m_quit = true;
        m_thread.join();
    }

    uint16_t port() const { return m_port; }
    int asked() const { return m_asked; }

private:
    void serve()
    {
        while (!m_quit) {
            pollfd entry { m_socket.number(), POLLIN, 0 };
            if (poll(&entry, 1, 50) == 1)
                answer(FileDescriptor(accept(m_socket.number(), nullptr, nullptr)));
        }
    }
    void answer(const FileDescriptor& connection)
    {
        std::string request;
        std::array<char, 1000> buffer;
        while (request.find("\r\n\r\n") == std::string::npos) {
            const ssize_t count = recv(connection.number(), buffer.data(), buffer.size(), 0);
            if (count <= 0)
                return;
            request.append(buffer.data(), static_cast<size_t>(count));
        }
        if (request.starts_with("GET /page "))
            ++m_asked;
        const std::string answer = fmt::format("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n", m_page.size()) + m_page;
        for (size_t sent = 0; sent < answer.size();) {
            const ssize_t count = send(connection.number(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
            if (count <= 0)
                return;
            sent += static_cast<size_t>(count);
        }
    }

    const std::string m_page;
    FileDescriptor m_socket;
    uint16_t m_port = 0;
    std::atomic<bool> m_quit = false;
    std::atomic<int> m_asked = 0;
    std::thread m_thread;
};

// What sha256sum(1) of the host says of a file: the guest has the same program.
std::string sha256Of(const std::string& path)
{
    const std::string command = "sha256sum " + path;
    FILE* pipe = popen(command.c_str(), "r");
    std::array<char, 65> sum {};
    if (pipe) {
        EXPECT_NE(fgets(sum.data(), static_cast<int>(sum.size()), pipe), nullptr);
        pclose(pipe);
    }
    return sum.data();
}

std::string randomPage(size_t size)
{
    std::random_device seed;
    std::mt19937 random(seed());
    std::string page(size, ' ');
    for (char& c : page)
        c = static_cast<char>(random());
    return page;
}

class NetworkTest : public ::testing::Test {
protected:
    const TemporaryFolder results;

    void SetUp() override
    {
        ASSERT_TRUE(exists(guestFolder("tiny-net") / "vmlinuz"))
            << "There is no guest tiny-net. Make it: resources/guests/make-guest tiny-net (./test does).";
    }
    ProgramRun run(std::vector<std::string> more)
    {
        std::vector<std::string> arguments { "run", "tiny-net", "--headless", "--engine", "soft", "--serial",
            results.path("serial"), "--record", results.path("record.json"), "--timeout", "200" };
        arguments.insert(arguments.end(), more.begin(), more.end());
        return runNamsan(arguments);
    }
    std::string serial() const { return contentsOf(results.path("serial")); }
};

} // namespace

TEST_F(NetworkTest, FetchesAPageFromTheHostOverTheNat)
{
    const std::string page = randomPage(300'000);
    const PageServer server(page);
    results.write("page", page);
    const std::string sum = sha256Of(results.path("page"));
    ASSERT_EQ(sum.size(), 64u);
    const ProgramRun done = run({ "--type",
        fmt::format(
            "/ #=>wget -q -O /tmp/page http://10.0.2.2:{}/page; sha256sum /tmp/page >/dev/ttyS0\\n", server.port()),
        "--until", sum });
    EXPECT_EQ(done.exitCode, 0) << done.output << serial();
    EXPECT_NE(serial().find("eth0: 10.0.2.15/24"), std::string::npos) << serial();
    EXPECT_EQ(server.asked(), 1);
    const auto record = nlohmann::json::parse(contentsOf(results.path("record.json")));
    const auto& figures = record.at("samples").back().at("network");
    EXPECT_GT(figures.at("bytes_received").get<uint64_t>(), page.size());
    EXPECT_EQ(figures.at("frames_malformed"), 0);
}

TEST_F(NetworkTest, ReachesNothingOnTheHostIfTold)
{
    const PageServer server("never seen");
    const ProgramRun done = run({ "--no-host-access", "--type",
        fmt::format(
            "/ #=>wget -q -T 5 -O - http://10.0.2.2:{}/page || echo refused $((6*7)) >/dev/ttyS0\\n", server.port()),
        "--until", "refused 42" });
    EXPECT_EQ(done.exitCode, 0) << done.output << serial();
    EXPECT_EQ(server.asked(), 0);
}

TEST_F(NetworkTest, HasAnAddressOfflineAndReachesNothing)
{
    const PageServer server("never seen");
    const ProgramRun done = run({ "--network", "offline", "--type",
        fmt::format(
            "/ #=>wget -q -T 5 -O - http://10.0.2.2:{}/page || echo refused $((6*7)) >/dev/ttyS0\\n", server.port()),
        "--until", "refused 42" });
    EXPECT_EQ(done.exitCode, 0) << done.output << serial();
    EXPECT_NE(serial().find("eth0: 10.0.2.15/24"), std::string::npos) << serial();
    EXPECT_EQ(server.asked(), 0);
}

} // namespace namsan
