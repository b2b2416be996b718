"""Plan review: graph and tasks, estimates, and warnings before the run."""

from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import var
from textual.widgets import DataTable

from pex_tui.core.formatting import clock, counted
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.plan_graph import PlanGraph
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError
from pex_tui.engine.session import PlanDraft
from pex_tui.errors import UserError
from pex_tui.planning.fields.problems import PlanError
from pex_tui.planning.plan_file.edits import drop_task, toggle_need
from pex_tui.planning.plan_file.warnings import PlanWarning, plan_warnings
from pex_tui.planning.plan_file.writer import plan_to_yaml
from pex_tui.planning.scheduling.graph_shape import PlanShape, plan_shape
from pex_tui.planning.scheduling.schedule import Schedule, schedule_plan, what_if
from pex_tui.textfiles import save_text_file
from pex_tui.tui.dag import draw
from pex_tui.tui.keyboard.typed_ahead import command
from pex_tui.tui.messages import SessionOpened
from pex_tui.tui.screens.modals import (
    ConfirmScreen,
    LineScreen,
    PathSuggester,
    TextScreen,
    may_write,
    typed_path,
)
from pex_tui.tui.screens.pex_screen import PexScreen
from pex_tui.tui.screens.pick import PickScreen
from pex_tui.tui.screens.task_form import TaskForm
from pex_tui.tui.widgets.graph import GraphView
from pex_tui.tui.widgets.key_footer import KeyFooter
from pex_tui.tui.widgets.painting import shortened
from pex_tui.tui.widgets.task_table import TaskTable
from pex_tui.tui.widgets.text.text_view import Line, TextView

_WHAT_IF = range(3, 11)
_WIDE, _WIDER = 100, 120
_MARGINS = 3  # cells beside the head's text
_LEAST_NAME, _LONGEST_NAME = 12, 32


class PlanScreen(PexScreen):
    """Shows a draft and starts it."""

    PLACE: ClassVar = "the plan"
    HEARD_WITH: ClassVar = (TaskTable,)
    CSS_PATH: ClassVar = "../styles/plan.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012  # as Textual declares it
    DEFAULT_CLASSES = "-tall"  # most are, and need no other style once their size is known
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "approve", "Approve & run", key_display="⏎", id="plan.approve"),
        Binding("e", "edit", "Edit", id="plan.edit"),
        Binding("n", "new", "New", id="plan.new"),
        Binding("d", "drop", "Drop", id="plan.drop"),
        Binding("plus", "link", "Link", key_display="+", id="plan.link"),
        Binding("space", "switch", "On/off", id="plan.toggle"),
        Binding("u", "undo", "Undo", id="plan.undo"),
        Binding("U,ctrl+r", "redo", "Redo", show=False, id="plan.redo"),
        Binding("w", "what_if", "What-if", id="plan.what_if"),
        Binding("exclamation_mark", "warnings", "Warnings", key_display="!", id="plan.warnings"),
        Binding("o", "save", "Save", id="plan.save"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
        Binding("h,left", "pan(-1)", "Graph left", show=False, id="plan.left"),
        Binding("l,right", "pan(1)", "Graph right", show=False, id="plan.right"),
        Binding("escape", "back", "Back", show=False, id="plan.back"),
    ]

    draft: var[PlanDraft | None] = var(None)

    def __init__(self) -> None:
        super().__init__()
        self._kept: PlanDraft | None = None  # as opened, saved or started
        self._before: list[PlanDraft] = []
        self._undone: list[PlanDraft] = []
        self._shape: PlanShape | None = None
        self._schedule: Schedule | None = None
        self._warnings: tuple[PlanWarning, ...] = ()

    def compose(self) -> ComposeResult:
        """Compose head, graph and table."""
        yield TextView(id="head")
        yield GraphView(id="graph", classes="panel")
        with Vertical(id="tasks", classes="panel"):
            yield TaskTable()
        yield KeyFooter()

    def on_mount(self) -> None:
        """Set the panels' titles and show the draft."""
        self.query_one("#graph").border_title = "Graph"
        line = "=" if self.pex.symbols.name == "ascii" else "━"
        self.query_one("#graph").border_subtitle = f"critical path {line}"
        self.query_one("#tasks").border_title = "Tasks"
        self.query_one(TaskTable).focus()
        self._work_out()

    @property
    def unsaved(self) -> str:
        """The unsaved changes, in words."""
        return (
            "" if self.draft is self._kept else "The plan's changes are not saved (o saves them)."
        )

    def watch_draft(self) -> None:
        """Show another plan."""
        self._kept = self.draft
        if self.is_mounted:
            self._before.clear()
            self._undone.clear()
            self._work_out()

    def _work_out(self) -> None:
        """Compute everything that is derived from the draft."""
        draft = self.draft
        if draft is None:
            nothing = (
                ("No plan is open.", "strong"),
                ("  F1 goes home, o opens one there.", "dim"),
            )
            self.query_one("#head", TextView).show([nothing])
            return
        self._shape = plan_shape(draft.plan, draft.graph)
        self._schedule = schedule_plan(draft.plan, draft.graph, draft.rules)
        self._warnings = plan_warnings(draft.plan, draft.graph, draft.rules)
        ascii_only = self.pex.symbols.name == "ascii"
        names = [spec.id if spec.enabled else f"({spec.id})" for spec in draft.plan.tasks]
        drawing = draw(names, draft.graph.needs, ascii_only=ascii_only)
        self._show_head(draft)
        self.query_one(TaskTable).show(draft.plan, draft.graph)
        index = draft.graph.index
        critical = [index[task] for task in self._shape.critical_path]
        self.query_one(GraphView).show(drawing, critical, self._selected)

    def on_resize(self) -> None:
        """Fit the head to the width."""
        if self.draft is not None:
            self._show_head(self.draft)

    def _show_head(self, draft: PlanDraft) -> None:
        shape, schedule = self._shape, self._schedule
        if shape is None or schedule is None:
            return
        count = sum(spec.enabled for spec in draft.plan.tasks)
        wide = self.size.width >= _WIDE
        gap = "   " if wide else "  "
        bound = ((f"{gap}best ", "dim"), (clock(schedule.lower_bound_seconds), ""))
        low, high = clock(schedule.low_seconds), clock(schedule.high_seconds)
        spread = ((f" ({low} to {high})", "dim"),) if low != high else ()
        figures: Line = (
            (f"{gap}est ", "dim"),
            (clock(schedule.makespan_seconds), "strong"),
            *(spread if self.size.width >= _WIDER else ()),
            (f"{gap}serial ", "dim"),
            (clock(schedule.serial_seconds), ""),
            (f" {schedule.speedup:.1f}×", "done"),
            *(bound if wide else ()),
            (f"{gap}{counted(count, 'task')} · {counted(len(shape.waves), 'wave')}", "dim"),
            (f" · width {shape.width}" if wide else "", "dim"),
        )
        room = self.size.width - len("pex plan ") - sum(len(text) for text, _ in figures)
        name = shortened(clean(draft.name), max(_LEAST_NAME, min(room - _MARGINS, _LONGEST_NAME)))
        first: Line = (("pex ", "brand"), ("plan ", "dim"), (name, "strong"), *figures)
        self.query_one("#head", TextView).show([first, self._warning_line(draft)])

    def _warning_line(self, draft: PlanDraft) -> Line:
        count = len(self._warnings) + len(draft.notices)
        if not count:
            why = "   press ! for why" if draft.reasons else ""
            return (("✓ no warnings", "dim"), (why, "dim"))
        first = self._warnings[0].text if self._warnings else draft.notices[0]
        told = f"! {counted(count, 'warning')}  "
        hint = "   press ! for why" if draft.reasons else "   press ! to list"
        room = self.size.width - len(told) - len(hint) - _MARGINS
        return ((told, "paused"), (shortened(clean(first), max(0, room)), ""), (hint, "dim"))

    @on(DataTable.RowHighlighted)
    def _row_chosen(self) -> None:
        self.query_one(GraphView).select(self._selected)

    @on(GraphView.Picked)
    def _node_picked(self, event: GraphView.Picked) -> None:
        self.query_one(TaskTable).move_cursor(row=event.position)

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        """Return why an action has no effect on the plan."""
        del parameters
        if (action == "undo" and not self._before) or (action == "redo" and not self._undone):
            return f"nothing to {action}"
        return "" if self.draft is not None or action == "back" else "no plan is open"

    def action_pan(self, step: int) -> None:
        """Pan the graph."""
        self.query_one(GraphView).pan(step)

    def action_move(self, step: int) -> None:
        """Select the next or the previous task."""
        table = self.query_one(TaskTable)
        table.move_cursor(row=table.cursor_row + step)

    @property
    def _selected(self) -> int:
        """Return the position of the task under the cursor."""
        return self.query_one(TaskTable).cursor_row

    def _change(self, draft: PlanDraft) -> None:
        """Show the changed draft; the previous one can be restored."""
        if self.draft is not None:
            self._before.append(self.draft)
            self._undone.clear()
        self._show_draft(draft)

    def _show_draft(self, draft: PlanDraft) -> None:
        self.set_reactive(PlanScreen.draft, draft)
        self._work_out()
        self.refresh_bindings()

    async def _revise(self, text: str) -> PlanDraft:
        if self.draft is None:
            raise UserError("There is no plan to change.")
        return await self.pex.service.revise(self.draft, text)

    async def _try(self, text: str) -> None:
        """Change the plan if that is valid, else say why not."""
        try:
            self._change(await self._revise(text))
        except PlanError as error:
            self.pex.tell(" ".join(problem.text for problem in error.found), is_bad=True)
        except UserError as error:
            self.pex.tell(error.message, is_bad=True)

    def action_switch(self) -> None:
        """Disable the selected task, or enable it; a disabled task counts as done."""
        draft, row = self.draft, self._selected
        if draft is not None:
            tasks = list(draft.plan.tasks)
            tasks[row] = replace(tasks[row], enabled=not tasks[row].enabled)
            plan = replace(draft.plan, tasks=tuple(tasks))
            self._change(replace(draft, plan=plan, graph=PlanGraph.build(plan, draft.rules)))

    @command
    async def action_edit(self) -> None:
        """Edit the selected task."""
        if self.draft is not None:
            await self._edit(self.draft.plan, self._selected)

    @command
    async def action_new(self) -> None:
        """Add a task."""
        if self.draft is not None:
            await self._edit(self.draft.plan, None)
            self.query_one(TaskTable).move_cursor(row=len(self.draft.plan.tasks) - 1)

    async def _edit(self, plan: Plan, position: int | None) -> None:
        changed = await self.app.push_screen_wait(TaskForm(plan, position, self._revise))
        if changed is not None:
            self._change(changed)

    @command
    async def action_drop(self) -> None:
        """Remove the selected task, after naming the tasks that need it."""
        draft = self.draft
        if draft is None:
            return
        name, row = draft.plan.tasks[self._selected].id, self._selected
        needed_by = ", ".join(spec.id for spec in draft.plan.tasks if name in spec.needs)
        text = f"{needed_by} will no longer wait for it." if needed_by else "No task needs it."
        if await self.app.push_screen_wait(ConfirmScreen(f"Drop {name}?", text, "Drop it")):
            await self._try(drop_task(draft.plan, row))

    @command
    async def action_link(self) -> None:
        """Choose a task that the selected one needs, or no longer needs."""
        draft, row = self.draft, self._selected
        if draft is None:
            return
        spec = draft.plan.tasks[row]
        others = [at for at in range(len(draft.plan.tasks)) if at != row]
        names = [draft.plan.tasks[at].id for at in others]
        lines = [f"{'✓' if name in spec.needs else ' '} {name}" for name in names]
        hint = "⏎ adds or removes the need · esc cancels"
        show = self.pex.symbols.text
        question = PickScreen(f"{spec.id} needs", [show(line) for line in lines], hint)
        picked = await self.app.push_screen_wait(question)
        if picked is not None:
            await self._try(toggle_need(draft.plan, row, others[picked]))

    def action_undo(self) -> None:
        """Undo the last change."""
        if self._before and self.draft is not None:
            self._undone.append(self.draft)
            self._show_draft(self._before.pop())

    def action_redo(self) -> None:
        """Redo the last undone change."""
        if self._undone and self.draft is not None:
            self._before.append(self.draft)
            self._show_draft(self._undone.pop())

    @command
    async def action_what_if(self) -> None:
        """Compare numbers of slots; ⏎ selects one."""
        draft = self.draft
        if draft is None:
            return
        rows = []
        for slots, found in zip(
            _WHAT_IF, what_if(draft.plan, draft.graph, draft.rules, _WHAT_IF), strict=True
        ):
            share = found.lower_bound_seconds / (found.makespan_seconds or 1.0)
            makespan = clock(found.makespan_seconds)
            rows.append(f"{slots:>5}   {makespan:>8}   {found.speedup:>7.1f}×   {share:>11.0%}")
        now = draft.plan.slots or draft.rules.slots
        question = PickScreen(
            "What if there were…",
            [self.pex.symbols.text(row) for row in rows],
            "⏎ uses that many slots · esc cancels",
            head="SLOTS   MAKESPAN   SPEED-UP      EFFICIENCY",
            chosen=_WHAT_IF.index(now) if now in _WHAT_IF else 0,
        )
        picked = await self.app.push_screen_wait(question)
        if picked is not None and _WHAT_IF[picked] != now:
            await self._try(plan_to_yaml(replace(draft.plan, slots=_WHAT_IF[picked])))

    def action_warnings(self) -> None:
        """Show the warnings, and what will be done about each."""
        if self.draft is None:
            return
        parts = [f"! {warning.text}\n  {warning.remedy}" for warning in self._warnings]
        parts += self.draft.remarks
        self.app.push_screen(TextScreen("Warnings", "\n\n".join(parts) or "No warnings."))

    @command
    async def action_save(self) -> None:
        """Write the plan as shown to a file; ask before overwriting another."""
        if self.draft is None:
            return
        given = str(_free_name(Path("plan.yaml")))
        question = LineScreen(
            "Save the plan as",
            "→ completes · ⏎ saves",
            given=given,
            suggester=PathSuggester(Path()),
        )
        typed = await self.app.push_screen_wait(question)
        path = typed_path(typed)
        if not typed or not await may_write(self.app, path):
            return
        try:
            await save_text_file(path, plan_to_yaml(self.draft.plan))
        except OSError as error:
            self.pex.tell(f"{path} can't be written: {error.strerror}.", is_bad=True)
        else:
            self._kept = self.draft
            self.pex.tell(f"Saved as {path.resolve()}.")

    @command
    async def action_approve(self) -> None:
        """Start the run."""
        draft = self.draft
        if draft is None:
            return
        if not any(spec.enabled for spec in draft.plan.tasks):
            self.pex.tell(
                "Every task is disabled. space enables one; e edits its command.",
                is_bad=True,
            )
            return
        try:
            session = await self.pex.service.start(draft)
        except (UserError, LandingError) as error:
            self.app.push_screen(TextScreen("Can't start", str(error)))
        else:
            self._kept = draft
            self.post_message(SessionOpened(session))

    def action_back(self) -> None:
        """Leave the plan as it is."""
        self.pex.action_show("home")


def _free_name(path: Path) -> Path:
    number, free = 2, path
    while free.exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free
