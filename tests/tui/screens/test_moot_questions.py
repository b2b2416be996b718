"""A question about something that is gone closes."""

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from pex_tui.core.events.agent_events import MessageSent
from pex_tui.core.events.run_events import AbortRequested, RunDrainRequested
from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.phases import Phase, RunStage
from pex_tui.core.model.state import Outcome, RunState
from pex_tui.errors import UserError
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.conflict import ConflictScreen
from pex_tui.tui.screens.inbox import InboxScreen
from pex_tui.tui.screens.modals import ConfirmScreen, LeaveScreen, LineScreen, TextScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from tests.tui import states
from tests.tui.conftest import OpenApp, session_of
from tests.tui.drafts import text_conflict
from tests.tui.waiting import until, until_shown

SIZE = (120, 36)


async def at_monitor(pilot: Pilot[None], *keys: str) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
    await until(pilot, lambda: pilot.app.screen.is_mounted and pilot.app.screen.query("*"))
    await pilot.pause()
    await pilot.press(*keys)


async def asked(pilot: Pilot[None], kind: type[object]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))


def with_ended(state: RunState, *names: str) -> RunState:
    tasks = tuple(
        replace(task, phase=Phase.DONE, slot=None) if task.id in names else task
        for task in state.tasks
    )
    return replace(state, tasks=tasks, seq=state.seq + 1000)


def over(state: RunState) -> RunState:
    return replace(
        state,
        stage=RunStage.FINISHED,
        outcome=Outcome.INTERRUPTED,
        exit_code=130,
        seq=state.seq + 1000,
    )


def notes(app: PexApp) -> list[str]:
    return [note.message for note in app._notifications]


@pytest.mark.parametrize(
    ("key", "told"),
    [("a", "models: has ended."), ("r", "models: no longer running.")],
)
async def test_a_question_about_a_task_closes_when_the_task_ends(
    open_app: OpenApp, key: str, told: str
) -> None:
    app = open_app()
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, key)
        await asked(pilot, ConfirmScreen)
        session_of(app).publish(with_ended(states.busy(), "models"))
        await asked(pilot, MonitorScreen)
        assert told in notes(app)
        await pilot.press("n")

    assert session_of(app).posted == []


async def test_a_question_about_tasks_names_those_that_are_left(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, "space", "j", "space", "a")
        await asked(pilot, ConfirmScreen)
        await until_shown(pilot, "models, threats: stopped for good")
        session_of(app).publish(with_ended(states.busy(), "models"))
        await until_shown(pilot, " threats: stopped for good")
        await pilot.press("y")
        await until(pilot, lambda: session_of(app).posted)

    assert session_of(app).posted == [AbortRequested(task=TaskId("threats"), by="you")]


async def test_the_question_whether_to_abort_the_run_closes_when_the_run_ends(
    open_app: OpenApp,
) -> None:
    app = open_app()
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, "A")
        await asked(pilot, ConfirmScreen)
        session_of(app).publish(over(states.busy()))
        await asked(pilot, MonitorScreen)
        assert "The run has ended." in notes(app)


async def test_a_question_about_another_run_than_the_one_that_shows_closes(
    open_app: OpenApp,
) -> None:
    app = open_app()
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, "A")
        await asked(pilot, ConfirmScreen)
        app.run_state = replace(states.busy(), run=RunId("other"))
        await asked(pilot, MonitorScreen)


async def test_leaving_goes_on_once_the_stopped_run_under_the_question_has_ended(
    open_app: OpenApp,
) -> None:
    app = open_app()
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, "q")
        await asked(pilot, LeaveScreen)
        await pilot.press("s")
        await asked(pilot, MonitorScreen)
        await pilot.press("q")
        await asked(pilot, LeaveScreen)
        session_of(app).publish(over(states.busy()))
        await until(pilot, lambda: app.return_code is not None)

    assert session_of(app).posted == [RunDrainRequested(by="you", kill=False)]
    assert app.return_code == 130
    assert "was stopped" in app.parting_words


async def test_leaving_goes_on_once_nothing_drives_the_run_under_the_question(
    open_app: OpenApp,
) -> None:
    app = open_app()
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, "q")
        await asked(pilot, LeaveScreen)
        session_of(app).failure = UserError("the disk is full.")
        session_of(app).over.set()
        await until(pilot, lambda: app.return_code is not None)

    assert "the disk is full" in app.parting_words


async def test_a_line_that_is_typed_to_an_agent_that_ends_stays_and_is_not_sent(
    open_app: OpenApp,
) -> None:
    state = states.asking()
    app = open_app(state)
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, "m")
        await asked(pilot, LineScreen)
        await pilot.press(*"Abort A")
        session_of(app).publish(with_ended(state, "models"))
        await until_shown(pilot, "models: no longer accepts messages")
        await pilot.press("a", "enter")
        assert isinstance(app.screen, LineScreen)
        assert app.screen.query_one(Input).value == "Abort Aa"
        session_of(app).publish(replace(state, seq=state.seq + 2000))
        await until_shown(pilot, "Message to models")
        await pilot.press("enter")
        await until(pilot, lambda: session_of(app).posted)

    assert session_of(app).posted == [MessageSent(TaskId("models"), "Abort Aa", "you")]


async def test_what_was_chosen_for_a_conflict_that_is_resolved_elsewhere_holds_up_no_leaving(
    open_app: OpenApp,
) -> None:
    app = open_app(states.conflicted())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.session)
        session_of(app).conflict_sides = text_conflict()
        await at_monitor(pilot, "c")
        await asked(pilot, ConflictScreen)
        await until(pilot, lambda: app.screen.check_action("choose", ("ours",)))
        await pilot.press("o", "q")
        await asked(pilot, ConfirmScreen)
        session_of(app).publish(over(replace(states.conflicted(), conflicts=())))
        await until(pilot, lambda: app.return_code is not None)


async def test_a_key_meant_for_a_question_that_is_gone_does_not_answer_the_next(
    open_app: OpenApp,
) -> None:
    state = states.asking()
    app = open_app(state)
    async with app.run_test(size=SIZE) as pilot:
        await at_monitor(pilot, "i")
        await asked(pilot, InboxScreen)
        await until_shown(pilot, "Details")
        session_of(app).publish(with_ended(state, "models"))
        await asked(pilot, TextScreen)
        await until_shown(pilot, "models is no longer waiting")
        await pilot.press("A", "escape")
        await asked(pilot, InboxScreen)

    assert session_of(app).posted == []
