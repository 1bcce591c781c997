# SPDX-License-Identifier: GPL-3.0-or-later
"""./bench guests: the browser from power-on to its page, and the build of a part of Linux, in QEMU and in Namsan."""

import json
import re
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from . import host
from .figures import figure, ratios, spread
from .guest_image import ROOT
from .machines import Watcher

NAMES = ("browser", "kbuild")
SILENCE_SECONDS = 900
LAST_LINE = re.compile(r"! (READY: browser|PERF: kbuild) (?P<seconds>[0-9.]+) s(?P<failed> failed)?")
SCREEN = "1024x768"
VESA_1024X768X32 = "vga=0x344"  # that of QEMU's VGA BIOS; Namsan's loader tells the kernel itself


@dataclass(frozen=True)
class Guest:
    """As guest.json in its folder describes it."""

    name: str
    folder: Path
    description: dict
    size: str

    @property
    def goal(self):
        return "power-on to the page" if self.name == "browser" else f"build, size {self.size}"

    def append(self):
        words = [self.description["append"]]
        if self.name == "kbuild":
            words += [self.description["workloads"]["kbuild"], self.description["sizes"][self.size]]
        return " ".join(words)

    def file(self, key):
        return str(self.folder / self.description[key])


class Qemu:
    name = "QEMU TCG"

    def command(self, guest):
        screen = guest.description.get("screen")
        if screen not in (None, SCREEN):
            raise ValueError(f"The guest {guest.name} wants a screen of {screen}; here is a mode for {SCREEN} only.")
        append = guest.append() + (f" {VESA_1024X768X32}" if screen else "")
        network = ["-nic", "user,model=virtio-net-pci" if "network" in guest.description else "none"]
        return ["qemu-system-i386", "-accel", "tcg", "-m", guest.description["memory"], "-display", "none",
                "-no-reboot", "-serial", "stdio", "-monitor", "none", *network, "-kernel", guest.file("kernel"),
                "-initrd", guest.file("initrd"), "-append", append]


class Namsan:
    def __init__(self, program, engine):
        self.name = f"Namsan {engine}"
        self._program = program
        self._engine = engine

    def command(self, guest):
        described = [word for option in ("memory", "network", "screen") if option in guest.description
                     for word in (f"--{option}", guest.description[option])]
        return [str(self._program), "run", "--headless", "--engine", self._engine, "--serial", "stdio", *described,
                "--kernel", guest.file("kernel"), "--initrd", guest.file("initrd"), "--append", guest.append()]


@dataclass(frozen=True)
class Result:
    seconds: float | None = None  # browser: from power-on, by the host's clock; kbuild: of the build, by the guest's
    cpu_seconds: float | None = None  # of the host's processors, from power-on
    failure: str | None = None


def main(options):
    guests = [describe(name, options.size) for name in choose(options.rows)]
    machines = [Qemu(), *(Namsan(options.namsan, engine) for engine in options.engines.split(";"))]
    results = {(guest.name, machine.name): [] for guest in guests for machine in machines}
    about = host.describe(options, options.runs)
    watcher = Watcher(SILENCE_SECONDS, options.nice)
    for number in range(1, options.runs + 1):
        for guest in guests:
            for machine in machines:
                result = run(guest, machine, watcher)
                host.say(f"round {number} of {options.runs}: {guest.name}, {machine.name}: "
                         + (result.failure or f"{result.seconds:.1f} s, {result.cpu_seconds:.1f} s of processors"))
                results[guest.name, machine.name].append(result)
    print(markdown(guests, machines, results, about))
    return 1 if any(result.failure for runs in results.values() for result in runs) else 0


def choose(names):
    chosen = names.split(",") if names else NAMES
    for name in chosen:
        if name not in NAMES:
            raise ValueError(f"There is no row \"{name}\"; choose from {', '.join(NAMES)}.")
    return chosen


def describe(name, size):
    script = ROOT / "resources/guests/make-guest"
    subprocess.run([script, name], check=True, stdout=subprocess.DEVNULL)
    folder = Path(subprocess.run([script, "--where", name], check=True, stdout=subprocess.PIPE, text=True)
                  .stdout.strip())
    description = json.loads((folder / "guest.json").read_text())
    if "sizes" in description and size not in description["sizes"]:
        raise ValueError(f"There is no size \"{size}\"; choose from {', '.join(description['sizes'])}.")
    return Guest(name, folder, description, size)


def run(guest, machine, watcher):
    seen = []

    def on_line(line, now):
        match = LAST_LINE.search(line)
        if match:
            seen.append((match, now))
        return bool(match)

    cpu_before = cpu_seconds_of_children()
    began = time.monotonic()
    ending = watcher.watch(machine.command(guest), on_line)
    cpu_seconds = cpu_seconds_of_children() - cpu_before
    if not seen:
        return Result(failure=ending.last_words or f"status {ending.status}")
    match, ended = seen[0]
    if match["failed"]:
        return Result(failure="what was built is not what a native build gives")
    return Result(ended - began if guest.name == "browser" else float(match["seconds"]), cpu_seconds)


def cpu_seconds_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def markdown(guests, machines, results, about):
    lines = [host.in_words(about), "", "| | | seconds: median (range) | / TCG, median of the rounds' | seconds of "
             "processors | / TCG |", "|---|---|---|---|---|---|"]
    for guest in guests:
        reference = results[guest.name, Qemu.name]
        for machine in machines:
            runs = results[guest.name, machine.name]
            failures = [result.failure for result in runs if result.failure]
            if failures:
                lines.append(f"| {guest.name}, {guest.goal} | {machine.name} | FAILED: {failures[0]} | | | |")
                continue
            cells = [cell for value in ("seconds", "cpu_seconds") for cell in compared(value, runs, reference)]
            lines.append(f"| {guest.name}, {guest.goal} | {machine.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def compared(value, runs, reference):
    mine, theirs = ([getattr(result, value) for result in some] for some in (runs, reference))
    rounds = ratios(mine, theirs)
    return str(spread(mine)), figure(median(rounds)) if rounds else "-"
