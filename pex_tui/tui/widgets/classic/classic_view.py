"""The data of the classic box: frozen, and equal if nothing visible has changed."""

from msgspec import Struct

from pex_tui.core.formatting import UNKNOWN, percent, size, spoken
from pex_tui.core.model.state import RunState
from pex_tui.core.run_time import elapsed_seconds, shown_at
from pex_tui.core.sanitize import clean
from pex_tui.core.views.remaining_time import attempt_seconds
from pex_tui.core.views.status import Status
from pex_tui.core.views.view_models import (
    HeaderView,
    TaskRow,
    header_view,
    task_rows,
)
from pex_tui.engine.session import Usage
from pex_tui.tui.widgets.notice import conflict_words, question_words


class ClassicView(Struct, frozen=True):
    """A run as shown in the box; `worked` has the time worked of each of `rows`."""

    header: HeaderView
    rows: tuple[TaskRow, ...]
    worked: tuple[str, ...]
    elapsed: str
    memory: str
    cpu: str
    alarms: tuple[tuple[Status, str], ...] = ()


def classic_view(
    state: RunState,
    now: float,
    usage: Usage | None = None,
    engine_error: str = "",
    *,
    has_figures: bool = True,
) -> ClassicView:
    """Return the view of the run at `now` (absolute seconds), unmeasured values as unknown.

    Without figures, the usage is left empty.
    """
    seconds = [attempt_seconds(task, shown_at(state, now)) for task in state.tasks]
    return ClassicView(
        header=header_view(state, now),
        rows=task_rows(state, now),
        worked=tuple("" if one is None else spoken(one) for one in seconds),
        elapsed=spoken(elapsed_seconds(state, now)),
        memory=_memory(usage) if has_figures else "",
        cpu=percent(None if usage is None else usage.cpu) if has_figures else "",
        alarms=_alarms(state, engine_error),
    )


def _memory(usage: Usage | None) -> str:
    if usage is None:
        return UNKNOWN
    shown = size(usage.memory_bytes)
    return shown if shown.endswith("B") else f"{shown}B"


def _alarms(state: RunState, engine_error: str) -> tuple[tuple[Status, str], ...]:
    alarms = (
        (Status.FAILED, clean(engine_error)),
        (Status.ASKING, question_words(state)),
        (Status.CONFLICT, conflict_words(state)),
    )
    return tuple((status, words) for status, words in alarms if words)
