"""The plan as a value: parsed, resolved and validated."""

from enum import StrEnum

from msgspec import Struct

from pex_tui.core.model.ids import AgentName, LockName, TaskId


class Priority(StrEnum):
    """The urgency of a task; earlier members start first."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Strategy(StrEnum):
    """The degree of parallelism of a plan."""

    AUTO = "auto"
    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"
    STAGES = "stages"


class Isolation(StrEnum):
    """The kind of workspace of a task."""

    AUTO = "auto"
    WORKTREE = "worktree"
    SHARED = "shared"


class Expects(StrEnum):
    """The result that a task must show to count as done."""

    CHANGES = "changes"
    NONE = "none"
    ANY = "any"


class LockMode(StrEnum):
    """The mode in which a named lock is held."""

    EXCLUSIVE = "exclusive"
    SHARED = "shared"


class GatePolicy(StrEnum):
    """The policy for a gate that is red on the run's base as well."""

    STRICT = "strict"
    OFF = "off"


_SHARED_PROTOCOL = "acp"  # several runners share it, so in old recordings it names no provider


class PermissionMode(StrEnum):
    """The actions that an agent may take without asking, strictest first."""

    ASK = "ask"  # nothing that changes anything
    EDITS = "edits"  # edits to files of its workspace
    ALL = "all"  # everything; a person has to configure this


class PermissionRules(Struct, frozen=True):
    """Rules that answer permission requests: `Tool` or `Tool(glob)`, as in `Bash(pytest *)`.

    A deny rule wins over an allow rule, and both win over the mode.
    """

    mode: PermissionMode = PermissionMode.EDITS
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


class Brief(Struct, frozen=True):
    """The configuration of an agent with a model, besides its task.

    `runner` names the program that starts it, `talk` its protocol (several runners may share one),
    `provider` the provider of its model. `preamble` is the prompt of its definition, `tools` the
    tools that it may use (None for all). Without a `model` the runner's default applies.
    """

    runner: str
    talk: str
    preamble: str = ""
    model: str = ""
    tools: tuple[str, ...] | None = None
    permissions: PermissionRules = PermissionRules()
    provider: str = ""  # missing in old recordings: see TaskSpec.provider


class LockRequest(Struct, frozen=True):
    """A named lock that a task holds while its process lives."""

    name: LockName
    mode: LockMode = LockMode.EXCLUSIVE


class TaskSpec(Struct, frozen=True):
    """One task, with the defaults of its agent and of the configuration applied.

    `writes` is None for an unknown write set and empty for a task that only reads.
    `predicted_writes` holds the paths that the task's text names, for unknown write sets. A task
    may run in parallel with the tasks of `beside` whatever both write. Durations are in seconds,
    `memory_bytes` in bytes, `cpu_cores` in cores (1.0 is one core). `brief` is set for an agent
    with a model; `argv` is then the runner's program without the arguments that pex-tui adds.
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
    estimate_spread: float = 0.2  # standard deviation of its logarithm
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
    folder: str = ""  # the process's working directory in the repository; empty is the root

    @property
    def is_read_only(self) -> bool:
        """Return whether the task promises to change nothing."""
        return self.writes == ()

    @property
    def provider(self) -> str:
        """Return the provider of the agent's model, whose login and rate limits it uses."""
        if self.brief is None:
            return ""
        if self.brief.provider:
            return self.brief.provider
        runner, talk = self.brief.runner, self.brief.talk
        return runner.partition("-")[0] if talk == _SHARED_PROTOCOL else talk

    @property
    def title(self) -> str:
        """Return one line on what the task does: the prompt's first line, else the command."""
        shell = self.argv[:2] == ("sh", "-c")
        command = " ".join(self.argv[2:] if shell else self.argv)
        return (self.prompt.strip() or command.strip()).partition("\n")[0]


class PredictedConflict(Struct, frozen=True):
    """Two tasks that would conflict in parallel, the probability (0…1), and the evidence."""

    first: TaskId
    second: TaskId
    chance: float
    reason: str


class UnmatchedGlob(Struct, frozen=True):
    """A glob of a task's write set that matches no file, with a suggestion."""

    task: TaskId
    glob: str
    meant: str = ""


class Pace(Struct, frozen=True):
    """Overheads of a run besides the tasks' work, in seconds, as learned from earlier runs.

    `start_seconds` is the time from dispatch to process, `capture_seconds` from exit to queue,
    `land_seconds` from queue to branch without the gate. None for a gate that never ran.
    """

    start_seconds: float = 0.0
    capture_seconds: float = 0.0
    land_seconds: float = 0.0
    gate_seconds: float | None = None


class Plan(Struct, frozen=True):
    """A goal, its tasks in file order, and the gate that every landing must pass.

    `collisions` are the predicted ones, most probable first, learned from `past_changes` commits of
    the repository; None when no prediction was possible.
    """

    tasks: tuple[TaskSpec, ...]
    goal: str = ""
    base: str | None = None
    slots: int | None = None
    strategy: Strategy = Strategy.AUTO
    verify: tuple[tuple[str, ...], ...] = ()
    gate: GatePolicy = GatePolicy.STRICT
    dropped_needs: tuple[tuple[TaskId, TaskId], ...] = ()  # (task, need), to break a cycle
    collisions: tuple[PredictedConflict, ...] = ()
    past_changes: int | None = None
    unmatched: tuple[UnmatchedGlob, ...] = ()
    pace: Pace = Pace()
    folder: str = ""  # default for tasks without a folder
