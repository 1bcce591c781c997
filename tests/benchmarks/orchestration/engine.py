# SPDX-License-Identifier: GPL-3.0-or-later
"""./bench engine: rows natively, in QEMU TCG and in Namsan, round after round."""

import json
import time
from dataclasses import asdict, replace

from . import guest_image, host, record, rows, table
from .machines import Namsan, Native, QemuTcg, Watcher, Work
from .serial_log import Measurement, SerialLog

SILENCE_SECONDS = 240  # of one row


def main(options):
    chosen = rows.choose(options.rows)
    image = guest_image.build()
    machines = [Native(), QemuTcg()]
    machines += [Namsan(options.namsan, engine, guest_image.BUILD / "record.json")
                 for engine in options.engines.split(";")]
    work = Work(options.milliseconds, options.scale, tuple(row.name for row in chosen))
    about = host.describe(options, options.runs)
    watcher = Watcher(SILENCE_SECONDS, options.nice)
    runs = measure(machines, image, work, options.runs, watcher)
    report = table.Report(chosen, [machine.name for machine in machines], runs)
    text = report.markdown(about)
    print(text)
    if options.counters:
        print(report.counters())
    path = keep(options, about, work, runs, text)
    host.say(f"kept in {path}")
    return 1 if report.failures() else 0


def measure(machines, image, work, count, watcher):
    """For each machine a list of rounds, each of which maps a row to its measurement."""
    runs = {machine.name: [] for machine in machines}
    for number in range(1, count + 1):
        for machine in machines:
            host.say(f"round {number} of {count}: {machine.name}")
            runs[machine.name].append(run_rows(machine, image, work, watcher, counters_for(machine)))
    return runs


def counters_for(machine):
    """What takes the counters out of a machine's record, where it writes one."""
    def take(log, ending):
        if isinstance(machine, Namsan) and machine.record.exists():
            for row, counters in record.counters_by_workload(record.read(machine.record)).items():
                if row in log.measurements:
                    log.measurements[row].counters = counters
            machine.record.unlink()

    return take


def run_rows(machine, image, work, watcher, after_run):
    """All rows; where a machine dies in one of them, it is started again for those after it."""
    results = {}
    remaining = work.rows
    while remaining:
        log = SerialLog()
        command = machine.command(image, replace(work, rows=remaining))
        ending = watcher.watch(command, log.feed)
        after_run(log, ending)
        why = f"the machine ended: {ending.last_words or f'status {ending.status}'}"
        died_in = log.current
        log.abandon(why)
        results |= log.measurements
        for failed in log.measurements.values():
            if failed.failure:
                host.say(f"{machine.name}: {failed.row}: {failed.failure}")
        remaining = rows_after(remaining, died_in, log)
        if remaining and died_in is None:
            results |= {row: Measurement(row, failure=why) for row in remaining}
            host.say(f"{machine.name}: {why}")
            break
    return results


def rows_after(asked, died_in, log):
    """What is still to be done."""
    if log.ended:
        return ()
    if died_in is not None:
        return asked[asked.index(died_in) + 1:]
    return tuple(row for row in asked if row not in log.measurements)


def keep(options, about, work, runs, text):
    path = options.json or guest_image.BUILD / time.strftime("engine-%Y-%m-%d-%H%M%S.json")
    measurements = [{"machine": machine, "round": number, **asdict(measurement), "drift": measurement.drift}
                    for machine, rounds in runs.items()
                    for number, results in enumerate(rounds, 1)
                    for measurement in results.values()]
    contents = {"format": "namsan-engine-benchmark", "version": 1, "about": about, "milliseconds": work.milliseconds,
                "scale": work.scale, "measurements": measurements, "table": text}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(contents, indent=1) + "\n")
    return path
