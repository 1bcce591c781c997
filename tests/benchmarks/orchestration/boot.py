# SPDX-License-Identifier: GPL-3.0-or-later
"""./bench boot: how long the tiny guest takes to user space, and from power-on to power-off."""

import time
from dataclasses import dataclass

from . import guest_image, host, record
from .figures import spread
from .machines import APPEND, NO_SELF_TESTS, Namsan, QemuTcg, Watcher

READY = "Namsan tiny guest"  # what /init prints first
SILENCE_SECONDS = 300

TO_USER_SPACE = "power-on to user space"
TO_POWER_OFF = "power-on to power-off, with the kernel's self-tests"
# A workload that is nothing, for the power-off after it.
APPENDS = {
    TO_USER_SPACE: f"{APPEND} {NO_SELF_TESTS}",
    TO_POWER_OFF: f"{APPEND} namsan.workload=count namsan.workload.size=1",
}


@dataclass(frozen=True)
class Boot:
    machine: object
    goal: str


@dataclass
class Result:
    seconds: float | None
    mips: float | None
    failure: str | None


def main(options):
    image = guest_image.build()
    boots = plan(options, guest_image.BUILD / "record.json")
    results = {boot: [] for boot in boots}
    about = host.describe(options, options.runs)
    watcher = Watcher(SILENCE_SECONDS, options.nice)
    for number in range(1, options.runs + 1):
        for boot in boots:
            host.say(f"round {number} of {options.runs}: {boot.machine.name}, {boot.goal}")
            results[boot].append(run(boot, image, watcher))
    print(markdown(results, about))
    return 1 if any(result.failure for runs in results.values() for result in runs) else 0


def plan(options, path):
    def namsan(engine, packed):
        return Namsan(options.namsan, engine, path, ["--no-unpack"] if packed else [],
                      ", unpacked by the guest" if packed else ", unpacked by the loader")

    boots = [Boot(namsan(engine, packed), TO_USER_SPACE)
             for engine in ("soft:interpreter", "soft:translator") for packed in (False, True)]
    boots.append(Boot(QemuTcg(), TO_USER_SPACE))
    if not options.quick:
        boots += [Boot(namsan("soft:translator", True), TO_POWER_OFF), Boot(QemuTcg(), TO_POWER_OFF)]
    return boots


def run(boot, image, watcher):
    seen = []
    is_namsan = isinstance(boot.machine, Namsan)
    to_user_space = boot.goal == TO_USER_SPACE
    command = boot.machine.boot(image.kernel, image.tiny_initrd, APPENDS[boot.goal])
    if is_namsan:
        boot.machine.record.unlink(missing_ok=True)
        if to_user_space:
            command += ["--until", READY]  # it ends by itself, and leaves its record

    def on_line(line, now):
        if READY in line:
            seen.append(now)
        return bool(seen) and to_user_space and not is_namsan

    began = time.monotonic()
    ending = watcher.watch(command, on_line)
    ended = time.monotonic()
    if not seen or ending.status is None:
        return Result(None, None, ending.last_words or f"status {ending.status}")
    return Result((seen[0] if to_user_space else ended) - began, mips_of(boot.machine), None)


def mips_of(machine):
    if not isinstance(machine, Namsan) or not machine.record.exists():
        return None
    return record.mips(record.read(machine.record))


def markdown(results, about):
    lines = [host.in_words(about), "", "| | | seconds: median (range) | guest MIPS | TCG's time / this |",
             "|---|---|---|---|---|"]
    reference = {boot.goal: spread(result.seconds for result in runs)
                 for boot, runs in results.items() if isinstance(boot.machine, QemuTcg)}
    for boot, runs in results.items():
        failures = [result.failure for result in runs if result.failure]
        if failures:
            lines.append(f"| {boot.goal} | {boot.machine.name} | FAILED: {failures[0]} | | |")
            continue
        seconds = spread(result.seconds for result in runs)
        mips = spread(result.mips for result in runs)
        tcg = reference[boot.goal]
        times = f"{tcg.median / seconds.median:.2f}" if tcg else "-"
        lines.append(f"| {boot.goal} | {boot.machine.name} | {seconds} | {mips or '-'} | {times} |")
    return "\n".join(lines)
