"""The configuration that a run is decided by, fixed when it starts."""

from enum import StrEnum

from msgspec import Struct

MOST_SLOTS = 32
"""The most slots that a run may have."""


class FallbackMode(StrEnum):
    """What happens once a conflict stays unresolved."""

    SEQUENTIAL = "sequential"
    PROMPT = "prompt"
    ABORT = "abort"


class OverlapPolicy(StrEnum):
    """What happens once two tasks at work are seen to collide."""

    OFF = "off"  # nobody looks
    WARN = "warn"
    TELL = "tell"  # both agents, if they listen
    PAUSE = "pause"  # the one with less to lose, until the other has landed
    SERIALISE = "serialise"  # that one starts again after the other


class ProtectPolicy(StrEnum):
    """What becomes of work that changes a protected path which its task does not declare."""

    ASK = "ask"  # it waits for a person, before the gate
    WARN = "warn"  # it lands, and the user is told
    REFUSE = "refuse"  # the task fails, its work kept


class RunRules(Struct, frozen=True):
    """Limits and policies of one run, by default those that are shipped; times are seconds.

    `clusters` are sets of agents whose predicted overlaps don't count; `never` are pairs that must
    not run at the same time, where "@writes" stands for any task that may change files. A collision
    foreseen with a chance of at least `collision_threshold` (0…1) is one that is avoided. Once a
    larger share of the landings than `sequential_above` met a conflict, writers go one by one. The
    `silent` strategies settle conflicts with nobody asked, and those of `path_strategies` on paths;
    what a person decided in the same conflict outranks them if the run `remembers`. With `leases`
    agents that announce writes wait for whoever has the file. `protect` says what becomes of work
    that changes `protected` paths, or files that the gate's commands name; None of no work. Up to
    `gate_batch` entries of the merge queue are tested together, a red gate is asked
    `gate_retries` times more, and with `speculate` what comes next is tested meanwhile.
    """

    slots: int = 5
    emergency_slots: int = 8
    auto_resolve: bool = True
    max_retries: int = 3
    fallback: FallbackMode = FallbackMode.SEQUENTIAL
    collision_threshold: float = 0.2
    sequential_above: float = 0.3
    radar: OverlapPolicy = OverlapPolicy.WARN
    leases: bool = False
    gate_batch: int = 5
    gate_retries: int = 1
    speculate: bool = True
    silent: tuple[str, ...] = ("superset",)
    union: tuple[str, ...] = ()
    remembers: bool = True
    lock_timeout_seconds: float = 60.0
    grace_seconds: float = 10.0
    backoff_seconds: float = 1.0
    backoff_limit_seconds: float = 60.0
    fail_fast: bool = False
    land_at_end: bool = False
    clusters: tuple[tuple[str, ...], ...] = ()
    never: tuple[tuple[str, str], ...] = ()
    budget_usd: float | None = None
    budget_tokens: int | None = None
    protect: ProtectPolicy | None = None
    protected: tuple[str, ...] = ()
    by_path: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def path_strategies(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Strategies by name with the globs of the paths that they are for."""
        return (("union", self.union), *self.by_path)
