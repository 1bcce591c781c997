// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/qemu_threads.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sstream>

namespace namsan {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Stat {
    std::string name;
    uint64_t ticks = 0; // user and system
    LogicalCpu cpu = 0; // where it ran last
};

// Fields 2, 14, 15 and 39. The name stands in parentheses and may hold anything: proc(5).
std::optional<Stat> readStat(const fs::path& file)
{
    std::ifstream stream(file);
    std::stringstream content;
    content << stream.rdbuf();
    const std::string text = content.str();
    const size_t open = text.find('(');
    const size_t close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos)
        return std::nullopt;
    std::istringstream fields(text.substr(close + 1));
    std::string field;
    Stat stat { text.substr(open + 1, close - open - 1) };
    for (int number = 3; number <= 39 && fields >> field; ++number) {
        if (number == 14 || number == 15)
            stat.ticks += std::strtoull(field.c_str(), nullptr, 10);
        else if (number == 39)
            stat.cpu = static_cast<LogicalCpu>(std::strtoul(field.c_str(), nullptr, 10));
    }
    return stat;
}

std::optional<size_t> vcpuNamed(const std::string& thread)
{
    unsigned vcpu = 0;
    return std::sscanf(thread.c_str(), "CPU %u/", &vcpu) == 1 ? std::optional<size_t>(vcpu) : std::nullopt;
}

// setAffinity() is for this process's own threads. What the kernel granted; nothing where the thread has gone.
CpuSet moveTo(ThreadId thread, std::optional<LogicalCpu> cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu) {
        CPU_SET(*cpu, &set);
        sched_setaffinity(thread, sizeof set, &set);
    }
    CPU_ZERO(&set);
    CpuSet granted;
    if (sched_getaffinity(thread, sizeof set, &set) != 0)
        return granted;
    for (LogicalCpu candidate = 0; candidate < CPU_SETSIZE; ++candidate) {
        if (CPU_ISSET(candidate, &set))
            granted.insert(candidate);
    }
    return granted;
}

Json toJson(const std::optional<LogicalCpu>& cpu)
{
    return cpu ? Json(*cpu) : Json(nullptr);
}

std::string keyOf(size_t role)
{
    return role == 0 ? "vmm" : fmt::format("vcpu{}", role - 1);
}

} // namespace

QemuThreads::QemuThreads(pid_t process, Placement placement)
    : m_process(process)
    , m_placement(std::move(placement))
    , m_roles(1 + m_placement.vcpus.size())
{
}

void QemuThreads::look()
{
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", m_process), gone)) {
        const auto id = static_cast<ThreadId>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
        const auto stat = readStat(entry.path() / "stat");
        if (!stat)
            continue;
        const auto known = m_threads.find(id);
        const auto vcpu = vcpuNamed(stat->name);
        // A thread names itself soon after it began; until then it has the program's name.
        if (known == m_threads.end() || (vcpu && known->second.role == 0)) {
            begin(id, vcpu);
            m_threads[id].ticks = stat->ticks;
            continue;
        }
        // A thread that slept since the last look was nowhere.
        if (stat->ticks != known->second.ticks)
            ++m_roles[known->second.role].observed[stat->cpu];
        known->second.ticks = stat->ticks;
    }
}

void QemuThreads::begin(ThreadId id, std::optional<size_t> vcpu)
{
    if (vcpu && *vcpu < m_placement.vcpus.size()) {
        m_threads[id].role = 1 + *vcpu;
        m_roles[1 + *vcpu].granted = moveTo(id, m_placement.vcpus[*vcpu]);
        return;
    }
    m_threads[id].role = 0;
    if (m_placement.vmm)
        m_roles[0].granted = { *m_placement.vmm };
}

std::optional<LogicalCpu> QemuThreads::placeOf(size_t role) const
{
    return role == 0 ? m_placement.vmm : m_placement.vcpus[role - 1];
}

Json QemuThreads::toJson() const
{
    Json requested { { "policy", describe(m_placement) } };
    Json granted = Json::object();
    Json observed = Json::object();
    for (size_t role = 0; role < m_roles.size(); ++role) {
        const std::string key = keyOf(role);
        requested[key] = namsan::toJson(placeOf(role));
        granted[key] = m_roles[role].granted;
        observed[key] = Json::object();
        for (const auto& [cpu, times] : m_roles[role].observed)
            observed[key][fmt::format("{}", cpu)] = times;
    }
    return { { "requested", requested }, { "granted", granted }, { "observed", observed } };
}

} // namespace namsan
