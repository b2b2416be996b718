"""Memory as a resource of a run: what tasks reserve, what there is, and how short it is."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.formatting import size
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.task_state import TaskState

TIERS = {
    "systemd": "hard, systemd scope",
    "cgroup2": "hard, cgroup v2",
    "cgroup1": "hard, cgroup v1",
    "polling": "best effort, polling",
}
"""The means that hold limits, in words."""


class Pressure(StrEnum):
    """Degrees of shortage of the machine's memory, as the engine measures it."""

    EASY = "easy"
    TIGHT = "tight"  # nobody starts
    SHORT = "short"  # agents are paused, one after the other
    CRITICAL = "critical"  # all but one are frozen; if that does not help, agents are ended


class MemoryState(Struct, frozen=True):
    """The bytes that agents may use together, as last measured, and the pressure."""

    budget_bytes: int
    pressure: Pressure = Pressure.EASY


def reserved_bytes(spec: TaskSpec, rules: RunRules) -> int:
    """Return the memory that a task reserves: its own, its agent's, or the setting's."""
    return rules.memory_per_agent if spec.memory_bytes is None else spec.memory_bytes


def needed_bytes(task: TaskState, spec: TaskSpec, rules: RunRules) -> int:
    """Return the memory that admission counts for a task: an attempt may have needed more."""
    return max(reserved_bytes(spec, rules), task.needed_bytes)


def use_words(used: int, spec: TaskSpec, rules: RunRules) -> str:
    """Return words for the memory that a task has used, beside what it reserves."""
    return f"it used {size(used)} and reserves {size(reserved_bytes(spec, rules))}"
