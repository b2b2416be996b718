"""One line that asks for attention: an agent's question, a conflict, a stopped engine."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.strip import Strip

from pex_tui.core.coordination.agent_messages import open_permissions
from pex_tui.core.landing.approval import protected_words
from pex_tui.core.lifecycle.rate_limits import over_budget
from pex_tui.core.model.conflict import ConflictKind
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.core.views.status import Status
from pex_tui.tui.messages import ConflictWanted, InboxWanted
from pex_tui.tui.widgets.painting import Painted, fit

_LONGEST_PATH = 60


class Notice(Painted, can_focus=True):
    """Hidden if there is nothing to report; ⏎ or a click opens the subject."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Open", key_display="⏎")]

    words: reactive[tuple[str, str]] = reactive(("", ""))

    def update(self, state: RunState | None, engine_error: str) -> None:
        """Show what matters most."""
        if engine_error:
            self.words = (engine_error, "failed")
        else:
            question = question_words(state)
            self.words = (question, "asking") if question else (conflict_words(state), "conflict")

    def watch_words(self) -> None:
        """Hide the line if it is empty."""
        self.set_class(not self.words[0], "-hidden")

    def render_line(self, y: int) -> Strip:
        """Return the line."""
        del y
        text, ink = self.words
        width = self.size.width
        symbol = self.symbols.bare(Status(ink))
        shown = fit(f" {symbol} {text}", width, self.symbols.rest)
        return self.paint([(shown, f"bold {ink}")], width, "cursor" if self.has_focus else "")

    def action_open(self) -> None:
        """Open the agents' questions, else the oldest open conflict."""
        if self.words[1] == "asking":
            self.post_message(InboxWanted())
        else:
            self.post_message(ConflictWanted())

    def on_click(self) -> None:
        """Open the subject by mouse."""
        self.action_open()


def question_words(state: RunState | None) -> str:
    """Return the oldest question of an agent in one line; empty if none is open."""
    waiting = () if state is None else open_permissions(state)
    if state is not None and not waiting and state.stage is not RunStage.FINISHED:
        used_up = over_budget(state)
        return f"The budget is used up ({used_up}): i answers" if used_up else ""
    if not waiting:
        return ""
    task, asked = waiting[0]
    more = f", and {len(waiting) - 1} more wait" if len(waiting) > 1 else ""
    return f"{task} asks to {clean(asked.title, _LONGEST_PATH)}{more}: i answers"


def conflict_words(state: RunState | None) -> str:
    """Return the oldest open conflict in one line; empty if none is open."""
    conflicts = () if state is None else state.open_conflicts
    if not conflicts:
        return ""
    first = conflicts[0]
    more = f", and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
    if first.kind is ConflictKind.PROTECTED:
        return f"{clean(protected_words(first))}{more}: c decides"
    task, *others = first.tasks
    with_whom = f" with {', '.join(others)}" if others else ""
    where = f" in {clean(first.files[0].path, _LONGEST_PATH)}" if first.files else ""
    return f"{task} is in conflict{with_whom}{where}{more}: c resolves it"
