"""The app as a host: it drives a run, shows its failures, and exits cleanly."""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES

from pex_tui.core.events.run_events import PauseRequested, RetryRequested, RunDrainRequested
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import RunStage
from pex_tui.core.model.state import LandStatus, Outcome, RunState
from pex_tui.engine.session import Planning
from pex_tui.errors import UserError
from pex_tui.tui.app import PexApp
from pex_tui.tui.messages import StatePublished
from pex_tui.tui.opening import Opened
from pex_tui.tui.screens.home import HomeScreen
from pex_tui.tui.screens.modals import ConfirmScreen, LeaveScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.terminal.terminal_app import signals_heeded
from pex_tui.tui.theming import load_themes, variable_defaults
from tests.conftest import TESTS
from tests.tui import states
from tests.tui.conftest import OpenApp, session_of
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import until, until_shown

THEMES = TESTS.parent / "themes"


async def up(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, MonitorScreen))
    await pilot.pause()


def service_of(app: PexApp) -> ScriptedService:
    assert isinstance(app.service, ScriptedService)
    return app.service


def said(app: PexApp) -> str:
    return app.parting_words.replace("\n", " ")


def shows(app: PexApp, state: RunState) -> bool:
    return app.run_state == state


def ended(state: RunState) -> RunState:
    return replace(
        state, stage=RunStage.FINISHED, outcome=Outcome.INTERRUPTED, exit_code=130, seq=999
    )


async def test_the_run_is_served_by_a_worker_of_the_app(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test() as pilot:
        await up(pilot)
        await asyncio.wait_for(session_of(app).served.wait(), 5)
        assert {worker.group for worker in app.workers} >= {"engine"}
        assert {worker.node for worker in app.workers if worker.group == "engine"} == {app}


async def test_leaving_a_finished_run_ends_with_its_exit_code(open_app: OpenApp) -> None:
    app = open_app(states.broken())
    async with app.run_test() as pilot:
        await up(pilot)
        await pilot.press("q")
        await until(pilot, lambda: app.return_code is not None)
    assert app.return_code == 4
    assert session_of(app).was_let_go


async def test_leaving_says_where_the_work_lies_that_is_not_on_the_users_branch(
    open_app: OpenApp,
) -> None:
    app = open_app(replace(states.finished(), land_status=LandStatus.NOT_ASKED))
    async with app.run_test(size=(120, 36)) as pilot:
        await up(pilot)
        await until_shown(pilot, "not merged into main: press L")
        await pilot.press("q")
        await until(pilot, lambda: app.return_code is not None)

    assert "not merged into main. `pex-tui land 7f3a` merges it." in said(app)


async def test_leaving_an_aborted_run_says_how_it_continues(open_app: OpenApp) -> None:
    done = states.finished()
    tasks = tuple(replace(task, aborted_with_run=True) for task in done.tasks)
    app = open_app(replace(done, tasks=tasks))
    async with app.run_test(size=(120, 36)) as pilot:
        await up(pilot)
        await pilot.press("q")
        await until(pilot, lambda: app.return_code is not None)

    assert "`pex-tui resume 7f3a` continues what was aborted." in said(app)


async def test_why_the_work_did_not_get_to_the_branch_is_told_in_full(open_app: OpenApp) -> None:
    app = open_app(replace(states.finished(), land_status=LandStatus.RUNNING))
    async with app.run_test(size=(80, 24)) as pilot:
        await up(pilot)
        refused = replace(
            states.finished(),
            land_status=LandStatus.REFUSED,
            land_detail="Not committed in shop: a.py. Commit or stash it.",
            seq=999,
        )
        session_of(app).publish(refused)
        await until_shown(pilot, "Commit or stash it.")


async def test_a_run_that_nobody_drives_any_more_is_not_called_running(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await up(pilot)
        await until_shown(pilot, "running")
        session_of(app).failure = UserError("the disk is full.")
        session_of(app).over.set()
        await until_shown(pilot, "not driven")


async def test_leaving_a_live_run_asks_and_staying_stays(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test() as pilot:
        await up(pilot)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        assert app.return_code is None
        assert not session_of(app).was_let_go


async def test_the_demo_that_was_not_left_for_is_not_shown_later(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await up(pilot)
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
        await pilot.press("d")
        await until(pilot, lambda: app.return_code is not None)

    assert not app.wants_demo


async def test_detaching_hands_the_run_over_and_says_how_to_come_back(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test() as pilot:
        await up(pilot)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
        await pilot.press("d")
        await until(pilot, lambda: app.return_code is not None)
    assert session_of(app).was_let_go
    assert service_of(app).handed_over == ["7f3a"]
    assert app.return_code == 0
    assert "pex-tui resume 7f3a" in said(app)


async def test_stopping_drains_and_leaves_once_the_run_has_ended(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test() as pilot:
        await up(pilot)
        for kill in (False, True):
            await pilot.press("q")
            await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
            await pilot.press("s")
            await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
            assert session_of(app).posted[-1] == RunDrainRequested(by="you", kill=kill)
        session_of(app).publish(ended(states.busy()))
        await until(pilot, lambda: app.return_code is not None)
    assert app.return_code == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
async def test_a_signal_lets_the_run_go_and_says_how_to_resume(
    open_app: OpenApp, number: signal.Signals
) -> None:
    app = open_app()
    with signals_heeded(app):
        async with app.run_test() as pilot:
            await up(pilot)
            os.kill(os.getpid(), number)
            await until(pilot, lambda: app.return_code is not None)
    assert session_of(app).was_let_go
    assert app.return_code == 130
    assert "pex-tui resume 7f3a" in said(app)


async def test_further_signals_and_q_do_not_disturb_an_app_that_is_leaving(
    open_app: OpenApp,
) -> None:
    app = open_app()
    with signals_heeded(app):
        async with app.run_test() as pilot:
            await up(pilot)
            session_of(app).lets_go.clear()
            await pilot.press("q")
            await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
            os.kill(os.getpid(), signal.SIGTERM)
            await until(pilot, lambda: session_of(app).was_let_go)
            os.kill(os.getpid(), signal.SIGHUP)
            app.action_leave()
            await pilot.pause()
            session_of(app).lets_go.set()
            await until(pilot, lambda: app.return_code is not None)
    assert app.return_code == 130


async def test_a_signal_before_the_app_has_started_ends_it(open_app: OpenApp) -> None:
    app = open_app()
    with signals_heeded(app):
        os.kill(os.getpid(), signal.SIGTERM)
        async with app.run_test() as pilot:
            await until(pilot, lambda: app.return_code is not None)
    assert app.return_code == 130


async def test_keys_that_send_signals_are_for_the_editor_that_has_the_terminal(
    open_app: OpenApp,
) -> None:
    app = open_app()
    with signals_heeded(app):
        async with app.run_test() as pilot:
            await up(pilot)
            app.lends_terminal = True
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGQUIT)
            await pilot.pause()
            assert not app.controller.is_leaving


async def test_a_process_that_does_not_end_is_ended_after_the_grace(open_app: OpenApp) -> None:
    app, ended = open_app(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(code: int) -> None:
        assert code == 130
        loop.call_soon_threadsafe(ended.set)

    with signals_heeded(app, grace_seconds=0.0, end=end):
        async with app.run_test() as pilot:
            await up(pilot)
            session_of(app).lets_go.clear()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(ended.wait(), 60)
            session_of(app).lets_go.set()


async def test_an_error_in_a_screen_is_kept_for_the_log_and_not_printed(
    open_app: OpenApp, capfd: pytest.CaptureFixture[str]
) -> None:
    app = open_app()
    with pytest.raises(ZeroDivisionError):  # noqa: PT012  # raised as the app ends
        async with app.run_test() as pilot:
            await up(pilot)
            app.call_later(lambda: 1 / 0)
            await until(pilot, lambda: app.crash is not None)
    assert isinstance(app.crash, ZeroDivisionError)
    assert "Traceback" not in capfd.readouterr().err


async def test_an_engine_that_fails_is_shown(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test() as pilot:
        await up(pilot)
        session_of(app).failure = UserError("the disk is full. Make room.")
        session_of(app).over.set()
        await until(pilot, lambda: app.engine_error)
        assert "the disk is full" in app.engine_error
        assert "pex-tui resume 7f3a" in app.engine_error
        assert not app.controller.is_live


async def test_what_is_asked_of_a_run_without_an_engine_resumes_it(open_app: OpenApp) -> None:
    app = open_app(states.broken())
    async with app.run_test() as pilot:
        await up(pilot)
        session_of(app).over.set()
        await until(pilot, lambda: not session_of(app).is_driven)
        fresh = ScriptedSession(states.broken())
        service_of(app).session = fresh
        await pilot.press("r")
        await until(pilot, lambda: fresh.posted)
        assert service_of(app).resumed == ["7f3a"]
        assert fresh.posted == [RetryRequested(task=TaskId("build"), by="you")]


async def test_a_run_that_cannot_be_resumed_says_why(open_app: OpenApp) -> None:
    app = open_app(states.broken())
    async with app.run_test() as pilot:
        await up(pilot)
        session_of(app).over.set()
        await until(pilot, lambda: not session_of(app).is_driven)
        service_of(app).session = None
        await pilot.press("r")
        await until(pilot, lambda: len(app._notifications))
        assert [note.message for note in app._notifications] == [
            "another engine holds this repository."
        ]


async def test_a_conflict_that_opens_is_announced_once(open_app: OpenApp) -> None:
    app = open_app(states.calm())
    async with app.run_test(size=(120, 36)) as pilot:
        await up(pilot)
        for seq in (1, 2):
            state = replace(states.busy(), seq=1000 + seq)
            session_of(app).publish(state)
            await until(pilot, partial(shows, app, state))
        messages = [note.message for note in app._notifications]
        assert messages == ["refunds and docs conflict in src/pay/api.py. c resolves it."]


async def test_many_states_fold_into_few_repaints(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app()
    shown: list[int] = []
    original = MonitorScreen.watch_run_state

    def counting(screen: Any) -> None:
        if screen.run_state is not None:
            shown.append(screen.run_state.seq)
        original(screen)

    monkeypatch.setattr(MonitorScreen, "watch_run_state", counting)
    async with app.run_test() as pilot:
        await up(pilot)
        for seq in range(1, 501):
            session_of(app).publish(replace(states.busy(), seq=1000 + seq))
        await until(pilot, lambda: shown and shown[-1] == 1500)
        assert len(shown) < 20


def test_a_newer_state_replaces_an_unread_one() -> None:
    message = StatePublished(states.busy())
    assert message.can_replace(StatePublished(states.calm()))


async def test_the_palette_knows_the_keys_of_the_screen(open_app: OpenApp) -> None:
    app = open_app()
    async with app.run_test() as pilot:
        await up(pilot)
        await pilot.press("colon", *"pause")
        await until(pilot, lambda: app.screen.query("CommandList OptionList, CommandList"))
        options = app.screen.query_one("CommandList")
        await until(pilot, lambda: options.option_count)  # type: ignore[attr-defined]  # a list
        await pilot.press("enter")
        await until(pilot, lambda: session_of(app).posted)
        assert session_of(app).posted == [PauseRequested(task=TaskId("models"), by="you")]


@pytest.mark.parametrize("theme", sorted(BUILTIN_THEMES)[::3])
async def test_every_theme_of_textual_works(open_app: OpenApp, theme: str) -> None:
    app = open_app(theme=theme)
    async with app.run_test(size=(80, 24)) as pilot:
        await up(pilot)
        assert app.theme == theme


def test_our_themes_set_every_shade() -> None:
    themes = {theme.name: theme for theme in load_themes(THEMES)}
    assert set(themes) == {"ember", "paper", "contrast"}
    for theme in themes.values():
        shades = {name for name in variable_defaults(theme) if name in theme.variables}
        assert shades == {
            "agent-dim",
            "agent-faint",
            "agent-track",
            "agent-cursor",
            "agent-border",
        }


def test_an_unknown_theme_is_refused_with_the_known_ones(open_app: OpenApp) -> None:
    with pytest.raises(UserError, match=r'there is no theme "neon".*ember'):
        open_app(theme="neon")


def test_a_file_that_is_no_theme_is_refused_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text("colour = 1\n")
    with pytest.raises(UserError, match=r"odd\.toml: this is not a theme"):
        load_themes(tmp_path)


async def test_a_run_that_ends_while_leaving_is_asked_about_is_left_at_once(
    open_app: OpenApp,
) -> None:
    app = open_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: isinstance(app.screen, LeaveScreen))
        session_of(app).publish(states.finished())
        await until(pilot, lambda: app.return_code is not None)

    assert session_of(app).posted == []
    assert app.return_code == states.finished().exit_code


@pytest.mark.parametrize("classic", [False, True])
async def test_the_screen_follows_any_size_live(open_app: OpenApp, *, classic: bool) -> None:
    app = open_app(states.crowded(), classic=classic)
    async with app.run_test(size=(80, 24)) as pilot:
        for size in ((300, 100), (20, 5), (1, 1), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            for key in ("f2", "f3", "f4", "f5", "f6", "f1", "f3"):
                await pilot.press(key)
                await pilot.pause()
            assert app.is_running
        await until_shown(pilot, "models")


async def test_a_theme_of_the_users_own_is_used(tmp_path: Path) -> None:
    ember = (TESTS.parent / "themes" / "ember.toml").read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(ember.replace('"ember"', '"mine"'), encoding="utf-8")
    app = app_on(ScriptedService(), theme="mine", themes=(tmp_path,))

    assert app.current_theme.name == "mine"


async def test_a_broken_theme_of_the_users_is_named(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("name = [", encoding="utf-8")

    with pytest.raises(UserError, match=r"mine\.toml: this is not a theme"):
        app_on(ScriptedService(), themes=(tmp_path,))


async def test_what_keeps_the_app_from_opening_ends_it_and_is_handed_on() -> None:
    async def opening(_: Planning) -> Opened:
        raise UserError("there is no repository here.")

    app = PexApp(opening)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.failure is not None)

    assert app.failure is not None
    assert app.failure.message == "there is no repository here."
