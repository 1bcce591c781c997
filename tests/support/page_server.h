// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "vmm/base/file_descriptor.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace namsan {

// A web server of the host, on its loopback.
class PageServer {
public:
    // Gives the page, as HTML, for what a GET asks for, such as "/page?text=x". Called on the server's thread.
    using Pages = std::function<std::string(const std::string& asked)>;

    explicit PageServer(Pages);
    ~PageServer();

    uint16_t port() const { return m_port; }
    // How often this was asked for, byte for byte.
    int asked(const std::string& what) const;
    // Everything that was asked for, in order.
    std::vector<std::string> allAsked() const;

private:
    void serve();
    void answer(const FileDescriptor& connection);

    const Pages m_pages;
    FileDescriptor m_socket;
    uint16_t m_port = 0;
    std::atomic<bool> m_quit = false;
    mutable std::mutex m_mutex;
    std::vector<std::string> m_asked;
    std::thread m_thread;
};

} // namespace namsan
