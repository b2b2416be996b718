"""Edits are discarded only on confirmation, on every way out."""

import os
import signal

import pytest
from textual.pilot import Pilot

from pex_tui.core.model.conflict import Decision
from pex_tui.tui.app import PexApp
from pex_tui.tui.messages import DraftOpened
from pex_tui.tui.screens.conflict import ConflictScreen
from pex_tui.tui.screens.home import HomeScreen
from pex_tui.tui.screens.modals import ConfirmScreen, LeaveScreen, LineScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.screens.plan import PlanScreen
from pex_tui.tui.screens.task_form import TaskForm
from pex_tui.tui.terminal.terminal_app import signals_heeded
from tests.tui import states
from tests.tui.drafts import small, text_conflict, twelve
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import until

SIZE = (120, 36)


@pytest.fixture
def planned() -> PexApp:
    return app_on(ScriptedService(ScriptedSession(states.busy())), start=small(), symbols="line")


@pytest.fixture
def conflicted() -> tuple[PexApp, ScriptedSession]:
    session = ScriptedSession(states.conflicted())
    session.conflict_sides = text_conflict()
    service = ScriptedService(session)
    return app_on(service, start=session, symbols="line", now=lambda: states.NOW), session


async def calm(pilot: Pilot[None], *keys: str) -> None:
    app = pilot.app
    assert isinstance(app, PexApp)
    await until(pilot, lambda: hasattr(app, "service"))
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: app.typed.is_calm)
    await pilot.pause()


async def asks(pilot: Pilot[None], *words: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    question = pilot.app.screen
    assert isinstance(question, ConfirmScreen)
    assert question._title == "Discard changes?"
    for word in words:
        assert word in question._text


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_leaving_a_changed_plan_asks(planned: PexApp, key: str) -> None:
    async with planned.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(planned.screen, PlanScreen))
        await calm(pilot, "space", key)
        await asks(pilot, "The plan's changes are not saved")
        await calm(pilot, "n")
        assert planned.return_code is None
        await calm(pilot, key)
        await asks(pilot)
        await pilot.press("y")
        await until(pilot, lambda: planned.return_code == 0)
    service = planned._opening.service  # type: ignore[union-attr]  # it is opened
    assert isinstance(service, ScriptedService)
    [discarded] = service.discarded
    assert not discarded.plan.tasks[0].enabled


async def test_a_plan_as_it_was_opened_or_started_is_left_at_once(planned: PexApp) -> None:
    async with planned.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(planned.screen, PlanScreen))
        await calm(pilot, "space", "u", "space", "enter")
        await until(pilot, lambda: isinstance(planned.screen, MonitorScreen))
        await calm(pilot, "q")
        assert isinstance(planned.screen, LeaveScreen)


async def test_a_changed_plan_is_asked_about_from_other_screens_and_before_another_is_opened(
    planned: PexApp,
) -> None:
    async with planned.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(planned.screen, PlanScreen))
        await calm(pilot, "space", "f1")
        planned.post_message(DraftOpened(twelve()))
        await asks(pilot, "The plan's changes are not saved")
        await calm(pilot, "n")
        assert planned.draft == small()
        assert isinstance(planned.screen, HomeScreen)
        await calm(pilot, "q")
        await asks(pilot, "The plan's changes are not saved")


async def test_a_changed_plan_is_kept_when_a_signal_ends_the_app(planned: PexApp) -> None:
    service = planned._opening.service  # type: ignore[union-attr]  # it is opened
    with signals_heeded(planned):
        async with planned.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: isinstance(planned.screen, PlanScreen))
            await calm(pilot, "space")
            os.kill(os.getpid(), signal.SIGTERM)
            await until(pilot, lambda: planned.return_code == 130)
    assert isinstance(service, ScriptedService)
    [kept] = service.kept
    assert not kept.plan.tasks[0].enabled
    assert "pex-tui run drafts/plan.yaml" in planned.parting_words


@pytest.mark.parametrize("key", ["escape", "ctrl+q"])
async def test_a_form_and_a_line_that_were_typed_in_ask(planned: PexApp, key: str) -> None:
    async with planned.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(planned.screen, PlanScreen))
        for opens, kind, words in (
            ("n", TaskForm, "New task: your changes are not saved"),
            ("o", LineScreen, "Save the plan as: your input is not used"),
        ):
            await calm(pilot, opens, "escape")
            assert isinstance(planned.screen, PlanScreen)  # at once, as nothing was typed
            await calm(pilot, opens, "x", key)
            await asks(pilot, words)
            await calm(pilot, "n")
            assert isinstance(planned.screen, kind)
            await calm(pilot, "escape", "y")
            assert isinstance(planned.screen, PlanScreen)


async def test_choices_in_a_conflict_are_kept_and_asked_about(
    conflicted: tuple[PexApp, ScriptedSession],
) -> None:
    app, session = conflicted
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await calm(pilot, "c")
        await until(pilot, lambda: bool(app.screen.check_action("choose", ("ours",))))
        assert isinstance(app.screen, ConflictScreen)
        assert app.unsaved() == ""
        await calm(pilot, "o", "escape")
        assert "Your choices for refunds are not applied." in app.unsaved()

        await calm(pilot, "q")
        await asks(pilot, "Your choices for refunds are not applied.")
        await calm(pilot, "n", "c", "s")
        await asks(pilot, "Your choices for refunds are not applied.")
        await calm(pilot, "n")
        assert session.resolved == []
        await calm(pilot, "s", "y")
        assert [decision for _, decision, _ in session.resolved] == [Decision.RERUN]
        assert app.unsaved() == ""
