// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <vector>

namespace namsan {

// A folder that goes with the test.
class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "namsan-test-XXXXXX").string();
        m_path = mkdtemp(name.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(m_path); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    std::string path(std::string_view name) const { return (m_path / name).string(); }
    std::string write(std::string_view name, std::string_view content) const
    {
        std::filesystem::create_directories((m_path / name).parent_path());
        std::ofstream(m_path / name, std::ios::binary) << content;
        return path(name);
    }
    std::string write(std::string_view name, const std::vector<uint8_t>& content) const
    {
        return write(name, std::string_view(reinterpret_cast<const char*>(content.data()), content.size()));
    }
    std::string read(std::string_view name) const
    {
        std::ifstream file(m_path / name, std::ios::binary);
        return { std::istreambuf_iterator<char>(file), {} };
    }
    size_t files() const
    {
        return static_cast<size_t>(
            std::distance(std::filesystem::directory_iterator(m_path), std::filesystem::directory_iterator {}));
    }

private:
    std::filesystem::path m_path;
};

} // namespace namsan
