# SPDX-License-Identifier: GPL-3.0-or-later
"""The machines that are compared: this host itself, QEMU's translator, and Namsan's engines."""

import os
import selectors
import subprocess
import time
from dataclasses import dataclass

MEMORY_MIB = 256
APPEND = "console=ttyS0"
NO_SELF_TESTS = "cryptomgr.notests"


@dataclass(frozen=True)
class Work:
    """What run_rows is asked for."""

    milliseconds: int
    scale: int
    rows: tuple
    self_tests: bool = False  # of the kernel's cryptography, at boot

    def append(self):
        bench = ",".join([str(self.milliseconds), str(self.scale), *self.rows])
        kernel = APPEND if self.self_tests else f"{APPEND} {NO_SELF_TESTS}"
        return f"{kernel} namsan.workload=engine namsan.bench={bench}"


class Native:
    """On one CPU, since the others have one."""

    name = "native"

    def command(self, image, work):
        temporary = next(folder for folder in ("/dev/shm", "/tmp") if os.access(folder, os.W_OK))
        cpu = max(os.sched_getaffinity(0))
        return ["taskset", "--cpu-list", str(cpu), "env", "--ignore-environment", f"PATH={image.applets}",
                f"PROGRAMS={image.programs}", f"BUSYBOX={image.busybox}", f"TMPDIR={temporary}",
                str(image.applets / "sh"), str(image.programs / "run_rows"), str(work.milliseconds), str(work.scale),
                *work.rows]


class QemuTcg:
    name = "QEMU TCG"

    def command(self, image, work):
        return self.boot(image.kernel, image.initrd, work.append())

    def boot(self, kernel, initrd, append):
        return ["qemu-system-i386", "-accel", "tcg", "-m", str(MEMORY_MIB), "-display", "none", "-no-reboot", "-serial",
                "stdio", "-monitor", "none", "-net", "none", "-kernel", str(kernel), "-initrd", str(initrd), "-append",
                append]


class Namsan:
    def __init__(self, program, engine, record, options=(), label=""):
        self.name = f"Namsan {engine}{label}"
        self.engine = engine
        self.record = record
        self._program = program
        self._options = list(options)

    def command(self, image, work):
        return self.boot(image.kernel, image.initrd, work.append())

    def boot(self, kernel, initrd, append):
        return [str(self._program), "run", "--headless", "--kernel", str(kernel), "--initrd", str(initrd), "--append",
                append, "--memory", f"{MEMORY_MIB}M", "--engine", self.engine, "--serial", "stdio", "--record",
                str(self.record), *self._options]


@dataclass
class Ending:
    status: int | None  # of the process; None: it said nothing for too long, and was ended
    last_words: str


# Where sessions are scheduled as groups (sched_autogroup), a niceness counts only inside of one.
AT_PRIORITY = 'echo "$0" >/proc/self/autogroup; exec nice -n "$0" "$@"'


class Watcher:
    """Runs commands and reads them."""

    def __init__(self, silence_seconds, niceness=0):
        self._silence_seconds = silence_seconds  # a command that says nothing for so long hangs
        self._niceness = niceness

    def watch(self, command, on_line):
        """Hands each line of a command's output to on_line(line, time), until that returns True or it ends."""
        if self._niceness:
            command = ["setsid", "sh", "-c", AT_PRIORITY, str(self._niceness), *command]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            last_words = self._read_lines(process, on_line)
            if last_words is None:
                return Ending(None, f"nothing came for {self._silence_seconds} s")
            return Ending(process.wait(timeout=self._silence_seconds), last_words)
        except subprocess.TimeoutExpired:
            return Ending(None, "it did not end")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()

    def _read_lines(self, process, on_line):
        """What came on standard error last; None after too long a silence."""
        rest = {process.stdout: b"", process.stderr: b""}
        last_words = ""
        with selectors.DefaultSelector() as selector:
            for stream in rest:
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(self._silence_seconds)
                if not ready:
                    return None
                now = time.monotonic()
                for key, _ in ready:
                    stream = key.fileobj
                    data = os.read(stream.fileno(), 65536)
                    if not data:
                        selector.unregister(stream)
                    *lines, rest[stream] = (rest[stream] + data).split(b"\n")
                    for line in (line.decode(errors="replace") for line in lines):
                        if stream is process.stderr:
                            last_words = line
                        elif on_line(line, now):
                            process.kill()
                            return last_words
        return last_words
