"""Limits of an attempt as its shim gets them, and what was measured of the attempt."""

from enum import StrEnum
from typing import NamedTuple

MACHINE = "machine"
"""The subject of a breach that is none of the tree's: the machine's memory ran out."""


class Tier(StrEnum):
    """The means by which limits are held, best first; the shim records the one in force."""

    SYSTEMD = "systemd"  # a cgroup v2 that systemd delegates to the launcher
    CGROUP2 = "cgroup2"
    CGROUP1 = "cgroup1"
    POLLING = "polling"


class LimitRequest(NamedTuple):
    """Limits of one tree; None is no limit.

    `memory_bytes` and `cpu_cores` are never exceeded for long. `share` weighs the tree against
    others when all want the processor, in cores. With `polls`, no cgroup is used. The lower its
    `urgency`, the sooner the kernel kills the tree for others when the machine's memory runs out.
    """

    memory_bytes: int | None = None
    cpu_cores: float | None = None
    share: float | None = None
    processes: int | None = None
    disk_bytes: int | None = None
    polls: bool = False
    urgency: int = 0


class Breach(NamedTuple):
    """The limit that a tree was ended for: its subject, its value and the most that was seen."""

    subject: str  # "memory", "processes", "disk" or MACHINE
    limit: int
    peak: int


class TreeUse(NamedTuple):
    """A tree's resident memory in bytes, its CPU seconds so far, and its number of processes."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    processes: int = 0
