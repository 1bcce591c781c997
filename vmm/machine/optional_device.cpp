// SPDX-License-Identifier: GPL-3.0-or-later
#include "vmm/machine/optional_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace namsan {

namespace {

using Kind = OptionalDevice::Kind;

constexpr std::array names {
    std::pair(Kind::DebugExit, std::string_view("isa-debug-exit")),
    std::pair(Kind::DebugConsole, std::string_view("debugcon")),
    std::pair(Kind::SeaBiosConsole, std::string_view("port402")),
};

constexpr std::string_view fileOption = "file=";

} // namespace

std::string_view nameOf(Kind kind)
{
    return std::ranges::find(names, kind, &std::pair<Kind, std::string_view>::first)->second;
}

Result<OptionalDevice> parseOptionalDevice(std::string_view text)
{
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view name = text.substr(0, comma);
    const auto known = std::ranges::find(names, name, &std::pair<Kind, std::string_view>::second);
    if (known == names.end())
        return Error { fmt::format(
            "There is no optional device \"{}\"; choose isa-debug-exit, debugcon or port402.", name) };
    OptionalDevice device { known->first, {} };
    if (comma == text.size())
        return device;
    const std::string_view option = text.substr(comma + 1);
    if (device.kind == Kind::DebugExit)
        return Error { fmt::format(
            "The device isa-debug-exit takes no options, and \"{}\" was given; it is always at port F4h.", option) };
    if (!option.starts_with(fileOption) || option.size() == fileOption.size())
        return Error { fmt::format(
            "The device {} does not take \"{}\"; write {},file=FILE, or leave it out for the log.", name, option,
            name) };
    device.file = option.substr(fileOption.size());
    return device;
}

std::string format(const OptionalDevice& device)
{
    std::string text(nameOf(device.kind));
    if (!device.file.empty())
        text += fmt::format(",{}{}", fileOption, device.file);
    return text;
}

} // namespace namsan
