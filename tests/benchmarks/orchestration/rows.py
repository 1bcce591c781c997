# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: one row of the table per guest program and per real program."""

from dataclasses import dataclass

COMPUTE = "compute"
SYSTEM = "system"
REAL = "real"


@dataclass(frozen=True)
class Row:
    name: str  # of the file in guest_programs/ or real_programs/
    title: str
    group: str
    writes_code: bool = False  # issue: such rows are left out of the comparison with native


ROWS = (
    Row("integer_loop", "integer loop", COMPUTE),
    Row("mixed_kernel", "CoreMark-like mix", COMPUTE),
    Row("pointer_chase", "pointer chase in 16 KiB", COMPUTE),
    Row("stream_add", "stream add", COMPUTE),
    Row("memcpy_sse", "memcpy 64 KiB, SSE", COMPUTE),
    Row("memcpy_rep_movsl", "memcpy 4 KiB, rep movsl", COMPUTE),
    Row("x87_loop", "x87 loop", COMPUTE),
    Row("sse2_double", "SSE2 double", COMPUTE),
    Row("dgemm", "dgemm", COMPUTE),
    Row("sse2_integer", "SSE2 integer", COMPUTE),
    Row("sha256", "sha256", COMPUTE),
    Row("lz_compression", "LZ", COMPUTE),
    Row("quick_sort", "quicksort", COMPUTE),
    Row("sprintf", "sprintf", COMPUTE),
    Row("indirect_call", "indirect call, 16 targets", COMPUTE),
    Row("switch_machine", "switch VM", COMPUTE),
    Row("recursive_fibonacci", "recursive fib", COMPUTE),
    Row("code_written_at_run_time", "code written at run time", COMPUTE, writes_code=True),
    Row("store_beside_code", "store beside code in the same page", COMPUTE, writes_code=True),
    Row("page_faults", "256 page faults", SYSTEM),
    Row("fork", "fork", SYSTEM),
    Row("fork_and_exec", "fork and exec", SYSTEM),
    Row("pipe_round_trip", "pipe round trip", SYSTEM),
    Row("file_access", "file: stat, open, read, close", SYSTEM),
    Row("gzip", "gzip", REAL),
    Row("bzip2", "bzip2", REAL),
    Row("sort", "sort", REAL),
    Row("awk", "awk", REAL),
    Row("sed", "sed", REAL),
    Row("grep", "grep", REAL),
    Row("sha256sum", "sha256sum", REAL),
    Row("shell_loop", "shell loop", REAL),
    Row("fork_loop", "fork loop", REAL),
)


def choose(patterns):
    """The rows that a comma-separated list of names, parts of names or groups asks for; all without one."""
    if not patterns:
        return list(ROWS)
    words = [word for word in patterns.lower().split(",") if word]
    unknown = [word for word in words if not any(_matches(row, word) for row in ROWS)]
    if unknown or not words:
        raise ValueError(f"No row matches \"{', '.join(unknown)}\"; there are {', '.join(row.name for row in ROWS)}, "
                         f"and the groups {COMPUTE}, {SYSTEM} and {REAL}.")
    exact = {row.name for row in ROWS} | {COMPUTE, SYSTEM, REAL}
    return [row for row in ROWS if any(_is(row, word) if word in exact else _matches(row, word) for word in words)]


def _is(row, word):
    return word in (row.name, row.group)


def _matches(row, word):
    return word in row.name or word == row.group
