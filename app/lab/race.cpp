// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/lab/race.h"

#include "app/lab/race_lanes.h"
#include "app/lab/random_numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <numeric>

namespace namsan {

namespace {

using Kind = RaceOrder::Kind;

// One round may go wrong by chance; a second one in succession will not be the last.
constexpr unsigned mostFailures = 2;

} // namespace

Result<void> checkRace(const RaceSettings& settings)
{
    if (settings.lanes.size() < fewestLanes || settings.lanes.size() > mostLanes)
        return Error { fmt::format("A race has {} to {} lanes, and {} {} asked for; write them as 1d,2s.", fewestLanes,
            mostLanes, settings.lanes.size(), settings.lanes.size() == 1 ? "is" : "are") };
    if (settings.rounds < 1 || settings.rounds > mostRounds)
        return Error { fmt::format("A race has 1 to {} rounds, not {}.", mostRounds, settings.rounds) };
    return {};
}

bool RaceRound::counted() const
{
    return over && std::ranges::all_of(lanes, [](const LaneRun& lane) { return lane.stage == LaneStage::Finished; });
}

Race::Race(RaceSettings settings)
    : m_settings(std::move(settings))
{
    assert(checkRace(m_settings));
}

const LaneRun& Race::lane(size_t index) const
{
    static const LaneRun none;
    return m_rounds.empty() ? none : m_rounds.back().lanes[index];
}

bool Race::hasMachine(const LaneRun& lane)
{
    return lane.stage != LaneStage::Waiting && !lane.gone;
}

bool Race::everyLane(bool (*is)(const LaneRun&)) const
{
    return std::ranges::all_of(m_rounds.back().lanes, is);
}

Race::Orders Race::begin()
{
    if (m_stage == RaceStage::Going)
        return {};
    m_rounds.clear();
    m_failedInSuccession = 0;
    m_reason.clear();
    m_stage = RaceStage::Going;
    return beginRound();
}

Race::Orders Race::beginRound()
{
    const size_t lanes = m_settings.lanes.size();
    RandomNumbers random(m_settings.seed + m_rounds.size());
    m_rounds.emplace_back().lanes.resize(lanes);
    m_starts.assign(lanes, std::nullopt);
    m_ending = Ending::None;
    m_paused = false;
    m_turns.resize(lanes);
    std::iota(m_turns.rbegin(), m_turns.rend(), size_t { 0 });
    if (m_settings.byTurns) {
        // Who comes first changes from round to round: a host that grows slower or busier does so for all alike.
        for (size_t i = lanes; i > 1; --i)
            std::swap(m_turns[i - 1], m_turns[random.below(i)]);
    }
    return bootNext();
}

Race::Orders Race::bootNext()
{
    Orders orders;
    while (!m_turns.empty()) {
        const size_t lane = m_turns.back();
        m_turns.pop_back();
        m_rounds.back().lanes[lane].stage = LaneStage::Booting;
        orders.push_back({ Kind::Boot, lane });
        if (m_settings.byTurns)
            break;
    }
    return orders;
}

Race::Orders Race::endAll(Ending why)
{
    Orders orders;
    m_turns.clear();
    m_paused = false;
    m_ending = why;
    for (size_t lane = 0; lane < m_settings.lanes.size(); ++lane) {
        if (hasMachine(m_rounds.back().lanes[lane]))
            orders.push_back({ Kind::End, lane });
    }
    return orders;
}

Race::Orders Race::repeatRound()
{
    if (m_stage != RaceStage::Going || m_ending != Ending::None)
        return {};
    return endAll(Ending::Repeat);
}

Race::Orders Race::cancel()
{
    if (m_stage != RaceStage::Going)
        return {};
    return endAll(Ending::Cancel);
}

Race::Orders Race::pause()
{
    if (m_stage != RaceStage::Going || m_paused || m_ending != Ending::None)
        return {};
    m_paused = true;
    Orders orders;
    for (size_t lane = 0; lane < m_settings.lanes.size(); ++lane) {
        const LaneStage stage = m_rounds.back().lanes[lane].stage;
        if (stage == LaneStage::Booting || stage == LaneStage::Running)
            orders.push_back({ Kind::Pause, lane });
    }
    return orders;
}

Race::Orders Race::goOn()
{
    if (!m_paused)
        return {};
    m_paused = false;
    Orders orders;
    for (size_t lane = 0; lane < m_settings.lanes.size(); ++lane) {
        const LaneStage stage = m_rounds.back().lanes[lane].stage;
        if (stage == LaneStage::Booting || stage == LaneStage::Running)
            orders.push_back({ Kind::Resume, lane });
    }
    const Orders released = release();
    orders.insert(orders.end(), released.begin(), released.end());
    return orders;
}

Race::Orders Race::reachedMark(size_t lane)
{
    LaneRun& run = m_rounds.back().lanes[lane];
    if (run.stage != LaneStage::Booting)
        return {};
    run.stage = LaneStage::AtMark;
    return release();
}

// Those who wait at their marks leave them when nobody is missing any more.
Race::Orders Race::release()
{
    RaceRound& round = m_rounds.back();
    const bool allThere
        = m_settings.byTurns || everyLane([](const LaneRun& run) { return run.stage == LaneStage::AtMark; });
    if (!allThere || m_paused || m_ending != Ending::None)
        return {};
    Orders orders;
    for (size_t lane = 0; lane < round.lanes.size(); ++lane) {
        if (round.lanes[lane].stage != LaneStage::AtMark)
            continue;
        round.lanes[lane].stage = LaneStage::Running;
        orders.push_back({ Kind::Resume, lane });
    }
    return orders;
}

Race::Orders Race::started(size_t lane, Moment moment)
{
    if (m_rounds.empty() || m_rounds.back().lanes[lane].stage != LaneStage::Running || m_starts[lane])
        return {};
    m_starts[lane] = moment;
    noteSkew();
    return {};
}

void Race::noteSkew()
{
    if (m_settings.byTurns || !std::ranges::all_of(m_starts, [](const auto& start) { return start.has_value(); }))
        return;
    const auto [first, last] = std::ranges::minmax_element(m_starts);
    m_rounds.back().skew = **last - **first;
}

Race::Orders Race::finished(size_t lane, double guestSeconds)
{
    LaneRun& run = m_rounds.back().lanes[lane];
    if (run.stage != LaneStage::Running)
        return {};
    run.stage = LaneStage::Finished;
    run.guestSeconds = guestSeconds;
    return { { Kind::End, lane } };
}

Race::Orders Race::ended(size_t lane, const ExperimentRun& judgement)
{
    LaneRun& run = m_rounds.back().lanes[lane];
    if (!hasMachine(run))
        return {};
    const bool started = run.stage != LaneStage::Booting && run.stage != LaneStage::AtMark;
    run.gone = true;
    run.engineName = judgement.engineName;
    run.drift = judgement.drift();
    run.guestTimeOff = judgement.guestTimeOff();
    if (run.stage != LaneStage::Finished || judgement.status != RunStatus::Ok) {
        run.stage = LaneStage::Failed;
        run.reason = judgement.reason.empty() ? "The machine ended before its workload did." : judgement.reason;
    } else {
        run.guestSeconds = judgement.guestSeconds;
    }
    Orders orders;
    // Who has not even started is waited for by all others in vain, and a machine that doesn't get that far once won't
    // the next time.
    if (!started && m_ending == Ending::None) {
        m_reason
            = fmt::format("Lane {} did not come to the start: {}", laneName(lane, m_settings.lanes[lane]), run.reason);
        orders = endAll(Ending::Fail);
    }
    if (std::ranges::any_of(m_rounds.back().lanes, hasMachine))
        return orders;
    const Orders next = m_ending == Ending::None && !m_turns.empty() ? bootNext() : closeRound();
    orders.insert(orders.end(), next.begin(), next.end());
    return orders;
}

Race::Orders Race::closeRound()
{
    switch (m_ending) {
    case Ending::Repeat:
        m_rounds.pop_back();
        return beginRound();
    case Ending::Cancel:
        m_rounds.pop_back();
        m_stage = RaceStage::Cancelled;
        return {};
    case Ending::Fail:
        m_rounds.back().over = true;
        m_stage = RaceStage::Failed;
        return {};
    case Ending::None:
        break;
    }
    RaceRound& round = m_rounds.back();
    round.over = true;
    m_failedInSuccession = round.counted() ? 0 : m_failedInSuccession + 1;
    if (m_failedInSuccession >= mostFailures) {
        const auto failed = std::ranges::find(round.lanes, LaneStage::Failed, &LaneRun::stage);
        const auto lane = static_cast<size_t>(failed - round.lanes.begin());
        m_reason = fmt::format("Lane {} failed in the second round in succession: {}",
            laneName(lane, m_settings.lanes[lane]), failed->reason);
        m_stage = RaceStage::Failed;
        return {};
    }
    if (m_rounds.size() < m_settings.rounds)
        return beginRound();
    m_stage = RaceStage::Over;
    return {};
}

} // namespace namsan
