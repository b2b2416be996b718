import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Input

from pex_tui.core.model.ids import RunId
from pex_tui.core.model.state import Outcome
from pex_tui.engine.session import CheckLevel, DoctorCheck, RunSummary
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.help import HelpScreen
from pex_tui.tui.screens.history import HistoryScreen
from pex_tui.tui.screens.home import HomeScreen
from pex_tui.tui.screens.modals import ConfirmScreen, LineScreen, TextScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.screens.plan import PlanScreen
from pex_tui.tui.screens.planning import PlanningScreen
from pex_tui.tui.widgets.run_table import RunTable
from tests.tui import states
from tests.tui.drafts import twelve
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until, until_shown


def past(run: str, outcome: Outcome) -> RunSummary:
    return RunSummary(RunId(run), "Harden the API", states.START, outcome, 3, 4, 95.0)


@pytest.fixture
def service() -> ScriptedService:
    made = ScriptedService(ScriptedSession(states.fresh()))
    made.summaries = (past("7f3a", Outcome.INTERRUPTED), past("4c6d", Outcome.OK))
    return made


@pytest.fixture
def app(service: ScriptedService) -> PexApp:
    return app_on(service, symbols="line", now=lambda: states.NOW)


def rows(app: PexApp) -> int:
    return app.screen.query_one(RunTable).row_count


async def test_an_interrupted_run_is_taken_up_again(app: PexApp, service: ScriptedService) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and rows(app) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert not service.resumed
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))

    assert service.resumed == ["7f3a"]


async def test_a_run_that_ended_well_shows_its_report(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and rows(app) == 2)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_a_plan_is_opened_by_its_path(
    app: PexApp, service: ScriptedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nightly.yaml").touch()
    monkeypatch.chdir(tmp_path)
    service.draft = twelve()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("n")
        await until(pilot, lambda: bool(app.screen.query_one(Input)._suggestion))
        await pilot.press("right")
        assert app.screen.query_one(Input).value == "nightly.yaml"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))


async def test_a_plan_that_cannot_be_used_says_why(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("x", "enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))


async def test_a_busy_repository_is_said_in_words(app: PexApp, service: ScriptedService) -> None:
    service.session = None
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and rows(app) == 2)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))


async def test_history_shows_the_report_of_the_selected_run(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, HistoryScreen) and rows(app) == 2)
        await pilot.press("j", "y")
        await until(pilot, lambda: app.clipboard == "4c6d")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_help_opens_and_closes_with_one_key(app: PexApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


async def test_d_leaves_for_the_demo_once_confirmed(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and rows(app) == 2)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert not app.wants_demo
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: app.return_code is not None)

    assert app.wants_demo


async def test_n_asks_for_a_goal_and_reviews_the_plan_for_it(
    app: PexApp, service: ScriptedService
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert service.goals == []

        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        app.screen.query_one(Input).value = "mend the tests"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

        service.draft = replace(twelve(), reasons=("Two stages, as the goal names two.",))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        app.screen.query_one(Input).value = "mend the tests"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))
        await until_shown(pilot, "press ! for why")
        await pilot.press("exclamation_mark")
        await until_shown(pilot, "Two stages, as the goal names two.")

    assert service.goals == ["mend the tests", "mend the tests"]


async def test_while_an_agent_plans_a_box_tells_and_escape_goes_past_it(
    app: PexApp, service: ScriptedService
) -> None:
    service.draft = twelve()
    service.planner_words = ("meta-agent (claude) plans", "Read \x1b[31mshop.py")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("n", *"Fix", "enter")
        await until(pilot, lambda: isinstance(app.screen, PlanningScreen))
        await until_shown(pilot, "meta-agent (claude) plans")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))

    assert service.goals == ["Fix"]


async def test_the_function_keys_show_every_screen(app: PexApp, service: ScriptedService) -> None:
    service.draft = twelve()
    shown = []
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        for number in range(1, 7):
            await pilot.press(f"f{number}")
            await pilot.pause()
            await pilot.pause()
            shown.append(app.current_mode)

    assert shown == ["home", "plan", "monitor", "conflict", "history", "inbox"]


async def test_in_ascii_the_tables_are_ascii_too(service: ScriptedService) -> None:
    app = app_on(service, symbols="ascii", now=lambda: states.NOW)
    service.draft = twelve()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and rows(app) == 2)
        assert screen_text(app).isascii()
        await pilot.press("f5")
        await until(pilot, lambda: isinstance(app.screen, HistoryScreen) and rows(app) == 2)
        assert screen_text(app).isascii()
        app.open_draft(twelve())
        await until_shown(pilot, "RISK")
        assert screen_text(app).isascii()


async def test_how_to_get_what_is_missing_is_told_to_its_last_word(
    app: PexApp, service: ScriptedService
) -> None:
    remedy = " ".join(f"word{number}" for number in range(20))
    service.findings = (DoctorCheck(CheckLevel.BAD, "state", "can't be written", remedy),)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "word19")
        assert remedy.split() == re.findall(r"word\d+", screen_text(app))


async def test_a_report_has_the_room_that_a_few_runs_leave(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and rows(app) == 2)
        await pilot.press("f5")
        await until_shown(pilot, "Report of run")
        assert app.screen.query_one("#report").size.height > 20
