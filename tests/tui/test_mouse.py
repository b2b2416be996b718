"""Every key's action is also available by mouse."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.help import HelpScreen
from pex_tui.tui.screens.modals import LineScreen, TextScreen
from pex_tui.tui.screens.monitor import MonitorScreen
from pex_tui.tui.screens.pick import PickScreen
from pex_tui.tui.screens.plan import PlanScreen
from pex_tui.tui.screens.task_form import TaskForm
from pex_tui.tui.widgets.detail import TABS, DetailPanel
from pex_tui.tui.widgets.task_table import TaskTable
from tests.tui import states
from tests.tui.conftest import OpenApp
from tests.tui.drafts import twelve
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until, until_shown

USUAL = (120, 36)


@pytest.fixture
def review() -> PexApp:
    service = ScriptedService(ScriptedSession(states.fresh()))
    return app_on(service, start=twelve(), symbols="line", now=lambda: states.NOW)


async def click_on(pilot: Pilot[None], words: str) -> None:
    """Click on the last occurrence of these words."""
    lines = screen_text(pilot.app).splitlines()
    y = max(row for row, line in enumerate(lines) if words in line)
    await pilot.click(offset=(lines[y].rindex(words) + 1, y))


@pytest.mark.parametrize(
    ("key", "box"),
    [("w", PickScreen), ("exclamation_mark", TextScreen), ("o", LineScreen), ("e", TaskForm)],
)
async def test_a_click_beside_a_box_or_on_its_hint_closes_it(
    review: PexApp, key: str, box: type
) -> None:
    async with review.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "api-spec")
        for out in ("beside", "hint"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(review.screen, box))
            await until_shown(pilot, "esc ")
            if out == "beside":
                await pilot.click(offset=(1, 20))
            else:
                await click_on(pilot, "esc ")
            await until(pilot, lambda: isinstance(review.screen, PlanScreen))


async def test_a_form_is_saved_from_its_hint(review: PexApp) -> None:
    async with review.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "api-spec")
        await pilot.press("e")
        await until_shown(pilot, "ctrl+s saves")
        await pilot.press("end", "2")
        await click_on(pilot, "ctrl+s saves")
        await until(pilot, lambda: isinstance(review.screen, PlanScreen))
        await until_shown(pilot, "schema2")


async def test_a_line_is_entered_from_its_hint(
    review: PexApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with review.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "api-spec")
        await pilot.press("o")
        await until_shown(pilot, "saves")
        await click_on(pilot, "saves")
        await until(pilot, (tmp_path / "plan.yaml").exists)


async def test_a_click_beside_help_closes_it(open_app: OpenApp) -> None:
    app = open_app(states.busy())
    async with app.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "contracts")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        await pilot.click(offset=(1, 20))
        await until(pilot, lambda: isinstance(app.screen, MonitorScreen))


async def test_a_click_on_a_tab_shows_it(open_app: OpenApp) -> None:
    app = open_app(states.busy())
    async with app.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "4 Info")
        for number, tab in reversed([*enumerate(TABS, 1)]):
            await click_on(pilot, f"{number} {tab.title()}")
            await until(pilot, lambda tab=tab: app.screen.query_one(DetailPanel).tab == tab)  # type: ignore[misc]  # bound at once


async def test_a_click_on_a_task_of_the_graph_selects_it(review: PexApp) -> None:
    async with review.run_test(size=USUAL) as pilot:
        await until_shown(pilot, "api-spec")
        lines = screen_text(review).splitlines()
        y = next(row for row, line in enumerate(lines) if "routes" in line)
        await pilot.click(offset=(lines[y].index("routes") + 2, y))
        await until(pilot, lambda: review.screen.query_one(TaskTable).cursor_row == 4)
