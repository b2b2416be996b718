"""The plan as a value: what the user asked for, parsed, resolved and checked."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.ids import AgentName, LockName, TaskId


class Priority(StrEnum):
    """How urgent a task is; earlier members start first."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Strategy(StrEnum):
    """How much of a plan may run side by side."""

    AUTO = "auto"
    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"
    STAGES = "stages"


class Isolation(StrEnum):
    """Where a task works."""

    AUTO = "auto"
    WORKTREE = "worktree"
    SHARED = "shared"


class Expects(StrEnum):
    """What a task must show to count as done."""

    CHANGES = "changes"
    NONE = "none"
    ANY = "any"


class LockMode(StrEnum):
    """How a named lock is held."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"


class GatePolicy(StrEnum):
    """What happens when the gate is red on the run's base as well."""

    STRICT = "strict"
    OFF = "off"


_SHARED_PROTOCOL = "acp"  # which says nothing of the provider, in runs recorded without one


class PermissionMode(StrEnum):
    """What an agent may do without a question, the strictest first."""

    ASK = "ask"  # nothing that changes anything
    EDITS = "edits"  # edit files of its workspace
    ALL = "all"  # everything; a person has to write this down


class PermissionRules(Struct, frozen=True):
    """What is answered without a person: `Tool` or `Tool(glob)`, as in `Bash(pytest *)`.

    A rule that denies wins over one that allows, and both over the mode.
    """

    mode: PermissionMode = PermissionMode.EDITS
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class Brief(Struct, frozen=True):
    """What an agent with a model is told besides its task.

    `runner` names what starts it, `talk` the protocol (several runners may talk alike), `provider`
    whose model it uses. `preamble` is the prompt of its definition, `tools` what it may use (None
    for all); without a `model` its own default counts.
    """

    runner: str
    talk: str
    preamble: str = ""
    model: str = ""
    tools: tuple[str, ...] | None = None
    permissions: PermissionRules = PermissionRules()
    provider: str = ""  # recorded runs may be without: see TaskSpec.provider


class LockRequest(Struct, frozen=True):
    """A named lock that a task holds while its process lives."""

    name: LockName
    mode: LockMode = LockMode.EXCLUSIVE


class TaskSpec(Struct, frozen=True):
    """One task, with the defaults of its agent and of the configuration folded in.

    `writes` is None when the write set is unknown and empty when the task only reads.
    `predicted_writes` holds the paths that the task's own text names, for unknown write sets.
    Beside the tasks of `beside` it may run whatever both write: its author knows better.
    Durations are seconds, `memory_bytes` bytes, `cpu_cores` cores (1.0 is one core). `brief` is
    there for an agent with a model; its `argv` is then the program without any arguments of ours.
    """

    id: TaskId
    argv: tuple[str, ...]
    agent: AgentName | None = None
    prompt: str = ""
    needs: tuple[TaskId, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] | None = None
    predicted_writes: tuple[str, ...] = ()
    beside: tuple[TaskId, ...] = ()
    locks: tuple[LockRequest, ...] = ()
    priority: Priority = Priority.NORMAL
    estimate_seconds: float = 60.0
    estimate_spread: float = 0.2  # deviation of its logarithm
    timeout_seconds: float | None = None
    retries: int | None = None
    memory_bytes: int | None = None
    cpu_cores: float | None = None
    env: tuple[tuple[str, str], ...] = ()
    stage: int | None = None
    isolation: Isolation = Isolation.WORKTREE
    expects: Expects = Expects.ANY
    commit_message: str = ""
    enabled: bool = True
    brief: Brief | None = None
    folder: str = ""  # of the repository, where its process runs; empty is the root

    @property
    def is_read_only(self) -> bool:
        """Return whether the task has promised to change nothing."""
        return self.writes == ()

    @property
    def provider(self) -> str:
        """Whose model its agent uses: whose login it needs, and whose rate limits it shares."""
        if self.brief is None:
            return ""
        if self.brief.provider:
            return self.brief.provider
        runner, talk = self.brief.runner, self.brief.talk
        return runner.partition("-")[0] if talk == _SHARED_PROTOCOL else talk

    @property
    def title(self) -> str:
        """One line that says what the task does: its prompt's first line, else its command."""
        shell = self.argv[:2] == ("sh", "-c")
        command = " ".join(self.argv[2:] if shell else self.argv)
        return (self.prompt.strip() or command.strip()).partition("\n")[0]


class PredictedConflict(Struct, frozen=True):
    """Two tasks that would collide side by side, how probably (0…1), and what speaks for it."""

    first: TaskId
    second: TaskId
    chance: float
    reason: str


class UnmatchedGlob(Struct, frozen=True):
    """What a task is to write and nothing in the repository matches; a guess at what was meant."""

    task: TaskId
    glob: str
    meant: str = ""


class Pace(Struct, frozen=True):
    """What a run takes besides its tasks' work, in seconds, as learned from earlier runs.

    `start_seconds` from a task's dispatch to its process, `capture_seconds` from its exit to the
    queue, `land_seconds` from there to the branch without the gate. None for a gate that never ran.
    """

    start_seconds: float = 0.0
    capture_seconds: float = 0.0
    land_seconds: float = 0.0
    gate_seconds: float | None = None


class Plan(Struct, frozen=True):
    """A goal, its tasks in file order, and the gate that guards every landing.

    `collisions` are what was foreseen when the plan was made, the probable ones first, from so many
    `past_changes` of the repository; None where nothing was there to foresee.
    """

    tasks: tuple[TaskSpec, ...]
    goal: str = ""
    base: str | None = None
    slots: int | None = None
    strategy: Strategy = Strategy.AUTO
    verify: tuple[tuple[str, ...], ...] = ()
    gate: GatePolicy = GatePolicy.STRICT
    dropped_needs: tuple[tuple[TaskId, TaskId], ...] = ()  # (task, need) edges that broke a cycle
    collisions: tuple[PredictedConflict, ...] = ()
    past_changes: int | None = None
    unmatched: tuple[UnmatchedGlob, ...] = ()
    pace: Pace = Pace()
    folder: str = ""  # of tasks that name none
