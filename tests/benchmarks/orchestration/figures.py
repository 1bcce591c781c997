# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians, spreads and geometric means of ratios."""

import math
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    median: float
    minimum: float
    maximum: float

    def __str__(self):
        if self.minimum == self.maximum:
            return figure(self.median)
        return f"{figure(self.median)} ({figure(self.minimum)} to {figure(self.maximum)})"


def spread(values):
    """None without values."""
    values = [value for value in values if value is not None]
    return Spread(median(values), min(values), max(values)) if values else None


def ratios(numerators, denominators):
    """Of rounds that lie next to each other in time; a round in which one side failed gives none."""
    return [above / below for above, below in zip(numerators, denominators, strict=True) if above and below]


def geometric_mean(values):
    values = list(values)
    if not values:
        return None
    return math.exp(sum(math.log(value) for value in values) / len(values))


def duration(nanoseconds):
    """In the unit that people would choose."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{figure(nanoseconds / size)} {unit}"
    return f"{figure(nanoseconds)} ns"


def figure(value):
    """Three significant digits, without an exponent."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"
