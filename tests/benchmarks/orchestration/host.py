# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the machine that measures."""

import os
import platform
import re
import subprocess
import sys
import time


QUIET_LOAD = 0.7


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def describe(options, runs=None):
    return {
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": processor(),
        "cpus": os.cpu_count(),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 2),  # before anything was measured
        "qemu": qemu_version(),
        "namsan": namsan_version() + (f", program {options.namsan}" if options.foreign else ""),
        "runs": runs,
    }


def in_words(about):
    text = (f"{about['processor']}, {about['cpus']} CPUs, Linux {about['kernel']}; QEMU {about['qemu']}; Namsan "
            f"{about['namsan']}; {about['started_at']}.")
    if about["runs"]:
        text += f" Rounds: {about['runs']}, interleaved."
    if about["load"] > QUIET_LOAD:
        text += f" The machine was busy (load {about['load']}): these figures are only indicative."
    return text


def processor():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        match = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return match[1] if match else platform.machine()


def qemu_version():
    text = subprocess.run(["qemu-system-i386", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    match = re.search(r"version ([0-9.]+)", text)
    return match[1] if match else text.strip()


def namsan_version():
    described = subprocess.run(["git", "describe", "--always", "--dirty"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, check=False)
    return described.stdout.strip() or "unknown"
