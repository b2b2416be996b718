"""Events of capturing an attempt's changes once its process is gone."""

from pex_tui.core.events.event_base import BaseEvent
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.unlanded import Unlanded


class WorkCaptured(BaseEvent, frozen=True):
    """The attempt's changes are under a ref; `work` is None when there are none.

    `trespass` lists tracked files found changed in a shared checkout, `left_out` new files too
    large for git with their location, `markers` files in which the attempt left conflict markers.
    `own_commits` counts the commits that the agent made itself; `oddities` describe its other
    changes to git, each a phrase that continues after the task's name. `unlanded` lists what else
    it wrote that is not part of the work; `intrusions` describe changes that somebody made to the
    user's own repository meanwhile, a sentence each. `lacking` means that the attempt changed
    nothing although the tip lacks what an earlier attempt made. `outputs` counts the task's files
    for its dependents.
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

    `gone` means that the workspace no longer exists and no ref holds the work. A `passing` failure
    is retried.
    """

    task: TaskId
    attempt: int
    detail: str
    gone: bool = False
    passing: bool = False


CaptureEvent = WorkCaptured | CaptureFailed
"""Events of an attempt's capture."""
