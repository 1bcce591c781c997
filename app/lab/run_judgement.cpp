// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/run_judgement.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace namsan {

namespace {

using Json = nlohmann::json;

Json part(const Json& json, const char* key)
{
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() ? *found : Json();
}

std::string textOf(const Json& json, const char* key)
{
    const Json value = part(json, key);
    return value.is_string() ? value.get<std::string>() : std::string {};
}

double numberOf(const Json& json, const char* key)
{
    const Json value = part(json, key);
    return value.is_number() ? value.get<double>() : 0;
}

// Where a thread was asked to be and where it was seen, by role ("vmm", "vcpu0"). A thread that never ran in a look was
// nowhere; then what the kernel granted counts alone.
std::string misplacement(const Json& placement)
{
    const Json requested = part(placement, "requested");
    if (!requested.is_object() || requested.size() < 2)
        return "The run's record does not say where its threads were.";
    for (const auto& [role, cpu] : requested.items()) {
        if (!cpu.is_number_unsigned())
            continue; // the policy's name, and threads that are not pinned
        const Json granted = part(part(placement, "granted"), role.c_str());
        if (granted != Json::array({ cpu }))
            return fmt::format(
                "The thread {} was to run on CPU {} and the host granted it {}; look at what limits this "
                "process (taskset, cgroups).",
                role, cpu.dump(), granted.dump());
        const Json observed = part(part(placement, "observed"), role.c_str());
        for (const auto& [seenOn, times] : observed.items()) {
            if (seenOn != cpu.dump())
                return fmt::format("The thread {} was to run on CPU {} and was seen {} times on CPU {}.", role,
                    cpu.dump(), times.dump(), seenOn);
        }
    }
    return {};
}

Json findWorkload(const Json& record, std::string_view name)
{
    Json found;
    for (const Json& candidate : part(record, "workloads")) {
        if (textOf(candidate, "name") == name)
            found = candidate; // the last: a guest that was reset began again
    }
    return found;
}

} // namespace

ExperimentRun judgeRun(std::string_view text, std::string_view workload, std::string_view why)
{
    const Json record = Json::parse(text, nullptr, false);
    ExperimentRun run;
    run.engineName = textOf(part(record, "engine"), "name");
    run.startedAt = textOf(record, "started_at");
    const Json work = findWorkload(record, workload);
    run.guestSeconds = numberOf(work, "guest_seconds");
    run.hostSeconds = numberOf(work, "host_seconds");

    const auto fail = [&](RunStatus status, std::string reason) {
        run.status = status;
        run.reason = std::move(reason);
        return run;
    };
    const auto isTrue = [&](const char* key) { return part(work, key) == Json(true); };
    if (!record.is_object())
        return fail(RunStatus::Failed, why.empty() ? "The run left no record." : std::string(why));
    if (!isTrue("finished") || !isTrue("ok")) {
        if (!why.empty())
            return fail(RunStatus::Failed, std::string(why));
        return fail(RunStatus::Failed,
            isTrue("finished")
                ? fmt::format("The guest reported that its workload {} failed; its log tells more.", workload)
                : fmt::format("The guest's workload {} never came to its end; its log tells more.", workload));
    }
    if (!why.empty())
        return fail(RunStatus::Failed, std::string(why));
    if (std::string misplaced = misplacement(part(record, "placement")); !misplaced.empty())
        return fail(RunStatus::Misplaced, std::move(misplaced));
    return run;
}

} // namespace namsan
