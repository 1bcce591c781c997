// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/lab/column.h"
#include "app/lab/experiment.h"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace namsan {

// Machines with the same guest and workload beside each other, each placed in its own way.
struct RaceSettings {
    std::string workload = "kbuild";
    std::string size = "smoke";
    std::string engine = "soft";
    std::vector<Column> lanes { { 1, PlacementPolicy::Disjoint }, { 2, PlacementPolicy::Shared } };
    unsigned rounds = 7;
    bool byTurns = false; // one lane after another instead of all at the same time
    uint64_t seed = 1; // of the order of turns, and of the intervals

    bool operator==(const RaceSettings&) const = default;
};

inline constexpr size_t fewestLanes = 2;
inline constexpr size_t mostLanes = 4;
inline constexpr unsigned mostRounds = 1000;

// A sentence where such a race can't be held, whatever the host.
Result<void> checkRace(const RaceSettings&);

enum class LaneStage {
    Waiting, // for its turn
    Booting,
    AtMark, // held at its workload's beginning until all lanes are there
    Running,
    Finished, // its workload has come to its end
    Failed, // it has not, or its run is not to be counted
};

// What a lane has done in a round.
struct LaneRun {
    LaneStage stage = LaneStage::Waiting;
    double guestSeconds = 0; // of its workload, by the guest's own clock, once Finished
    bool guestTimeOff = false; // guest and host time differ by over 1 %
    double drift = 0; // guest time against host time, once its machine is gone
    std::string engineName;
    std::string reason; // Failed: a sentence
    bool gone = false; // its machine is no more: the figures above are final
};

struct RaceRound {
    std::vector<LaneRun> lanes;
    // Between the first lane's start and the last one's: how far apart, on the host's clock, the lanes would have
    // passed their marks had nobody held them there. Empty: not known, or by turns.
    std::optional<std::chrono::nanoseconds> skew;
    bool over = false;

    bool counted() const; // it is over, and every lane has come to its end
};

enum class RaceStage { Ready, Going, Over, Cancelled, Failed };

// What is to be done with a lane's machine.
struct RaceOrder {
    enum class Kind {
        Boot, // a new machine, held at its mark
        Pause,
        Resume, // from its mark or from a pause
        End, // it is not needed any more; ended() is to follow
    };

    Kind kind;
    size_t lane;

    bool operator==(const RaceOrder&) const = default;
};

// The course of a race: what happens goes in, what is to be done with the machines comes out. It knows neither machines
// nor clocks. Not thread-safe.
class Race {
public:
    using Orders = std::vector<RaceOrder>;
    using Moment = std::chrono::steady_clock::time_point;

    explicit Race(RaceSettings); // which checkRace() found sound

    // What the user wants.

    Orders begin(); // from any stage but Going; earlier rounds are forgotten
    Orders repeatRound(); // while Going: what the current round has done is forgotten, finished rounds are kept
    Orders cancel(); // while Going; finished rounds are kept
    Orders pause(); // every machine stands still
    Orders goOn();

    // What happens to a lane's machine. What comes out of turn changes nothing.

    Orders reachedMark(size_t lane); // and stands still there
    // It runs since its mark. The moment: when it would have passed its mark had nobody held it there.
    Orders started(size_t lane, Moment);
    Orders finished(size_t lane, double guestSeconds); // its workload's last line came
    // Its machine is no more. The judgement is what counts; a lane that finished and is not Ok was misplaced.
    Orders ended(size_t lane, const ExperimentRun& judgement);

    const RaceSettings& settings() const { return m_settings; }
    RaceStage stage() const { return m_stage; }
    bool paused() const { return m_paused; }
    // Rounds that are over, and the one that goes on.
    const std::vector<RaceRound>& rounds() const { return m_rounds; }
    const LaneRun& lane(size_t) const; // in the newest round
    const std::string& reason() const { return m_reason; } // Failed: a sentence

private:
    enum class Ending { None, Repeat, Cancel, Fail };

    Orders beginRound();
    Orders bootNext();
    Orders release();
    Orders endAll(Ending);
    Orders closeRound();
    bool everyLane(bool (*)(const LaneRun&)) const;
    static bool hasMachine(const LaneRun&);
    void noteSkew();

    RaceSettings m_settings;
    RaceStage m_stage = RaceStage::Ready;
    std::vector<RaceRound> m_rounds;
    std::vector<size_t> m_turns; // by turns: lanes of this round that are still to boot, the last one first
    std::vector<std::optional<Moment>> m_starts; // of this round
    Ending m_ending = Ending::None; // why the round is being broken off
    bool m_paused = false;
    unsigned m_failedInSuccession = 0;
    std::string m_reason;
};

} // namespace namsan
