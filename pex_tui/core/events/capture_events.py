"""Events of what becomes of an attempt's changes once its process is gone."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.unlanded import Unlanded


class WorkCaptured(BaseEvent, frozen=True):
    """What the attempt changed is under a ref; `work` is None when it changed nothing.

    `trespass` lists tracked files found changed in a shared checkout, `left_out` new files that are
    too large to be part of the work: where they lie now. `markers` are files in which the attempt
    left merge markers. `own_commits` counts the commits that the agent made itself; `oddities` say
    what else it did to its git, each going on after its name. `unlanded` is what else it wrote that
    is no part of the work; `intrusions` tell what somebody did to the user's own repository
    meanwhile, a sentence each. `lacking` says that the attempt changed nothing, and that the tip
    does not hold what an earlier one made. `outputs` counts the task's files for its dependents.
    """

    task: TaskId
    attempt: int
    work: CommitId | None
    files: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    trespass: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    oddities: tuple[str, ...] = ()
    own_commits: int = 0
    unlanded: tuple[Unlanded, ...] = ()
    intrusions: tuple[str, ...] = ()
    lacking: bool = False
    outputs: int = 0


class CaptureFailed(BaseEvent, frozen=True):
    """The work could not be put under a ref; the workspace is left as it is.

    `gone` means that there is no workspace any more, and no work under a ref. A reason that is
    `passing` is one to try again for.
    """

    task: TaskId
    attempt: int
    detail: str
    gone: bool = False
    passing: bool = False


CaptureEvent = WorkCaptured | CaptureFailed
"""What became of an attempt's work."""
