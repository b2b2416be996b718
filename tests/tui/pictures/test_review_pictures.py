"""Pictures of the plan review and the conflict screen."""

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from pex_tui.core.model.state import RunState
from pex_tui.engine.conflict_sides import ConflictSides
from pex_tui.engine.session import PlanDraft
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.conflict import ConflictScreen
from pex_tui.tui.screens.modals import ConfirmScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.screens.pick import PickScreen
from pex_tui.tui.screens.task_form import TaskForm
from tests.tui import drafts, states
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import until

SMALL, USUAL = (80, 24), (120, 36)
SIZES = pytest.mark.parametrize("size", [SMALL, USUAL], ids=["80x24", "120x36"])


@SIZES
@pytest.mark.parametrize("build", [drafts.twelve, drafts.small], ids=["twelve", "small"])
def test_plan(snap_compare: Any, build: Callable[[], PlanDraft], size: tuple[int, int]) -> None:
    app = app_on(ScriptedService(), start=build(), symbols="line", now=lambda: states.NOW)
    assert snap_compare(app, terminal_size=size, press=["j", "j", "j", "j"])


def test_plan_in_ascii(snap_compare: Any) -> None:
    app = app_on(ScriptedService(), start=drafts.twelve(), symbols="ascii", now=lambda: states.NOW)
    assert snap_compare(app, terminal_size=USUAL)


@pytest.mark.parametrize("key", ["w", "exclamation_mark"], ids=["what-if", "warnings"])
def test_plan_questions(snap_compare: Any, key: str) -> None:
    app = app_on(ScriptedService(), start=drafts.small(), symbols="line", now=lambda: states.NOW)
    assert snap_compare(app, terminal_size=USUAL, press=[key])


async def form_opened(pilot: Pilot[None]) -> None:
    """Open the form of the second task."""
    await pilot.pause()
    await pilot.press("j", "e")
    await until(pilot, lambda: isinstance(pilot.app.screen, TaskForm))
    await pilot.pause()


async def form_refused(pilot: Pilot[None]) -> None:
    """Enter two invalid fields."""
    await form_opened(pilot)
    for field, text in (("estimate", "soon"), ("writes", "../out, src/**")):
        pilot.app.screen.query_one(f"#{field}", Input).value = text
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen.query_one("#wrong-writes").display)
    await pilot.pause()


@SIZES
@pytest.mark.parametrize("opened", [form_opened, form_refused], ids=["filled", "refused"])
def test_task_form(
    snap_compare: Any, opened: Callable[[Pilot[None]], Any], size: tuple[int, int]
) -> None:
    app = app_on(ScriptedService(), start=drafts.twelve(), symbols="line", now=lambda: states.NOW)
    assert snap_compare(app, terminal_size=size, run_before=opened)


async def asked_for_a_need(pilot: Pilot[None]) -> None:
    """Open the choice of the third task's needs."""
    await pilot.pause()
    await pilot.press("j", "j", "plus")
    await until(pilot, lambda: isinstance(pilot.app.screen, PickScreen))
    await pilot.pause()


async def asked_to_drop(pilot: Pilot[None]) -> None:
    """Ask to remove the first task."""
    await pilot.pause()
    await pilot.press("d")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await pilot.pause()


@pytest.mark.parametrize("asked", [asked_for_a_need, asked_to_drop], ids=["link", "drop"])
def test_changes_that_ask(snap_compare: Any, asked: Callable[[Pilot[None]], Any]) -> None:
    app = app_on(ScriptedService(), start=drafts.twelve(), symbols="line", now=lambda: states.NOW)
    assert snap_compare(app, terminal_size=USUAL, run_before=asked)


def conflict_app(
    sides: tuple[ConflictSides, ...], theme: str = "ember", state: RunState | None = None
) -> PexApp:
    session = ScriptedSession(state or states.conflicted())
    session.conflict_sides = sides
    return app_on(
        ScriptedService(session),
        start=session,
        symbols="line",
        theme=theme,
        now=lambda: states.NOW,
    )


async def conflict_opened(pilot: Pilot[None]) -> None:
    """Wait until the conflict is shown and read."""
    await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
    await pilot.press("c")
    await until(pilot, lambda: isinstance(pilot.app.screen, ConflictScreen))
    await until(pilot, lambda: bool(pilot.app.screen.check_action("choose", ("ours",))))
    await pilot.pause()


@SIZES
@pytest.mark.parametrize(
    "build",
    [
        drafts.text_conflict,
        drafts.binary_conflict,
        drafts.deletion,
        drafts.both_added,
        drafts.odd_kinds,
    ],
    ids=["text", "binary", "deletion", "both-added", "odd"],
)
def test_conflict(
    snap_compare: Any, build: Callable[[], tuple[ConflictSides, ...]], size: tuple[int, int]
) -> None:
    assert snap_compare(conflict_app(build()), terminal_size=size, run_before=conflict_opened)


@SIZES
def test_protected_paths_that_wait_for_a_person(snap_compare: Any, size: tuple[int, int]) -> None:
    app = conflict_app(drafts.protected_changes(), state=states.asking_for_protected())
    assert snap_compare(app, terminal_size=size, run_before=conflict_opened)


@pytest.mark.parametrize("theme", ["paper", "contrast"])
def test_conflict_half_resolved_in_other_themes(snap_compare: Any, theme: str) -> None:
    app = conflict_app(drafts.text_conflict(), theme)
    assert snap_compare(app, terminal_size=USUAL, run_before=conflict_opened, press=["o", "N"])
