from pathlib import Path

import pytest
from textual.widgets import DataTable

from pex_tui.core.ids import TaskId
from pex_tui.engine.session import PlanDraft
from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.modals import TextScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.screens.plan import PlanScreen
from tests.tui import states
from tests.tui.drafts import small, twelve
from tests.tui.hosts import ScriptedSession, ScriptedWorkshop
from tests.tui.waiting import until


@pytest.fixture
def workshop() -> ScriptedWorkshop:
    return ScriptedWorkshop(ScriptedSession(states.fresh()))


@pytest.fixture
def app(workshop: ScriptedWorkshop) -> PexApp:
    return PexApp(workshop, start=twelve(), symbols="line", now=lambda: states.NOW)


def screen_draft(app: PexApp) -> PlanDraft | None:
    """The plan that is being reviewed."""
    return app.draft


def screen_of(app: PexApp) -> PlanScreen:
    assert isinstance(app.screen, PlanScreen)
    return app.screen


async def test_enter_starts_the_run_and_shows_it(app: PexApp, workshop: ScriptedWorkshop) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))

        assert [draft.name for draft in workshop.started] == ["add-payments-api"]


async def test_space_switches_a_task_off_and_u_takes_it_back(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("j", "space")
        draft = screen_of(app).draft
        assert draft is not None
        assert [spec.id for spec in draft.plan.tasks if not spec.enabled] == [TaskId("api-spec")]

        await pilot.press("u")
        draft = screen_of(app).draft
        assert draft is not None
        assert all(spec.enabled for spec in draft.plan.tasks)


async def test_j_and_k_move_the_selection(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("j", "j", "k")

        assert screen_of(app).query_one(DataTable).cursor_row == 1


@pytest.mark.parametrize("key", ["w", "exclamation_mark"])
async def test_what_if_and_warnings_open_and_close(app: PexApp, key: str) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press(key)
        assert isinstance(app.screen, TextScreen)

        await pilot.press("escape")
        assert isinstance(app.screen, PlanScreen)


async def test_o_saves_the_plan_beside_and_overwrites_nothing(
    app: PexApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("o")
        await pilot.pause()
        await pilot.press("o")
        await pilot.pause()

    saved = sorted(path.name for path in tmp_path.iterdir())
    assert saved == ["add-payments-api.reviewed-2.yaml", "add-payments-api.reviewed.yaml"]
    assert "id: schema" in (tmp_path / saved[1]).read_text(encoding="utf-8")


async def test_a_run_that_cannot_start_says_why(app: PexApp, workshop: ScriptedWorkshop) -> None:
    workshop.session = None
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))

        assert workshop.started == [screen_draft(app)]


async def test_a_small_terminal_shows_the_plan_as_well(workshop: ScriptedWorkshop) -> None:
    app = PexApp(workshop, start=small(), symbols="ascii", now=lambda: states.NOW)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()

        assert screen_of(app).query_one(DataTable).row_count == 3
