"""Home: this repository, what it lacks, and its runs."""

import textwrap
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from pex_tui.core.formatting import counted
from pex_tui.core.model.state import Outcome
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import CheckLevel, DoctorCheck, RunSummary
from pex_tui.errors import UserError
from pex_tui.tui.keyboard.typed_ahead import command
from pex_tui.tui.messages import DemoWanted, DraftOpened, SessionOpened
from pex_tui.tui.screens.modals import (
    ConfirmScreen,
    LineScreen,
    PathSuggester,
    TextScreen,
    typed_path,
)
from pex_tui.tui.screens.pex_screen import PexScreen
from pex_tui.tui.screens.planning import attended
from pex_tui.tui.widgets.key_footer import KeyFooter
from pex_tui.tui.widgets.painting import Piece
from pex_tui.tui.widgets.run_table import RunTable
from pex_tui.tui.widgets.text.text_view import Line, TextView

_REFRESH_SECONDS = 3.0
_LEAST_FOUND = 20
_BESIDE = 24  # cells beside a finding: frames, margins, sign and name
_NAME = 12
_NO_LABELS: Line = ((" " * (3 + _NAME), ""),)
_SIGNS = {
    CheckLevel.OK: ("✓", "done"),
    CheckLevel.WARN: ("!", "paused"),
    CheckLevel.BAD: ("✗", "failed"),
}


class HomeScreen(PexScreen):
    """Shows the findings and the runs."""

    PLACE: ClassVar = "home"
    HEARD_WITH: ClassVar = (RunTable,)
    CSS_PATH: ClassVar = "../styles/home.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (28, "-tall")]  # noqa: RUF012  # as Textual declares it
    DEFAULT_CLASSES = "-tall"  # most are, and need no other style once their size is known
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_run", "Open or resume", key_display="⏎", id="home.run"),
        Binding("n", "new_plan", "New plan", id="home.goal"),
        Binding("o", "open_plan", "Open plan", id="home.plan"),
        Binding("d", "demo", "Demo", id="home.demo"),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._checks: tuple[DoctorCheck, ...] = ()
        self._is_listed = False

    def compose(self) -> ComposeResult:
        """Compose head, findings and runs."""
        yield TextView(id="head")
        yield TextView(id="welcome", classes="panel")
        runs = RunTable()
        runs.add_class("panel")
        runs.id = "runs"
        yield runs
        yield KeyFooter()

    def on_mount(self) -> None:
        """Check now, and again at intervals."""
        self.query_one("#welcome").border_title = "Here"
        runs = self.query_one(RunTable)
        runs.border_title = "Runs"
        runs.focus()
        self._show()
        self._check()
        self.set_interval(_REFRESH_SECONDS, self._look_again)

    def on_screen_resume(self) -> None:
        """Update after another screen was shown."""
        look = self._look()
        if not self._is_listed:
            self.pex.typed.wait_for(look)

    def on_resize(self) -> None:
        """Fit the findings to the width."""
        self._show()

    def _look_again(self) -> None:
        if self.is_current:
            self._look()

    @work(group="look", exclusive=True)
    async def _look(self) -> None:
        try:
            self.query_one(RunTable).show(await self.pex.service.runs())
        except UserError as error:
            self.pex.tell(error.message, is_bad=True)
        self._is_listed = True
        self._show()

    @work(group="check", exclusive=True)
    async def _check(self) -> None:
        try:
            self._checks = await self.pex.service.checks()
        except UserError as error:
            self.pex.tell(error.message, is_bad=True)
        self._show()

    def _show(self) -> None:
        head: list[Line] = [
            (("pex ", "brand"), ("runs agents in parallel", "dim")),
            ((clean(self.pex.service.repository), "strong"),),
        ]
        self.query_one("#head", TextView).show(head)
        welcome = self.query_one("#welcome", TextView)
        lines = self._welcome()
        welcome.show(lines)
        welcome.styles.height = len(lines) + 2
        self.set_class(not self.query_one(RunTable).summaries, "-empty")

    def _welcome(self) -> list[Line]:
        """Return what is missing first; in a repository without runs, the keys to press."""
        lines: list[Line] = []
        if not self.query_one(RunTable).summaries:
            lines += [
                ((" No runs in this repository yet.", ""),),
                ((" n ", "brand"), ("describe a goal, get a plan", "")),
                ((" o ", "brand"), ("open a plan file", "")),
                ((" d ", "brand"), ("demo: a sample project in a folder of its own, 30 s", "")),
                ((" ? ", "brand"), ("keys", "")),
                (("", ""),),
            ]
        room = max(_LEAST_FOUND, self.size.width - _BESIDE)
        wrong = [check for check in self._checks if check.level is not CheckLevel.OK]
        good = [check for check in self._checks if check.level is CheckLevel.OK]
        for check in (*wrong, *good):
            sign, ink = _SIGNS[check.level]
            labels = ((f" {self.pex.symbols.text(sign)} ", ink), (f"{check.name:<{_NAME}}", "dim"))
            told = (*_folded(check.found, "", room), *_folded(check.remedy, "paused", room))
            for place, piece in enumerate(told):
                lines.append((*(labels if place == 0 else _NO_LABELS), piece))
        return lines

    def action_move(self, step: int) -> None:
        """Select another run."""
        runs = self.query_one(RunTable)
        runs.move_cursor(row=runs.cursor_row + step)

    @command
    async def action_new_plan(self) -> None:
        """Ask for a goal and review the plan for it."""
        question = LineScreen("What is the goal?", "⏎ makes a plan to review; nothing starts yet")
        goal = await self.app.push_screen_wait(question)
        if not goal:
            return
        try:
            draft = await attended(self.pex, partial(self.pex.service.plan_goal, goal))
        except UserError as error:
            self.app.push_screen(TextScreen("No plan for this goal", "\n".join(error.lines)))
        else:
            self.post_message(DraftOpened(draft))

    @command
    async def action_open_plan(self) -> None:
        """Ask for a plan file and review it, or show all of its problems at once."""
        here = Path.cwd()
        question = LineScreen("Open a plan", "→ completes · ⏎ opens", suggester=PathSuggester(here))
        typed = await self.app.push_screen_wait(question)
        if not typed:
            return
        try:
            draft = await self.pex.service.open_plan(typed_path(typed, here))
        except UserError as error:
            self.app.push_screen(TextScreen("This plan can't be used", "\n".join(error.lines)))
        else:
            self.post_message(DraftOpened(draft))

    @command
    async def action_demo(self) -> None:
        """Open the demo in a repository of its own, once confirmed."""
        text = (
            "A sample project is made in a temporary folder and its plan is shown for review. This "
            "repository is not touched."
        )
        if await self.app.push_screen_wait(ConfirmScreen("Show the demo?", text, "Demo")):
            self.post_message(DemoWanted())

    @command
    async def action_open_run(self) -> None:
        """Resume a run that has something left to do, else show its report."""
        chosen = self.query_one(RunTable).chosen
        if chosen is None:
            return
        session = self.pex.session
        try:
            if session is not None and session.is_driven and session.state.run == chosen.run:
                self.pex.action_show("monitor")
            elif chosen.is_lost:
                self.app.push_screen(TextScreen(f"Run {chosen.run}", chosen.goal))
            elif chosen.is_live:
                self.post_message(SessionOpened(await self.pex.service.attach(chosen.run)))
            elif chosen.outcome in {None, Outcome.INTERRUPTED, Outcome.CONFLICTS}:
                if await self.app.push_screen_wait(_go_on(chosen)):
                    self.post_message(SessionOpened(await self.pex.service.resume(chosen.run)))
            else:
                report = await self.pex.service.report(chosen.run)
                self.app.push_screen(TextScreen(f"Run {chosen.run}", report))
        except UserError as error:
            self.app.push_screen(TextScreen("It can't be opened", "\n".join(error.lines)))


def _folded(text: str, ink: str, width: int) -> list[Piece]:
    lines = (
        textwrap.wrap(clean(line), width, break_on_hyphens=False) for line in text.splitlines()
    )
    return [(line, ink) for wrapped in lines for line in wrapped]


def _go_on(run: RunSummary) -> ConfirmScreen:
    """Ask before agents are started: the user may only want to look."""
    goal = run.goal.partition("\n")[0]
    left = (
        f"{counted(run.open_conflicts, 'conflict')} to resolve."
        if run.open_conflicts
        else f"{run.landed} of {counted(run.tasks, 'task')} landed; its agents start again."
    )
    return ConfirmScreen(
        f"Resume run {run.run}?", f"{goal}: {left} F5 shows its report instead.", "Resume"
    )
