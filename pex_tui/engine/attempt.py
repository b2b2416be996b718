"""One attempt as the engine and its adapters speak of it: its launch, its reports, its end."""

from pathlib import Path

from msgspec import Struct

from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.task_state import FailureKind


class AttemptKey(Struct, frozen=True):
    """Which attempt of which task of which run."""

    run: RunId
    task: TaskId
    attempt: int


class Launch(Struct, frozen=True):
    """All that is needed to start an attempt's process.

    `env` is the whole environment. `speaks` gives the program a stdin that the shim owns and logs;
    without it stdin is /dev/null. A process that `is_tied` ends when the one that started it does,
    however that ends.
    """

    key: AttemptKey
    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str]
    grace_seconds: float
    speaks: bool = False
    is_tied: bool = False


class Started(Struct, frozen=True):
    """A live process tree: its root's pid and its start in absolute seconds.

    `listens` means that it takes messages while it runs.
    """

    pid: int
    started_at: float
    listens: bool = False


class Judgement(Struct, frozen=True):
    """How an agent that speaks ended by its own word: a failure's kind, or None for a success."""

    failure: FailureKind | None
    detail: str = ""


class Exited(Struct, frozen=True):
    """A finished attempt, from its exit record.

    `exit_code` is None when a signal ended it. `lost` means that shim and process are gone without
    a record; `exited_at` is then the time of discovery. A `judgement` counts more than the code.
    `spent` are the reports of an attempt that ended while no engine listened.
    """

    exit_code: int | None
    signal: int | None
    started_at: float | None
    exited_at: float
    lost: bool = False
    judgement: Judgement | None = None
    spent: tuple["Spent", ...] = ()


class Progress(Struct, frozen=True):
    """What an agent's output tells of it: 0…1 or None for unknown, and its last line, cleaned."""

    fraction: float | None
    activity: str


class Asked(Struct, frozen=True):
    """An agent wants to do something and waits: the fields of `PermissionAsked`."""

    request: str
    tool: str
    title: str
    touches: tuple[str, ...] = ()
    scope: str = ""
    edits: bool = False
    announced: bool = False


class Spent(Struct, frozen=True):
    """What its model used since the last such report; None is a cost that nobody tells.

    `number` counts an attempt's reports from 1: an adopted attempt makes them all again.
    """

    tokens: int
    cost_usd: float | None = None
    number: int = 0


class Limited(Struct, frozen=True):
    """Its model's provider takes no more for a while: seconds, None when it does not say."""

    wait_seconds: float | None
    detail: str


AgentReport = Progress | Asked | Spent | Limited


class LaunchError(Exception):
    """The attempt's process could not be started; its text says why, for a person.

    `permanent` is True when trying again cannot help (program missing, not executable).
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent
