"""The conflict screen: ours, base and theirs by hunk, and the result with each line's origin."""

import os
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import var

from pex_tui.core.model.conflict import Conflict, Decision
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.core.textmerge.diff3 import Choice
from pex_tui.engine.ports import LandingError
from pex_tui.engine.session import RunSession
from pex_tui.errors import UserError
from pex_tui.tui.editor import editable, edited
from pex_tui.tui.keyboard.typed_ahead import command
from pex_tui.tui.manual_resolution import FileMerge, ManualResolution, begin_resolution
from pex_tui.tui.screens.modals import TextScreen, may_discard
from pex_tui.tui.screens.pex_screen import PexScreen
from pex_tui.tui.widgets.key_footer import KeyFooter
from pex_tui.tui.widgets.text.sides import head_lines, preview_lines, side_lines
from pex_tui.tui.widgets.text.text_view import Line, PlainView, TextView


class ConflictScreen(PexScreen):
    """Resolves the conflict of one task; the next open one follows."""

    PLACE: ClassVar = "conflicts"
    HEARD_WITH: ClassVar = (PlainView,)
    CSS_PATH: ClassVar = "../styles/conflict.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012  # as Textual declares it
    DEFAULT_CLASSES = "-tall"  # most are, and need no other style once their size is known
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "Apply", key_display="⏎", id="conflict.apply"),
        Binding("o", "choose('ours')", "Ours", id="conflict.ours"),
        Binding("t", "choose('theirs')", "Theirs", id="conflict.theirs"),
        Binding("B", "choose('both')", "Both", key_display="B", id="conflict.both"),
        Binding("e", "edit", "Edit", id="conflict.edit"),
        Binding("g", "merge", "Merge tool", id="conflict.merge"),
        Binding("v", "check", "Verify", id="conflict.check"),
        Binding("s", "rerun", "Rerun", id="conflict.rerun"),
        Binding("n", "hunk(1)", "Next", id="conflict.next"),
        Binding("N", "hunk(-1)", "Previous hunk", show=False, id="conflict.previous"),
        Binding(
            "right_square_bracket", "file(1)", "Next file", show=False, id="conflict.next_file"
        ),
        Binding(
            "left_square_bracket",
            "file(-1)",
            "Previous file",
            show=False,
            id="conflict.previous_file",
        ),
        Binding("u", "undo", "Undo", id="conflict.undo"),
        Binding("escape", "back", "Back", id="conflict.back"),
    ]

    run_state: var[RunState | None] = var(None)
    session: var[RunSession | None] = var(None)
    conflict_task: var[TaskId | None] = var(None)

    def __init__(self) -> None:
        super().__init__()
        self._resolution: ManualResolution | None = None
        self._begun: ManualResolution | None = None  # before anything was chosen
        self._chosen: dict[tuple[TaskId, int], tuple[ManualResolution, ManualResolution]] = {}
        self._loaded: tuple[TaskId, int] | None = None
        self._resolved_here: tuple[TaskId, int] | None = None
        self._note = ""
        self._verdict = ""  # the gate's verdict on the current result

    def compose(self) -> ComposeResult:
        """Compose head, three sides, result and choices."""
        yield TextView(id="head")
        with Horizontal(id="sides"):
            yield PlainView(id="ours", classes="panel")
            yield PlainView(id="base", classes="panel")
            yield PlainView(id="theirs", classes="panel")
        yield PlainView(id="result", classes="panel")
        yield TextView(id="choices", classes="panel")
        yield KeyFooter()

    def on_mount(self) -> None:
        """Set the panels' titles."""
        self.query_one("#result").border_title = "RESULT (preview)"
        self.query_one("#choices").border_title = "Choose"
        self.query_one("#result").focus()
        self._find()

    def on_screen_resume(self) -> None:
        """Show the requested conflict, which may be another one."""
        self._find()

    def on_resize(self) -> None:
        """Lay the columns out again, which are computed in cells."""
        self.call_after_refresh(self._show)

    def watch_run_state(self) -> None:
        """Update: the conflict may be resolved by now, or another may have come."""
        if self.is_mounted:
            self._find()

    def _open(self) -> Conflict | None:
        """Return the requested task's open conflict, else the oldest."""
        conflicts = self.run_state.open_conflicts if self.run_state else ()
        wanted = [one for one in conflicts if one.tasks[0] == self.conflict_task]
        return next(iter(wanted or conflicts), None)

    def _find(self) -> None:
        conflict = self._open()
        found = (conflict.tasks[0], conflict.number) if conflict else None
        if found != self._loaded:
            self._tell_if_resolved_elsewhere()
            self._put_by()
            self._loaded, self._note, self._verdict = found, "", ""
            self._begun = self._resolution = None
            if found in self._chosen:
                self._begun, self._resolution = self._chosen.pop(found)
            elif found is not None:
                self.pex.typed.wait_for(self._load(found[0]))
        self._show()

    @property
    def _is_changed(self) -> bool:
        """Return whether there are unapplied choices or edits."""
        begun, now = self._begun, self._resolution
        is_open = self._loaded is not None and self._loaded != self._resolved_here
        return is_open and begun is not None and now is not None and now.files != begun.files

    @property
    def unsaved(self) -> str:
        """The unsaved choices, in words."""
        loaded = [self._loaded] if self._is_changed else []
        names = ", ".join(one[0] for one in (*self._chosen, *loaded) if one is not None)
        return f"Your choices for {names} are not applied." if names else ""

    def _put_by(self) -> None:
        """Keep the choices of a conflict that is still open, until it is shown again."""
        if self._is_changed and self._loaded and self._begun and self._resolution:
            self._chosen[self._loaded] = self._begun, self._resolution
        conflicts = self.run_state.open_conflicts if self.run_state else ()
        still = {(conflict.tasks[0], conflict.number) for conflict in conflicts}
        self._chosen = {key: kept for key, kept in self._chosen.items() if key in still}

    def _tell_if_resolved_elsewhere(self) -> None:
        """Report it in a dialog, so that the next key is not applied to the next conflict."""
        state, loaded = self.run_state, self._loaded
        if state is None or loaded is None or loaded == self._resolved_here or not self.is_current:
            return
        resolved = next((one for one in state.conflicts if one.number == loaded[1]), None)
        if resolved is not None and resolved.decision is not None:
            text = (
                f"{resolved.resolved_by or 'pex'} has resolved it: {resolved.decision.value}. "
                "Your choices here are not used."
            )
            self.app.push_screen(TextScreen(f"{loaded[0]} was resolved elsewhere", clean(text)))

    @work(group="conflict", exclusive=True)
    async def _load(self, task: TaskId) -> None:
        if self.session is None:
            return
        try:
            self._begun = self._resolution = begin_resolution(await self.session.sides(task))
        except LandingError as error:
            self._note = clean(str(error))
        self._show()

    def is_hidden(self, action: str) -> bool:
        """Leave out the merge tool and the gate where there is none."""
        return (action == "merge" and not self.pex.service.merge_tool) or (
            action == "check" and not self._has_gate
        )

    def why_not(self, action: str, parameters: tuple[object, ...]) -> str:
        """Return why an action has no effect on the conflict."""
        if self.is_hidden(action):
            return "no merge tool is configured" if action == "merge" else "the plan has no gate"
        resolution = self._resolution
        if action == "check":
            return "" if self._gate_may_run() else "some choices are left"
        if action not in {"choose", "edit", "merge", "hunk", "file", "undo", "apply", "rerun"}:
            return ""
        if resolution is None or not resolution.files:
            return "no conflict is shown"
        entry = resolution.current
        if entry.parts is None and (action == "merge" or parameters == ("both",)):
            return "this file can only be taken whole"
        if action == "edit" and not entry.may_edit:
            return "this file is not text"
        return "nothing to undo" if action == "undo" and resolution.before is None else ""

    @property
    def _has_gate(self) -> bool:
        return self.run_state is not None and bool(self.run_state.plan.verify)

    def _gate_may_run(self) -> bool:
        """Return whether the result is complete and there is a gate to test it."""
        return self._has_gate and self._resolution is not None and not self._resolution.left

    def action_choose(self, choice: str) -> None:
        """Take a side for the hunk that is shown."""
        if self._resolution is not None:
            self._change(self._resolution.choose(Choice(choice)))

    def action_hunk(self, step: int) -> None:
        """Show another hunk."""
        if self._resolution is not None:
            self._change(self._resolution.turn_hunk(step))

    def action_file(self, step: int) -> None:
        """Show another file."""
        if self._resolution is not None:
            self._change(self._resolution.turn_file(step))

    def action_undo(self) -> None:
        """Undo the last choice."""
        if self._resolution is not None:
            self._change(self._resolution.undo())

    def _change(self, resolution: ManualResolution) -> None:
        self._resolution, self._verdict = resolution, ""
        self._say("")

    def _say(self, note: str) -> None:
        self._note = note
        self._show()

    @command
    async def action_edit(self) -> None:
        """Edit the result in the user's own editor."""
        resolution = self._resolution
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        if resolution is None or not resolution.current.may_edit:
            return
        if not editor:
            self.pex.tell("Set $EDITOR to edit the result.", is_bad=True)
            return
        before = editable(resolution.current)
        path = resolution.current.sides.path
        try:
            text = await edited(self.pex, editor, path, before)
        except (OSError, ValueError) as error:
            self._say(clean(f"The editor {editor} can't be started: {error}"))
            return
        self.refresh()
        if text is None:
            self._say("The editor ended with an error; nothing was changed.")
        elif text != before:
            self._change(resolution.edit(text))
        elif resolution.current.parts is None:
            self._say("Nothing was changed: choose ours or theirs.")
        elif resolution.current.open_hunks:
            self._say("Nothing was changed: conflict markers are left.")

    @work(group="conflict", exclusive=True)
    async def action_merge(self) -> None:
        """Have the configured program merge the file that is shown."""
        resolution, tool = self._resolution, self.pex.service.merge_tool
        if resolution is None:
            return
        self._say(f"{tool} is merging…")
        try:
            merged = await self.pex.service.merge(resolution.current.sides)
        except UserError as error:
            self._say(clean(error.message))
        else:
            self._change(resolution.edit(merged.decode("utf-8", "surrogateescape")))

    @work(group="conflict", exclusive=True)
    async def action_check(self) -> None:
        """Run the gate on the result before it is applied; this resolves nothing."""
        resolution = self._resolution
        if resolution is None or self.session is None or self._loaded is None:
            return
        self._say("The gate is running…")
        try:
            result = await self.session.check(self._loaded[0], resolution.contents())
        except LandingError as error:
            self._say(clean(str(error)))
            return
        if resolution is self._resolution:
            self._verdict = "gate passed" if result.passed else f"gate failed: {result.command}"
            self._say(self._verdict)
        if not result.passed:
            self.app.push_screen(TextScreen(f"The gate failed: {result.command}", result.output))

    def action_apply(self) -> None:
        """Resolve the conflict, once everything is decided."""
        resolution = self._resolution
        if resolution is None or self._loaded is None:
            return
        if resolution.left:
            count = resolution.left
            self._note = f"{count} choice{'' if count == 1 else 's'} left"
            self._change(resolution.to_open())
            self.pex.tell(f"{count} choice{'' if count == 1 else 's'} left.", is_bad=True)
        elif resolution.marked:
            marked = resolution.marked[0]
            where = f"{clean(marked.sides.path)}, line {marked.markers_left[0]}"
            self._change(resolution.to_file(marked))
            self.pex.tell(f"Conflict markers are left in {where}. Remove them first.", is_bad=True)
        else:
            decision = resolution.decision
            contents = resolution.contents() if decision is Decision.EDITED else {}
            self._apply_resolution(decision, contents)

    @command
    async def action_rerun(self) -> None:
        """Have the task run again on what has landed."""
        if await may_discard(self.app, lambda: self.unsaved if self._is_changed else ""):
            self._apply_resolution(Decision.RERUN, {})

    @command
    async def _apply_resolution(
        self, decision: Decision, contents: dict[str, bytes | None]
    ) -> None:
        if self.session is None or self._loaded is None:
            return
        task = self._loaded[0]
        self._resolved_here = self._loaded
        try:
            await self.session.resolve(task, decision, contents)
        except (LandingError, UserError) as error:
            self._resolved_here = None
            self._note = clean(str(error))
            self.pex.tell(str(error), is_bad=True)
            self._show()
            return
        what = "runs again" if decision is Decision.RERUN else "is back in the merge queue"
        self.pex.tell(f"{task} {what}.")
        if len(self.run_state.open_conflicts if self.run_state else ()) <= 1:
            self.pex.typed.drop()
            self.pex.action_show("monitor")

    def action_back(self) -> None:
        """Leave the conflict open."""
        self.pex.action_show("monitor")

    def _show(self) -> None:
        if not self.is_mounted:
            return
        head = head_lines(self._open(), self.run_state, self._resolution, self.size.width)
        self.query_one("#head", TextView).show(head)
        choices = self.query_one("#choices", TextView)
        choices.show([self._choices()])
        choices.border_subtitle = Content(self._note)
        resolution = self._resolution
        entry = resolution.current if resolution and resolution.files else None
        for name in ("ours", "base", "theirs"):
            pane = self.query_one(f"#{name}", TextView)
            pane.border_title = Content(self._title(name))
            hunk = resolution.hunk if resolution else 0
            pane.show(side_lines(entry, name, hunk, pane.size.width - 1), anew=True)
        preview = self.query_one("#result", TextView)
        preview.border_subtitle = Content(self._verdicts(entry) if entry else "")
        at = resolution.hunk if resolution else 0
        preview.show(preview_lines(entry, at, preview.size.width - 1))
        self.refresh_bindings()

    def _verdicts(self, entry: FileMerge) -> str:
        """Return the verdicts on the file: it parses, and the gate's result."""
        gate = self._verdict
        if not gate and self._has_gate:
            gate = "gate not run"
        return clean(" · ".join(word for word in (entry.verdict, gate) if word))

    def _title(self, name: str) -> str:
        conflict, state = self._open(), self.run_state
        if conflict is None or state is None:
            return name.upper()
        if name == "ours":
            return f"OURS {conflict.tasks[0]}"
        if name == "base":
            return "BASE"
        return f"THEIRS {', '.join(conflict.tasks[1:]) or state.branch}"

    def _choices(self) -> Line:
        pieces: list[tuple[str, str]] = []
        tool = self.pex.service.merge_tool
        resolution = self._resolution
        files = resolution.files if resolution is not None else ()
        whole = resolution is not None and files and resolution.current.parts is None
        choices = [("o", "ours"), ("t", "theirs")]
        choices += [] if whole else [("B", "both")]
        may_edit = resolution is None or not files or resolution.current.may_edit
        choices += [("e", "edit in $EDITOR")] if may_edit else []
        choices += [("g", f"let {clean(tool, 20)} merge")] if tool and not whole else []
        choices += [("s", "rerun on what has landed")]
        choices += [("v", "run the gate on it")] if self._gate_may_run() else []
        for key, words in choices:
            pieces += [(f"{key} ", "brand"), (f"{words}   ", "")]
        return tuple(pieces)
