// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/page_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace namsan {

PageServer::PageServer(Pages pages)
    : m_pages(std::move(pages))
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

PageServer::~PageServer()
{
    m_quit = true;
    m_thread.join();
}

int PageServer::asked(const std::string& what) const
{
    const std::lock_guard guard(m_mutex);
    return static_cast<int>(std::ranges::count(m_asked, what));
}

std::vector<std::string> PageServer::allAsked() const
{
    const std::lock_guard guard(m_mutex);
    return m_asked;
}

void PageServer::serve()
{
    while (!m_quit) {
        pollfd entry { m_socket.number(), POLLIN, 0 };
        if (poll(&entry, 1, 50) == 1)
            answer(FileDescriptor(accept(m_socket.number(), nullptr, nullptr)));
    }
}

void PageServer::answer(const FileDescriptor& connection)
{
    // Browsers open connections that they may want later.
    const timeval patience { 1, 0 };
    setsockopt(connection.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::string request;
    std::array<char, 1000> buffer;
    while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = recv(connection.number(), buffer.data(), buffer.size(), 0);
        if (count <= 0)
            return;
        request.append(buffer.data(), static_cast<size_t>(count));
    }
    const std::string method = "GET ";
    if (!request.starts_with(method))
        return;
    const std::string asked = request.substr(method.size(), request.find(' ', method.size()) - method.size());
    {
        const std::lock_guard guard(m_mutex);
        m_asked.push_back(asked);
    }
    const std::string page = m_pages(asked);
    const std::string answer
        = fmt::format("HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", page.size()) + page;
    for (size_t sent = 0; sent < answer.size();) {
        const ssize_t count = send(connection.number(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count <= 0)
            return;
        sent += static_cast<size_t>(count);
    }
}

} // namespace namsan
