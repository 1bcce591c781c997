# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the guest programs and packs them on top of the tiny guest."""

import gzip
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent.parent
BUILD = ROOT / "build" / "bench"

# Plain code for any i686 with SSE2, as Debian's i386 is; what a row is about must not depend on gcc's vectorizer.
FLAGS = ("-m32 -std=gnu11 -O2 -march=i686 -msse2 -fno-tree-vectorize -fno-pie -Wall -Wextra -Wpedantic "
         "-Werror").split()


@dataclass(frozen=True)
class GuestImage:
    kernel: Path
    tiny_initrd: Path
    initrd: Path  # with the benchmark in it
    programs: Path  # the folder that natively is what /bench is in the guest
    busybox: Path  # the guest's own
    applets: Path  # a folder of links to it


def build():
    tiny = Path(_output(ROOT / "resources/guests/make-guest", "--where", "tiny"))
    programs = BUILD / "programs"
    _build_programs(programs)
    applets = _unpack_busybox(tiny / "initrd.gz")
    initrd = BUILD / "initrd.gz"
    _pack(tiny / "initrd.gz", programs, initrd)
    return GuestImage(tiny / "vmlinuz", tiny / "initrd.gz", initrd, programs, applets.parent / "busybox", applets)


def own_flags(source):
    """What a source's line "// Flags: ..." asks for."""
    match = re.search(r"^// Flags: (.*)$", source.read_text(), re.MULTILINE)
    return match[1].split() if match else []


def _build_programs(programs):
    sources = BENCHMARKS / "guest_programs"
    objects = BUILD / "objects"
    for folder in (objects, programs):
        folder.mkdir(parents=True, exist_ok=True)
    changed = (sources / "benchmark.h").stat().st_mtime
    built = []
    for source in sorted(sources.glob("*.c")):
        compiled = objects / f"{source.stem}.o"
        if not compiled.exists() or compiled.stat().st_mtime < max(changed, source.stat().st_mtime):
            _run("gcc", *FLAGS, *own_flags(source), "-c", source, "-o", compiled)
        built.append(compiled)
    _run("gcc", "-m32", "-static", "-no-pie", *built, "-o", programs / "guest_programs")
    shutil.copy(sources / "run_rows", programs)
    shutil.copytree(BENCHMARKS / "real_programs", programs / "real_programs", dirs_exist_ok=True)


def _unpack_busybox(initrd):
    folder = BUILD / "busybox"
    shutil.rmtree(folder, ignore_errors=True)
    applets = folder / "applets"
    applets.mkdir(parents=True)
    archive = gzip.decompress(initrd.read_bytes())
    binary = subprocess.run(["cpio", "--extract", "--to-stdout", "--quiet", "bin/busybox", "./bin/busybox"],
                            input=archive, stdout=subprocess.PIPE, check=True).stdout
    busybox = folder / "busybox"
    busybox.write_bytes(binary)
    busybox.chmod(0o755)
    for applet in _output(busybox, "--list").split():
        (applets / applet).symlink_to(busybox)
    return applets


def _pack(tiny, programs, initrd):
    """The kernel unpacks archives that follow one another; files of the later one replace those of the earlier."""
    overlay = BUILD / "overlay"
    shutil.rmtree(overlay, ignore_errors=True)
    shutil.copytree(programs, overlay / "bench")
    (overlay / "etc").mkdir()
    shutil.copy(BENCHMARKS / "guest_programs" / "workload", overlay / "etc" / "workload")
    names = sorted(os.path.relpath(path, overlay) for path in overlay.rglob("*"))
    archive = subprocess.run(["cpio", "--create", "--format=newc", "--owner=0:0", "--quiet"], cwd=overlay,
                             input="\n".join(names).encode(), stdout=subprocess.PIPE, check=True).stdout
    initrd.write_bytes(tiny.read_bytes() + gzip.compress(archive, mtime=0))


def _run(*command):
    subprocess.run([str(word) for word in command], check=True)


def _output(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
