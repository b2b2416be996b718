"""Past runs: compared, run again, written to a file."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.state import Outcome
from pex_tui.core.undo_values import RollbackPlan, RollbackPreview, UndoOffer
from pex_tui.engine.session import RunFigures, RunSummary
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.history import HistoryScreen
from pex_tui.tui.screens.home import HomeScreen
from pex_tui.tui.screens.modals import ConfirmScreen, LineScreen, TextScreen
from pex_tui.tui.screens.plan import PlanScreen
from pex_tui.tui.widgets.run_table import RunTable
from tests.tui import states
from tests.tui.drafts import twelve
from tests.tui.hosts import ScriptedService, app_on
from tests.tui.waiting import screen_text, until, until_shown

RUNS = (("7f3a", Outcome.FAILED), ("4c6d", Outcome.OK))


COMMIT = CommitId("c" * 40)
PREVIEW = RollbackPreview(
    RollbackPlan(
        RunId("7f3a"), (TaskId("api"),), "pex/7f3a", COMMIT, COMMIT, COMMIT, "main", (COMMIT,), 0
    )
)


@pytest.fixture
def service() -> ScriptedService:
    made = ScriptedService()
    made.summaries = tuple(
        RunSummary(
            RunId(run),
            "Harden the API",
            states.START,
            outcome,
            3,
            4,
            95.0,
            figures=RunFigures(80.0, 2.5, 1, 0.75),
        )
        for run, outcome in RUNS
    )
    return made


@pytest.fixture
def app(service: ScriptedService) -> PexApp:
    return app_on(service, symbols="line", now=lambda: states.NOW)


async def history(pilot: Pilot[None]) -> None:
    """Open the history, and wait until the runs are listed."""
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("f5")
    await until(pilot, lambda: isinstance(pilot.app.screen, HistoryScreen))
    await until(pilot, lambda: pilot.app.screen.query_one(RunTable).row_count == len(RUNS))
    await until_shown(pilot, "Report of run 7f3a")


async def test_runs_come_with_their_figures(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        shown = screen_text(app)
        assert "1 succeeded   1 failed   median speed-up 2.5×   conflicts per run 1.0" in shown
        assert "$0.75" in shown
        assert "1:20" in shown  # as in the report: without paused time


async def test_c_twice_compares_two_runs(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        await pilot.press("c")
        await until_shown(pilot, "c on another run compares it with 7f3a")
        await pilot.press("j", "c")
        await until_shown(pilot, "Run 7f3a against 4c6d")


async def test_c_twice_on_one_run_gives_it_up(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        await pilot.press("c")
        await until_shown(pilot, "compares it with 7f3a")
        await pilot.press("c")
        await until(pilot, lambda: "compares it with" not in screen_text(app))


async def test_capital_r_reviews_the_plan_of_the_run(app: PexApp, service: ScriptedService) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        assert "there is no such plan" in screen_text(app)
        await pilot.press("escape")
        service.draft = twelve()
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, PlanScreen))


async def test_x_writes_the_report_and_asks_before_it_replaces_a_file(
    app: PexApp, service: ScriptedService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.html").write_text("mine")
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        await pilot.press("enter")
        await until(pilot, lambda: service.exported)

        await until(pilot, lambda: isinstance(app.screen, HistoryScreen))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, LineScreen))
        app.screen.query_one(Input).value = "mine.html"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, HistoryScreen))

    assert service.exported == [(RunId("7f3a"), Path("pex-7f3a.html"))]


async def test_a_run_is_rolled_back_once_confirmed(app: PexApp, service: ScriptedService) -> None:
    lines = ("Run 7f3a: rolls back api", "  main gets 1 revert commit")
    service.offer = UndoOffer(lines, rollback=PREVIEW)
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        await pilot.press("u")
        await until_shown(pilot, "main gets 1 revert commit")
        assert "rolls back api   main" not in screen_text(app)  # each branch has its line
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, HistoryScreen))
        assert service.undone == []

        await pilot.press("u")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: service.undone == [service.offer])


async def test_what_was_rolled_back_is_brought_back(app: PexApp, service: ScriptedService) -> None:
    service.offer = UndoOffer(("Run 7f3a: brings back api on pex/7f3a",))
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        await pilot.press("u")
        await until_shown(pilot, "Bring back?")
        await pilot.press("y")
        await until(pilot, lambda: len(service.undone) == 1)


async def test_why_nothing_can_be_undone_is_shown(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await history(pilot)
        await pilot.press("u")
        await until_shown(pilot, "Run 7f3a has not landed")
