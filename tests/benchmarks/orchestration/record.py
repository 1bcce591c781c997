# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures out of Namsan's run records."""

import json


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def mips(record):
    """Millions of guest instructions per second, or None where the engine can't count them."""
    instructions = record.get("guest_instructions")
    seconds = record.get("host_seconds")
    return instructions / seconds / 1e6 if instructions and seconds else None


def counted(sample, counter):
    """One counter of all vCPUs together."""
    return sum(vcpu.get(counter) or 0 for vcpu in sample["vcpus"])


def counters_by_workload(record):
    """For each workload that came to its end, what all vCPUs together counted in it."""
    return {workload["name"]: {counter: counted(workload["end"], counter) - counted(workload["begin"], counter)
                               for counter in workload["end"]["vcpus"][0]}
            for workload in record["workloads"] if workload["finished"]}


def compared_instructions(record):
    """Of a lockstep run: (what, instructions compared) for the boot and each workload, in their order."""
    samples = record["samples"]
    last = counted(samples[-1], "instructions_compared") if samples else 0
    workloads = record["workloads"]
    parts = [("boot", counted(workloads[0]["begin"], "instructions_compared") if workloads else last)]
    for workload in workloads:
        end = counted(workload["end"], "instructions_compared") if workload["finished"] else last
        parts.append((workload["name"], end - counted(workload["begin"], "instructions_compared")))
    return parts
