"""The configuration that decides a run, fixed at its start."""

from enum import StrEnum

from msgspec import Struct

MOST_SLOTS = 32
"""The maximum number of slots."""


class FallbackMode(StrEnum):
    """The policy for a conflict that reruns do not resolve."""

    SEQUENTIAL = "sequential"
    PROMPT = "prompt"
    ABORT = "abort"


class OverlapPolicy(StrEnum):
    """The policy for two tasks at work whose changes overlap."""

    OFF = "off"  # no detection
    WARN = "warn"
    TELL = "tell"  # tell both agents, if they take messages
    PAUSE = "pause"  # pause the task with less to lose until the other has landed
    SERIALISE = "serialise"  # restart that task after the other


class ProtectPolicy(StrEnum):
    """The policy for work that changes a protected path which its task does not declare."""

    ASK = "ask"  # wait for a person, before the gate
    WARN = "warn"  # land, and warn the user
    REFUSE = "refuse"  # fail the task and keep its work


class Enforcement(StrEnum):
    """The time in which agents are held to their reservations."""

    CONTENTION = "contention"  # only while the machine is short of what they use
    ALWAYS = "always"


class OnLimit(StrEnum):
    """The measure against an agent above its reservation while memory is short."""

    THROTTLE = "throttle"  # pause it until there is room
    KILL = "kill"


Guard = tuple[str, str]
"""A setting that guards against tasks: its name, and its value for a person."""


class RunRules(Struct, frozen=True):
    """Limits and policies of one run; the defaults are the shipped ones, times are in seconds.

    `clusters` are sets of agents whose predicted overlaps do not count. `never` are pairs that must
    not run at the same time; "@writes" stands for any task that may change files. Predicted
    conflicts with a probability of at least `collision_threshold` (0…1) are avoided. When the
    share of landings that had a conflict exceeds `sequential_above`, writers run one at a time. The
    `silent` strategies, and those of `path_strategies` on their paths, resolve conflicts
    automatically; if the run `remembers`, a person's earlier resolution of the same conflict
    outranks them. With `leases`, agents that announce writes wait for the holder of the file.
    `protect` is the policy for work that changes `protected` paths or files that the gate's
    commands name; None protects nothing. Up to `gate_batch` entries of the merge queue are tested
    together, a failed gate is retried `gate_retries` times, and `speculate` tests the next entries
    meanwhile. `memory_per_agent` (bytes) and `cpu_per_agent` (a share of the machine) are what a
    task reserves that declares nothing; `enforce` and `on_limit` are the policy for it.
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
    memory_per_agent: int = 256 * 1024**2
    cpu_per_agent: float = 0.2
    enforce: Enforcement = Enforcement.CONTENTION
    on_limit: OnLimit = OnLimit.THROTTLE

    @property
    def path_strategies(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return the strategies for paths by name, with their globs."""
        return (("union", self.union), *self.by_path)
