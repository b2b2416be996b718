"""Values that the engine exchanges with its adapters about an attempt."""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from pex_tui.core.formatting import size
from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.memory import TIERS
from pex_tui.core.model.sandbox import Sandbox
from pex_tui.core.model.task_state import FailureKind
from pex_tui.core.network_rules import NetworkRules


class AttemptKey(Struct, frozen=True):
    """The identity of an attempt: run, task and number."""

    run: RunId
    task: TaskId
    attempt: int


class Limits(Struct, frozen=True):
    """Limits of an attempt's process tree; None is no limit.

    `share` weighs the tree against others, in cores, while all want the processor. With `polls`,
    the kernel is not asked to hold any. The lower its `urgency`, from -1 to 2, the sooner the
    kernel kills the tree for others when the machine's memory runs out.
    """

    memory_bytes: int | None = None
    cpu_cores: float | None = None
    share: float | None = None
    processes: int | None = None
    disk_bytes: int | None = None
    polls: bool = False
    urgency: int = 0


class Launch(Struct, frozen=True):
    """Everything needed to start an attempt's process.

    `env` is the whole environment. `speaks` gives the program a stdin that the shim owns and logs;
    otherwise stdin is /dev/null. A process that `is_tied` is ended when its starter ends, for
    whatever reason. Without a `sandbox` it has all rights of the user, without
    `network` it may reach any host.
    """

    key: AttemptKey
    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str]
    grace_seconds: float
    speaks: bool = False
    is_tied: bool = False
    sandbox: Sandbox | None = None
    limits: Limits = Limits()
    network: NetworkRules | None = None


class Started(Struct, frozen=True):
    """A live process tree: its root's pid and its start in absolute seconds.

    `listens` means that the process takes messages, `tier` names the means that hold its limits.
    """

    pid: int
    started_at: float
    listens: bool = False
    tier: str = ""


_SUBJECTS: dict[str, tuple[str, Callable[[int], str]]] = {
    "memory": ("its memory limit", size),
    "processes": ("its limit of processes", str),
    "disk": ("its disk limit", size),
}


class Breach(Struct, frozen=True):
    """A limit for which an attempt was ended: memory, processes or disk, or the machine's memory.

    `peak` is the most that was seen, `tier` the means that held the limit.
    """

    subject: str
    limit: int
    peak: int
    tier: str

    @property
    def is_the_machines(self) -> bool:
        """True if the tree was within its own limits, and the kernel ended it for others."""
        return self.subject == "machine"

    @property
    def words(self) -> str:
        """Return a description with the limit, the tier and the peak."""
        if self.is_the_machines:
            return "killed by the kernel because the machine ran out of memory"
        name, amount = _SUBJECTS[self.subject]
        tier = TIERS.get(self.tier, self.tier)
        return f"over {name}: {amount(self.limit)} ({tier}), peak {amount(self.peak)}"


class Judgement(Struct, frozen=True):
    """The result that an agent reported itself: a failure's kind, or None for success."""

    failure: FailureKind | None
    detail: str = ""


class Exited(Struct, frozen=True):
    """A finished attempt, from its exit record.

    `exit_code` is None when a signal ended it. `lost` means that shim and process are gone without
    a record; `exited_at` is then the time of discovery. `reason` is what is known of a loss or a
    failure, beyond the exit code. A `breach` outranks a `judgement`, and that the exit code.
    `spent` are usage reports made while no engine listened. `peak_bytes` is the most memory that
    was seen of the tree, None if unknown.
    """

    exit_code: int | None
    signal: int | None
    started_at: float | None
    exited_at: float
    lost: bool = False
    reason: str = ""
    judgement: Judgement | None = None
    spent: tuple["Spent", ...] = ()
    breach: Breach | None = None
    peak_bytes: int | None = None
    cpu_seconds: float | None = None


class Progress(Struct, frozen=True):
    """Progress from an agent's output: 0…1 or None for unknown, and its last line, sanitized."""

    fraction: float | None
    activity: str


class Asked(Struct, frozen=True):
    """An agent's permission request, with the fields of `PermissionAsked`."""

    request: str
    tool: str
    title: str
    touches: tuple[str, ...] = ()
    scope: str = ""
    edits: bool = False
    announced: bool = False


class Spent(Struct, frozen=True):
    """Usage of the agent's model since the last such report; None is a cost that is not reported.

    `number` counts an attempt's reports from 1, as an adopted attempt repeats all of them.
    """

    tokens: int
    cost_usd: float | None = None
    number: int = 0


class Limited(Struct, frozen=True):
    """A rate limit of the agent's model provider, in seconds; None when it does not say."""

    wait_seconds: float | None
    detail: str


AgentReport = Progress | Asked | Spent | Limited


class LaunchError(Exception):
    """The attempt's process could not be started; the message says why, for a person.

    `permanent` means that a retry cannot help (program missing, not executable).
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
