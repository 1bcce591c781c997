// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/commands/race_run.h"

#include "app/lab/measuring_host.h"
#include "app/lab/race_export.h"
#include "app/lab/race_result.h"
#include "app/running/ending_signals.h"
#include "vmm/base/file_writer.h"

#include <QCoreApplication>
#include <QEventLoop>
#include <QSocketNotifier>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <ostream>

namespace namsan {

namespace {

// An event loop wants an application object; a command has none until here.
class CoreApplication {
public:
    CoreApplication()
    {
        if (!QCoreApplication::instance())
            m_application = std::make_unique<QCoreApplication>(m_count, m_arguments.data());
    }

private:
    int m_count = 1;
    std::array<char, 7> m_name { "namsan" };
    std::array<char*, 2> m_arguments { m_name.data(), nullptr };
    std::unique_ptr<QCoreApplication> m_application;
};

// One line for each round that is over.
class RoundsTold {
public:
    RoundsTold(const Race& race, std::ostream& output)
        : m_race(race)
        , m_output(output)
    {
    }

    void tell()
    {
        for (; m_told < m_race.rounds().size() && m_race.rounds()[m_told].over; ++m_told) {
            const RaceRound& round = m_race.rounds()[m_told];
            m_output << fmt::format("round {} of {}:", m_told + 1, m_race.settings().rounds);
            for (size_t lane = 0; lane < round.lanes.size(); ++lane)
                m_output << fmt::format("{} {} {}", lane == 0 ? "" : ",", laneName(lane, m_race.settings().lanes[lane]),
                    roundCell(round.lanes[lane]));
            if (round.skew)
                m_output << ", started within " << skewText(*round.skew);
            m_output << std::endl; // at once, also into a pipe
        }
    }

private:
    const Race& m_race;
    std::ostream& m_output;
    size_t m_told = 0;
};

} // namespace

ExitCode exitCodeOf(const Race& race)
{
    const bool all = race.stage() == RaceStage::Over && std::ranges::all_of(race.rounds(), &RaceRound::counted);
    return all ? ExitCode::Success : ExitCode::GoalMissed;
}

Result<void> writeRaceRecord(const RaceRunner& runner, const std::string& path)
{
    const RaceSetup& setup = runner.setup();
    return writeWholeFile("The race's record", path, raceAsJson(runner.race(), setup.plan, describeHost(setup.host)));
}

Result<ExitCode> raceHeadless(const Program& program, RaceSetup setup, const std::string& record)
{
    const EndingSignals endingSignals; // before the machines make threads, which inherit what is blocked
    const CoreApplication application;
    RaceRunner runner(std::move(setup));
    RoundsTold told(runner.race(), program.errors);
    QEventLoop loop;
    QSocketNotifier ending(endingSignals.descriptor(), QSocketNotifier::Read);
    QObject::connect(&ending, &QSocketNotifier::activated, &runner, [&] {
        endingSignals.take();
        runner.cancel();
    });
    QObject::connect(&runner, &RaceRunner::changed, [&] { told.tell(); });
    // Through the loop, which a race that ends at once may be ahead of.
    QObject::connect(&runner, &RaceRunner::over, &loop, &QEventLoop::quit, Qt::QueuedConnection);
    if (auto begun = runner.begin(); !begun)
        return begun.error();
    loop.exec();

    const Race& race = runner.race();
    program.output << raceTable(race, runner.setup().plan) << std::flush;
    if (race.stage() == RaceStage::Cancelled)
        program.errors << fmt::format(
            "namsan: The race was broken off after {} of {} rounds.\n", race.rounds().size(), race.settings().rounds);
    else if (exitCodeOf(race) != ExitCode::Success)
        program.errors << "namsan: "
                       << (race.reason().empty() ? "Not every round is counted; the table tells why." : race.reason())
                       << '\n';
    if (!record.empty()) {
        if (auto written = writeRaceRecord(runner, record); !written)
            return written.error();
    }
    return exitCodeOf(race);
}

} // namespace namsan
