// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/settings_text.h"

#include <nlohmann/json.hpp>

namespace namsan {

std::string settingsToText(const ExperimentSettings& settings)
{
    const nlohmann::ordered_json json { { "name", settings.name }, { "workload", settings.workload },
        { "size", settings.size }, { "engines", settings.engines }, { "columns", describe(settings.columns) },
        { "repetitions", settings.repetitions }, { "seed", settings.seed } };
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<ExperimentSettings> settingsFromText(const std::string& text)
{
    const auto json = nlohmann::json::parse(text, nullptr, false);
    try {
        ExperimentSettings settings;
        json.at("name").get_to(settings.name);
        json.at("workload").get_to(settings.workload);
        json.at("size").get_to(settings.size);
        json.at("engines").get_to(settings.engines);
        json.at("repetitions").get_to(settings.repetitions);
        json.at("seed").get_to(settings.seed);
        auto columns = parseColumns(json.at("columns").get<std::string>());
        if (!columns)
            return columns.error();
        settings.columns = std::move(*columns);
        return settings;
    } catch (const nlohmann::json::exception&) {
        return Error { "an experiment's settings are incomplete" };
    }
}

std::string_view statusToText(RunStatus status)
{
    switch (status) {
    case RunStatus::Ok:
        return "ok";
    case RunStatus::Failed:
        return "failed";
    case RunStatus::Misplaced:
        return "misplaced";
    }
    return "failed";
}

RunStatus statusFromText(std::string_view text)
{
    return text == "ok" ? RunStatus::Ok : text == "misplaced" ? RunStatus::Misplaced : RunStatus::Failed;
}

} // namespace namsan
