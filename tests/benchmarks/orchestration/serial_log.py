# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what run_rows says, line by line, with the host's time at which each line came."""

import re
from dataclasses import dataclass, field

BEGIN = re.compile(r"! BEGIN: (\S+)$")
VALUE = re.compile(r"! VALUE: (\S+) (\d+\.\d+) ns ([0-9a-f]{8})$")
PERF = re.compile(r"! PERF: (\S+) (\d+\.\d+) s (ok|failed)$")
TROUBLE = re.compile(r"! (DIFFERS|STATUS): (\S+) (.*)$")
REFUSED = re.compile(r"! REFUSED: (.*)$")
END = "! END"
REPORTED = "it reported failure"


@dataclass
class Measurement:
    """One row in one run of one machine."""

    row: str
    nanoseconds: float | None = None  # of an iteration
    checksum: str | None = None
    guest_seconds: float | None = None
    host_seconds: float | None = None
    failure: str | None = None  # a sentence without its full stop
    counters: dict = field(default_factory=dict)  # of Namsan's run record

    @property
    def drift(self):
        """By how much the guest's clock differs from the host's, as a fraction."""
        if not self.guest_seconds or not self.host_seconds:
            return None
        return (self.guest_seconds - self.host_seconds) / self.host_seconds


class SerialLog:
    def __init__(self):
        self.measurements = {}
        self.ended = False
        self.current = None  # the row that has begun and not ended
        self._began = 0.0

    def feed(self, line, host_time):
        line = line.rstrip("\r\n")
        if line == END:
            self.ended = True
            self._close("it ended without a result")
        elif match := BEGIN.match(line):
            self._close("it ended without a result")
            self.current = match[1]
            self._began = host_time
            self.measurements[match[1]] = Measurement(match[1])
        elif match := PERF.match(line):
            self._end(match, host_time)
        elif match := VALUE.match(line):
            self._measurement(match[1]).nanoseconds = float(match[2])
            self._measurement(match[1]).checksum = match[3]
        elif match := TROUBLE.match(line):
            self._fail(match[2], describe(match[1], match[3]))
        elif (match := REFUSED.match(line)) and self.current:
            self._fail(self.current, f"the guest refused: {match[1]}")

    def abandon(self, why):
        """The machine is gone."""
        self._close(why)

    def _measurement(self, row):
        return self.measurements.setdefault(row, Measurement(row))

    def _end(self, match, host_time):
        if match[1] != self.current:
            return
        measurement = self._measurement(match[1])
        measurement.guest_seconds = float(match[2])
        measurement.host_seconds = host_time - self._began
        if match[3] != "ok":
            self._fail(match[1], REPORTED)
        self.current = None

    def _fail(self, row, why):
        measurement = self._measurement(row)
        if measurement.failure in (None, REPORTED):  # the first reason that says something
            measurement.failure = why

    def _close(self, why):
        if self.current:
            self._fail(self.current, why)
        self.current = None


def describe(kind, text):
    if kind == "DIFFERS":
        return f"two batches differ: checksum {text}"
    if text.isdigit() and int(text) > 128:
        return f"it was ended by signal {int(text) - 128}"
    return f"it ended with status {text}"
