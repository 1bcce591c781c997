// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running/move_script.h"

#include "vmm/machine/machine_config_schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace namsan {

Result<EngineMoveStep> parseEngineMoveStep(std::string_view text)
{
    constexpr std::string_view arrow = "=>";
    const size_t position = text.find(arrow);
    if (position == std::string_view::npos || position == 0)
        return Error { fmt::format("The move \"{}\" is not understood; write the text to wait for, => and the engine, "
                                   "such as 'login: =>kvm'.",
            text) };
    const std::string_view engine = text.substr(position + arrow.size());
    const auto fields = machineConfigSchema();
    const auto field = std::ranges::find_if(fields, [](const ConfigField& one) { return one.key == "engine"; });
    MachineConfig unused;
    if (auto known = field->parse(unused, std::string(engine)); !known)
        return known.error();
    return EngineMoveStep { std::string(text.substr(0, position)), std::string(engine) };
}

MoveScript::MoveScript(std::vector<EngineMoveStep> steps)
    : m_steps(steps.begin(), steps.end())
{
    beginWaiting();
}

std::vector<std::string> MoveScript::serialOutput(std::span<const uint8_t> bytes)
{
    std::vector<std::string> due;
    while (m_wait) {
        const auto taken = m_wait->look(bytes);
        if (!taken)
            break;
        bytes = bytes.subspan(*taken);
        due.push_back(m_steps.front().engine);
        m_steps.pop_front();
        beginWaiting();
    }
    return due;
}

void MoveScript::beginWaiting()
{
    m_wait.reset();
    if (!m_steps.empty())
        m_wait.emplace(m_steps.front().waitFor);
}

} // namespace namsan
