# SPDX-License-Identifier: GPL-3.0-or-later
"""From measurements to Markdown."""

from dataclasses import dataclass

from . import host
from .figures import duration, figure, geometric_mean, ratios, spread
from .rows import COMPUTE, REAL, SYSTEM
from .serial_log import Measurement

NATIVE = "native"
TCG = "QEMU TCG"
CLOCK_TOLERANCE = 0.01
CLOCK_GRAIN_SECONDS = 0.03  # so late may a line reach its reader; below it nothing can be said


def clocks_differ(measurement):
    drift = measurement.drift
    return (drift is not None and abs(drift) > CLOCK_TOLERANCE
            and abs(measurement.guest_seconds - measurement.host_seconds) > CLOCK_GRAIN_SECONDS)


COUNTERS = {
    "TLB misses": "tlb_misses",
    "page faults": "page_faults",
    "translated": "instructions_translated",
    "ns to translate": "translating_nanoseconds",
    "units dropped": "units_dropped",
    "to look up": "leaves_for_lookup",
    "to link": "leaves_for_link",
    "interrupted": "leaves_for_attention",
    "to interpret": "leaves_for_interpreter",
    "after handler": "leaves_after_handler",
    "faults": "leaves_for_fault",
}


@dataclass(frozen=True)
class Goal:
    text: str
    wanted: str
    ratio: str  # "faster": TCG's time over this engine's; "slower": this engine's over native
    chosen: object  # of rows
    reached: object  # of the geometric mean


GOALS = (
    Goal("real programs, times as fast as TCG", "at least 2.5", "faster", lambda row: row.group == REAL,
         lambda mean: mean >= 2.5),
    Goal("real programs, times the native time", "at most 3.6", "slower", lambda row: row.group == REAL,
         lambda mean: mean <= 3.6),
    Goal("compute rows, times as fast as TCG", "at least 4.5", "faster", lambda row: row.group == COMPUTE,
         lambda mean: mean >= 4.5),
    Goal("compute rows that write no code, times the native time", "at most 2", "slower",
         lambda row: row.group == COMPUTE and not row.writes_code, lambda mean: mean <= 2),
    Goal("page fault, fork, pipe, file rows, times as fast as TCG", "at least 2", "faster",
         lambda row: row.group == SYSTEM, lambda mean: mean >= 2),
)


class Report:
    """runs: for each machine its rounds, each a row's name to its measurement."""

    def __init__(self, chosen, machines, runs):
        self._rows = chosen
        self._engines = [machine for machine in machines if machine not in (NATIVE, TCG)]
        self._machines = machines
        self._runs = runs

    def measurements(self, machine, row):
        return [results.get(row.name) for results in self._runs[machine]]

    def failure(self, machine, row):
        """The first reason why a row has no result that counts, or None."""
        expected = [m.checksum for m in self.measurements(NATIVE, row) if m and m.checksum]
        for measurement in self.measurements(machine, row):
            if measurement is None:
                return "it was never begun"
            if measurement.failure:
                return measurement.failure
            if measurement.nanoseconds is None or measurement.guest_seconds is None:
                return "it gave no result"
            if expected and measurement.checksum != expected[0]:
                return f"its output differs: checksum {measurement.checksum}, natively {expected[0]}"
        return None

    def failures(self):
        return [(machine, row, why) for machine in self._machines for row in self._rows
                if (why := self.failure(machine, row))]

    def ratio(self, above, below, row):
        if self.failure(above, row) or self.failure(below, row):
            return None
        return spread(ratios([m.nanoseconds for m in self.measurements(above, row)],
                             [m.nanoseconds for m in self.measurements(below, row)]))

    def mean(self, goal, engine):
        """None when one of the rows has failed: a mean of the others would flatter."""
        above, below = (TCG, engine) if goal.ratio == "faster" else (engine, NATIVE)
        found = [self.ratio(above, below, row) for row in self._rows if goal.chosen(row)]
        return geometric_mean(each.median for each in found) if found and all(found) else None

    def slower_than_tcg(self, engine):
        return [row for row in self._rows if (found := self.ratio(TCG, engine, row)) and found.median < 1]

    def clock_complaints(self):
        """Rows, and whole rounds, in which a guest's seconds were not the host's. Natively they are the same clock."""
        complaints = []
        for machine in self._machines:
            if machine == NATIVE:
                continue
            for number, results in enumerate(self._runs[machine], 1):
                timed = [m for m in results.values() if m.guest_seconds and m.host_seconds]
                whole = Measurement(f"all of round {number}", guest_seconds=sum(m.guest_seconds for m in timed),
                                    host_seconds=sum(m.host_seconds for m in timed))
                complaints += [f"{machine}, {m.row}: guest {m.guest_seconds:.3f} s, host {m.host_seconds:.3f} s "
                               f"({m.drift:+.1%})" for m in [*timed, whole] if clocks_differ(m)]
        return complaints

    def markdown(self, about):
        parts = [host.in_words(about), self._table(), self._goals()]
        for engine in self._engines:
            slower = ", ".join(row.title for row in self.slower_than_tcg(engine))
            parts.append(f"Slower than TCG in {engine}: {slower or 'no row'}.")
        parts.append(self._list("Failed", [f"{machine}, {row.name}: {why}" for machine, row, why in self.failures()]))
        parts.append(self._list("Guest's clock and host's clock differ by more than 1 %", self.clock_complaints()))
        return "\n\n".join(parts) + "\n"

    def counters(self):
        """Of each engine's last round, for those who make it faster."""
        return "\n\n".join(self._counters_of(engine) for engine in self._engines)

    def _counters_of(self, engine):
        lines = [f"What {engine} counted, per 1,000 guest instructions:", "",
                 "| row | MIPS | " + " | ".join(COUNTERS) + " |", "|" + "---|" * (len(COUNTERS) + 2)]
        for row in self._rows:
            found = self.measurements(engine, row)[-1]
            instructions = found.counters.get("instructions") if found else None
            if not instructions:
                continue
            cells = [figure(found.counters.get(key, 0) * 1000 / instructions) for key in COUNTERS.values()]
            mips = figure(instructions / found.host_seconds / 1e6)
            lines.append(f"| {row.title} | {mips} | " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def _table(self):
        head = ["row", "native", "TCG / native"]
        for engine in self._engines:
            head += [f"{engine} / native", f"TCG / {engine}"]
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for row in self._rows:
            lines.append("| " + " | ".join(self._cells(row)) + " |")
        return "\n".join(lines)

    def _cells(self, row):
        native = None
        if not self.failure(NATIVE, row):
            native = spread(m.nanoseconds for m in self.measurements(NATIVE, row))
        cells = [row.title, duration(native.median) if native else "FAILED", self._cell(TCG, NATIVE, row)]
        for engine in self._engines:
            cells += [self._cell(engine, NATIVE, row), self._cell(TCG, engine, row)]
        return cells

    def _cell(self, above, below, row):
        found = self.ratio(above, below, row)
        return str(found) if found else "FAILED"

    def _goals(self):
        lines = ["| geometric mean of the medians | goal | " + " | ".join(self._engines) + " |",
                 "|---|---|" + "---|" * len(self._engines)]
        for goal in GOALS:
            if any(goal.chosen(row) for row in self._rows):
                cells = [self._verdict(goal, self.mean(goal, engine)) for engine in self._engines]
                lines.append(f"| {goal.text} | {goal.wanted} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    @staticmethod
    def _verdict(goal, mean):
        if mean is None:
            return "FAILED rows"
        return f"{figure(mean)}{'' if goal.reached(mean) else ' (missed)'}"

    @staticmethod
    def _list(title, items):
        return f"{title}: none." if not items else f"{title}:\n\n" + "\n".join(f"- {item}" for item in items)
