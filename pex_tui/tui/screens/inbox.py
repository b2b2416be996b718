"""The inbox: permission requests of agents, with what they would touch."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.widgets import DataTable

from pex_tui.core.coordination.agent_messages import open_permissions
from pex_tui.core.events.agent_events import BudgetExtended, PermissionDecided
from pex_tui.core.events.run_events import Event, RunDrainRequested
from pex_tui.core.formatting import clock, counted
from pex_tui.core.lifecycle.rate_limits import over_budget
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import Permission, Verdict
from pex_tui.core.sanitize import clean
from pex_tui.tui.keyboard.keys import YOU
from pex_tui.tui.messages import Steer
from pex_tui.tui.screens.modals import TextScreen
from pex_tui.tui.screens.pex_screen import PexScreen
from pex_tui.tui.widgets.key_footer import KeyFooter
from pex_tui.tui.widgets.row_table import RowTable
from pex_tui.tui.widgets.text.text_view import Line, TextView

_CLOCK_SECONDS = 1.0
_COLUMNS = ("", "TASK", "AGENT", "ASKS TO", "SINCE")
_ANSWERS = {
    Verdict.ALLOW_ONCE: "allowed once",
    Verdict.ALLOW_ALWAYS: "allowed for this run",
    Verdict.DENY: "denied",
}
_BUDGET = "the budget"
Question = tuple[TaskId, Permission]


class QuestionTable(RowTable):
    """One row per question."""

    YIELDING: ClassVar[frozenset[str]] = frozenset({"TASK", "AGENT", "ASKS TO"})


class InboxScreen(PexScreen):
    """Open questions first, answered ones of live agents below."""

    PLACE: ClassVar = "the inbox"
    HEARD_WITH: ClassVar = (QuestionTable,)
    CSS_PATH: ClassVar = "../styles/inbox.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "answer('allow_once')", "Allow once", id="inbox.once"),
        Binding("A", "answer('allow_always')", "Always, this run", id="inbox.always"),
        Binding("d", "answer('deny')", "Deny", id="inbox.deny"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("escape", "back", "Back", id="inbox.back"),
    ]

    run_state: var[RunState | None] = var(None)

    def __init__(self) -> None:
        super().__init__()
        self._questions: tuple[Question, ...] = ()
        self._answered_here: tuple[TaskId, str] | None = None

    def compose(self) -> ComposeResult:
        """Compose head, questions and details."""
        yield TextView(id="head")
        questions = QuestionTable()
        questions.add_class("panel")
        questions.id = "questions"
        yield questions
        yield TextView(id="about", classes="panel")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Set the panels' titles, and start the timer for waiting times."""
        table = self.query_one(QuestionTable)
        table.border_title = "Questions"
        table.focus()
        self.query_one("#about").border_title = "Details"
        self.set_interval(_CLOCK_SECONDS, self._show)
        self._show()

    def on_screen_resume(self) -> None:
        """Update after another screen was shown."""
        self._show()

    def watch_run_state(self) -> None:
        """Update the questions."""
        self._show()

    @property
    def _chosen(self) -> Question | None:
        row = self.query_one(QuestionTable).cursor_row
        return self._questions[row] if 0 <= row < len(self._questions) else None

    def _show(self) -> None:
        state = self.run_state
        if not self.is_mounted or not self.is_current:
            return
        waiting = () if state is None else (*_of_money(state), *open_permissions(state))
        self.query_one("#head", TextView).show([_head(state, len(waiting))])
        before, table = self._chosen, self.query_one(QuestionTable)
        self._tell_if_gone(before, waiting)
        row = table.cursor_row
        self._questions = waiting if state is None else (*waiting, *_answered(state))
        was_open = before is None or before[1].verdict is None
        stays = [_name(question) for question in (waiting if was_open else self._questions)]
        if before is not None and _name(before) in stays:
            row = stays.index(_name(before))
        elif waiting:  # on to the next open one
            row = min(row, len(waiting) - 1)
        table.fill(_COLUMNS, [self._cells(question) for question in self._questions], row)
        self._show_about()

    def _tell_if_gone(self, before: Question | None, waiting: Sequence[Question]) -> None:
        """Report it in a dialog, so that the next key is not applied to the next question."""
        if before is None or before[1].verdict is not None or not waiting:
            return
        name = _name(before)
        if name != self._answered_here and name not in map(_name, waiting):
            text = f"{before[1].title}: answered elsewhere, or withdrawn."
            self.app.push_screen(TextScreen(f"{name[0]} is no longer waiting", clean(text)))

    def _cells(self, question: Question) -> list[Text]:
        task, asked = question
        state = self.run_state
        agent = "" if asked.tool == _BUDGET or state is None else state.spec(task).agent
        since = clock(self.pex.now() - asked.asked_at)
        sign = "?" if asked.verdict is None else "✗" if asked.verdict is Verdict.DENY else "✓"
        cells = (self.pex.symbols.text(sign), task, agent or "command", asked.title, since)
        ink = "" if asked.verdict is None else "dim"
        return [Text(clean(cell, 200), style=ink, no_wrap=True) for cell in cells]

    @on(DataTable.RowHighlighted)
    def _show_about(self) -> None:
        chosen = self._chosen
        self.query_one("#about", TextView).show(_nothing() if chosen is None else _about(*chosen))
        self.refresh_bindings()

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        """Return why the selected question cannot be answered."""
        del parameters
        if action != "answer" or not self.is_mounted:
            return ""
        if self._chosen is None:
            return "no pending requests"
        return "" if self._chosen[1].verdict is None else "this request was already answered"

    def action_answer(self, verdict: str) -> None:
        """Answer the question under the cursor."""
        chosen = self._chosen
        if chosen is not None:
            self._answered_here = _name(chosen)
            self.post_message(Steer((_answer(*chosen, Verdict(verdict)),)))

    def action_move(self, step: int) -> None:
        """Select another question."""
        table = self.query_one(QuestionTable)
        table.move_cursor(row=table.cursor_row + step)

    def action_back(self) -> None:
        """Return to the run."""
        self.pex.action_show("monitor" if self.pex.session else "home")


def _of_money(state: RunState) -> tuple[Question, ...]:
    """Return the run's own question once its budget is used up."""
    used_up = over_budget(state)
    if not used_up or state.stage is RunStage.FINISHED:
        return ()
    title = f"continue with the same budget again: {used_up} used"
    permission = Permission("", _BUDGET, title, (), "the same again, once", asked_at=state.now)
    return ((TaskId("run"), permission),)


def _answer(task: TaskId, asked: Permission, verdict: Verdict) -> Event:
    """Return the decision; a budget that is not extended aborts the run, as a person would."""
    if asked.tool != _BUDGET:
        return PermissionDecided(task, asked.request, verdict, YOU)
    return RunDrainRequested(YOU) if verdict is Verdict.DENY else BudgetExtended(YOU)


def _name(question: Question) -> tuple[TaskId, str]:
    return question[0], question[1].request


def _answered(state: RunState) -> list[Question]:
    """Return the answered questions of live attempts, newest first."""
    found = [
        (task.id, asked)
        for _, task in state.live()
        for asked in task.permissions
        if asked.verdict is not None
    ]
    return sorted(found, key=lambda question: -question[1].asked_at)


def _head(state: RunState | None, count: int) -> Line:
    run = f"   run {state.run}" if state else ""
    said = f"{counted(count, 'agent')} waiting for an answer" if count else "No pending requests."
    return (("pex ", "brand"), ("inbox ", "dim"), (said, "strong"), (run, "dim"))


def _about(task: TaskId, asked: Permission) -> list[Line]:
    lines: list[Line] = [
        ((f"{task} ", "strong"), ("asks to ", "dim"), (clean(asked.title), "")),
        (("with        ", "dim"), (clean(asked.tool), "")),
    ]
    label = "touches     "
    for path in asked.touches:
        lines.append(((label, "dim"), (clean(path), "")))
        label = " " * len(label)
    lines.append((("always      ", "dim"), (f"allows for this run: {clean(asked.scope)}", "")))
    if asked.verdict is not None:
        said = f"{_ANSWERS[asked.verdict]} by {clean(asked.by)}"
        lines.append((("answer      ", "dim"), (said, "")))
    return lines


def _nothing() -> list[Line]:
    return [
        (("Agents that need a permission are listed here,", "dim"),),
        (("with what they would touch. They keep their slots while they wait.", "dim"),),
    ]
