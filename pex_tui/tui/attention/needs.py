"""Situations of a run that require a person, each reported once."""

from msgspec import Struct

from pex_tui.core.coordination.agent_messages import open_permissions
from pex_tui.core.landing.approval import protected_words
from pex_tui.core.lifecycle.rate_limits import over_budget
from pex_tui.core.model.conflict import Conflict, ConflictKind
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.state import LandStatus, RunState
from pex_tui.core.sanitize import clean

_MOST_NOTICES = 3  # at once, because each covers a part of the screen
_NOTICE_SECONDS = 10.0
_MORE = "There are more notices than fit here; see the report."


class Need(Struct, frozen=True):
    """One thing to report.

    `is_news` means that the screen does not show it by itself; `is_urgent` that it waits for the
    user, or ends what the user waits for.
    """

    text: str
    is_news: bool = True
    is_urgent: bool = True
    is_bad: bool = True


class Attention:
    """Remembers what was reported about one run."""

    def __init__(self, state: RunState) -> None:
        self._conflicts = {one.number for one in state.open_conflicts}
        self._questions = set(_questions(state))
        self._ended = state.stage is RunStage.FINISHED
        self._budgets = state.budgets if over_budget(state) else 0
        self._refusal = _refusal(state)
        self._merge = _merge(state)
        self._notices = len(state.notices)
        self._noticed_at: list[float] = []

    def needs(self, state: RunState) -> tuple[Need, ...]:
        """Return what is new since the last call."""
        found = []
        for conflict in state.open_conflicts:
            if conflict.number not in self._conflicts:
                self._conflicts.add(conflict.number)
                found.append(Need(_conflict(conflict)))
        for key, title in _questions(state).items():
            if key not in self._questions:
                self._questions.add(key)
                found.append(Need(f"{key[0]} asks to {title}. i answers."))
        used_up = over_budget(state)
        if used_up and state.budgets != self._budgets:
            self._budgets = state.budgets
            found.append(Need(f"The budget is used up: {used_up}. i answers."))
        refusal = _refusal(state)
        if refusal and refusal != self._refusal:
            found.append(Need(f"Not merged into {clean(state.target or '')}: {refusal}"))
        self._refusal = refusal
        merge = _merge(state)
        if merge and merge != self._merge:
            found.append(Need(merge, is_urgent=False, is_bad=False))
        self._merge = merge
        ended = state.stage is RunStage.FINISHED
        if ended and not self._ended:
            outcome = str(state.outcome or "").replace("_", " ")
            found.append(Need(f"Run {state.run} has ended: {outcome}.", is_news=False))
        self._ended = ended
        found += [Need(clean(text), is_urgent=False) for text in self._fitting(state)]
        return tuple(found)

    def _fitting(self, state: RunState) -> tuple[str, ...]:
        """Return the new notices that fit beside the latest ones.

        Then, once, that there are more.
        """
        fresh = state.notices[self._notices :]
        self._notices = len(state.notices)
        self._noticed_at = [at for at in self._noticed_at if at > state.now - _NOTICE_SECONDS]
        room = _MOST_NOTICES - len(self._noticed_at)  # negative once more notices have come
        shown = fresh if len(fresh) <= room else (*fresh[:room], _MORE) if room >= 0 else ()
        self._noticed_at += [state.now] * len(shown)
        return shown


def _questions(state: RunState) -> dict[tuple[TaskId, int, str], str]:
    return {
        (task, state.task(task).attempt, asked.request): clean(asked.title, 80)
        for task, asked in open_permissions(state)
    }


def _refusal(state: RunState) -> str:
    """Return the reason the work did not reach the user's branch; empty if nothing prevented it."""
    return clean(state.land_detail) if state.land_status is LandStatus.REFUSED else ""


def _merge(state: RunState) -> str:
    """Return what the landing on the user's branch did; empty if there is none, or not yet."""
    return clean(state.land_detail) if state.land_status is LandStatus.LANDED else ""


def _conflict(conflict: Conflict) -> str:
    if conflict.kind is ConflictKind.PROTECTED:
        return f"{clean(protected_words(conflict))}. c decides."
    paths = ", ".join(clean(file.path, 60) for file in conflict.files[:2])
    where = f" in {paths}" if paths else ""
    return f"{' and '.join(conflict.tasks)} conflict{where}. c resolves it."
