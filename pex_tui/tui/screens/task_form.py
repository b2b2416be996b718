"""The form of a task's fields; each problem is shown below its field."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input, Label, Static, TextArea

from pex_tui.core.model.plan import Plan
from pex_tui.core.sanitize import clean, clean_text
from pex_tui.engine.session import PlanDraft
from pex_tui.errors import UserError
from pex_tui.planning.fields.problems import PlanError
from pex_tui.planning.plan_file.edits import FIELDS, by_field, put_task, task_fields
from pex_tui.tui.keyboard.typed_ahead import command
from pex_tui.tui.screens.modal import Hint, Modal
from pex_tui.tui.screens.modals import may_discard

Revise = Callable[[str], Awaitable[PlanDraft]]

_LONG = frozenset({"prompt", "env", "commit"})  # fields of several lines
_HINTS = {
    "id": "a-z, 0-9 and dashes",
    "agent": "from the library; sets command and defaults",
    "command": "a shell line, or [program, argument]",
    "dir": "where it runs: packages/api; empty: as the plan says",
    "needs": "tasks that must succeed first: audit, schema",
    "reads": "globs: src/api/**",
    "writes": "globs; [] only reads; empty: unknown",
    "beside": "tasks that it may overlap: docs",
    "locks": "postgres, cache: shared",
    "priority": "critical, high, normal or low",
    "estimate": "3m",
    "timeout": "30m; empty: none",
    "retries": "empty: as configured",
    "memory": "512MB",
    "cpu": "50%",
    "stage": "1, 2, …",
    "isolation": "auto, shared or worktree",
    "expects": "changes, none or any",
}


class TaskForm(Modal[PlanDraft | None]):
    """Edits one task, or makes a new one; answers with the changed draft, None if cancelled."""

    CSS_PATH: ClassVar = ["../styles/modals.tcss", "../styles/form.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", show=False),
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
    ]

    def __init__(self, plan: Plan, position: int | None, revise: Revise) -> None:
        super().__init__()
        self._plan = plan
        self._position = position
        self._revise = revise
        self._given = {} if position is None else task_fields(plan, position)
        self._shown = {field: clean_text(text) for field, text in self._given.items()}
        self._heading = "New task" if position is None else f"Task {self._given['id']}"

    def compose(self) -> ComposeResult:
        """Compose one row per field, with its problems below."""
        with Vertical(classes="question form"):
            yield Static(self._heading, classes="title", markup=False)
            yield Static(id="wrong-", classes="wrong -hidden", markup=False)
            with VerticalScroll(can_focus=False):
                for field in FIELDS:
                    with Horizontal(classes=f"row{' long' if field in _LONG else ''}"):
                        yield Label(field, markup=False)
                        yield self._editor(field)
                    yield Static(id=f"wrong-{field}", classes="wrong -hidden", markup=False)
            yield Hint("tab next field · ctrl+s saves · esc cancels")

    def _editor(self, field: str) -> Input | TextArea:
        text = self._shown.get(field, "")
        if field in _LONG:
            return TextArea(text, id=field, tab_behavior="focus", compact=True)
        return Input(text, placeholder=_HINTS.get(field, ""), id=field, compact=True)

    def _fields(self) -> dict[str, str]:
        """Return the fields' texts; an untouched field keeps the plan's text byte for byte."""
        typed = {entry.id or "": entry.value for entry in self.query(Input)}
        typed |= {entry.id or "": entry.text for entry in self.query(TextArea)}
        return {
            field: self._given.get(field, "") if text == self._shown.get(field, "") else text
            for field, text in typed.items()
        }

    def on_input_submitted(self) -> None:
        """Save on ⏎ in a single-line field."""
        self.action_save()

    @command
    async def action_save(self) -> None:
        """Check the plan as a file would be; stay open while anything is wrong."""
        text = put_task(self._plan, self._position, self._fields())
        place = len(self._plan.tasks) if self._position is None else self._position
        try:
            self.dismiss(await self._revise(text))
        except PlanError as error:
            self._complain(by_field(error, text, place))
        except UserError as error:
            self._complain({"": error.lines})

    def _complain(self, wrong: dict[str, tuple[str, ...]]) -> None:
        for field in (*FIELDS, ""):
            texts = wrong.get(field, ())
            line = self.query_one(f"#wrong-{field}", Static)
            line.update(clean(" ".join(texts)))
            line.set_class(not texts, "-hidden")
        first = next((field for field in FIELDS if field in wrong), None)
        if first is not None:
            self.query_one(f"#{first}").focus()
            self.query_one(f"#wrong-{first}").scroll_visible(animate=False)

    @property
    def unsaved(self) -> str:
        """The unsaved changes, in words."""
        given = {field: self._given.get(field, "") for field in FIELDS}
        is_changed = bool(self.query(Input)) and self._fields() != given
        return f"{self._heading}: your changes are not saved." if is_changed else ""

    @command
    async def action_cancel(self) -> None:
        """Close the form; ask before discarding changes."""
        if await may_discard(self.app, lambda: self.unsaved):
            self.dismiss(None)
