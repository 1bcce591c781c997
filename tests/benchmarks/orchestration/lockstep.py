# SPDX-License-Identifier: GPL-3.0-or-later
"""./bench lockstep: the translator beside the interpreter, unit by unit, over the boot and each real program."""

from dataclasses import dataclass

from . import engine, guest_image, host, record, rows
from .machines import Namsan, Watcher, Work

SCALE = {True: 1, False: 4}  # by --quick: it is slow by nature
SILENCE_SECONDS = 1200
MILLISECONDS = 1  # of a guest program: its batch at least twice


@dataclass
class Part:
    name: str
    compared: int = 0
    difference: str | None = None


def main(options):
    chosen = rows.choose(options.rows or rows.REAL)
    image = guest_image.build()
    machine = Namsan(options.namsan, "soft:lockstep", guest_image.BUILD / "lockstep-record.json",
                     ["--no-unpack"] if options.whole else [])
    work = Work(MILLISECONDS, options.scale or SCALE[options.quick], tuple(row.name for row in chosen), options.whole)
    parts = {}
    about = host.describe(options)

    def after_run(log, ending):
        why = None if log.ended else f"{ending.last_words or f'status {ending.status}'}"
        add(parts, compared_of(machine), log.current or "boot", why)

    machine.record.unlink(missing_ok=True)
    results = engine.run_rows(machine, image, work, Watcher(SILENCE_SECONDS, options.nice), after_run)
    for name, measurement in results.items():
        part = parts.setdefault(name, Part(name))
        part.difference = part.difference or measurement.failure
    for part in parts.values():
        if not part.compared and not part.difference:
            part.difference = "nothing was compared"
    print(markdown(list(parts.values()), about))
    return 1 if any(part.difference for part in parts.values()) else 0


def compared_of(machine):
    if not machine.record.exists():
        return []
    found = record.compared_instructions(record.read(machine.record))
    machine.record.unlink()
    return found


def add(parts, compared, died_in, why):
    """A boot is repeated after a difference; what was compared in all of them counts."""
    for name, count in compared:
        parts.setdefault(name, Part(name)).compared += count
    if why:
        parts.setdefault(died_in, Part(died_in)).difference = why


def markdown(parts, about):
    lines = [host.in_words(about), "", "| part | instructions compared | first difference |", "|---|---|---|"]
    lines += [f"| {part.name} | {part.compared:,} | {part.difference or 'none'} |" for part in parts]
    total = sum(part.compared for part in parts)
    different = sum(1 for part in parts if part.difference)
    lines += ["", f"{total:,} instructions compared; {different or 'no'} part{'' if different == 1 else 's'} with a "
                  "difference."]
    return "\n".join(lines)
