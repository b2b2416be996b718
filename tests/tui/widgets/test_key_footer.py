from itertools import pairwise

import pytest

from pex_tui.tui.app import PexApp
from pex_tui.tui.screens.help import HelpScreen
from pex_tui.tui.widgets.key_footer import KeyFooter
from tests.tui import states
from tests.tui.drafts import twelve
from tests.tui.hosts import ScriptedService, ScriptedSession, app_on
from tests.tui.waiting import screen_text, until


def told(app: PexApp) -> list[str]:
    """Return the footer's keys, with their words."""
    return [key.text for key in app.screen.query_one(KeyFooter).keys]


@pytest.fixture
def app() -> PexApp:
    service = ScriptedService(ScriptedSession(states.fresh()))
    return app_on(service, start=twelve(), symbols="line", now=lambda: states.NOW)


async def test_with_room_every_key_of_a_screen_is_told(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        assert {"o Save", "? Help", "^p palette"} <= set(told(app))


@pytest.mark.parametrize("width", [24, 40, 60, 80, 100])
async def test_no_key_is_cut_and_help_and_leaving_are_always_there(app: PexApp, width: int) -> None:
    async with app.run_test(size=(width, 24)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        assert "? Help" in told(app)
        line = screen_text(app).splitlines()[-1]
        cells = [cells for cells, _ in app.screen.query_one(KeyFooter).places]
        assert [line[at.start : at.stop] for at in cells] == told(app)
        assert all(before.stop < after.start for before, after in pairwise(cells))


async def test_keys_come_back_when_there_is_room_again(app: PexApp) -> None:
    async with app.run_test(size=(60, 24)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        assert "w What-if" not in told(app)
        await pilot.resize_terminal(120, 36)
        await until(pilot, lambda: "w What-if" in told(app))


@pytest.mark.paints
async def test_keys_that_stay_the_same_are_not_painted_anew(app: PexApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "q Leave" in told(app))
        footer = app.screen.query_one(KeyFooter)
        painted: list[int] = []
        footer.render_line = painted.append  # type: ignore[method-assign, assignment]
        app.screen.refresh_bindings()
        await pilot.pause()
        await pilot.pause()
        assert painted == []


async def test_a_key_under_the_mouse_is_told_of_and_a_click_presses_it(app: PexApp) -> None:
    async with app.run_test(size=(60, 24)) as pilot:
        await until(pilot, lambda: "? Help" in told(app))
        footer = app.screen.query_one(KeyFooter)
        at = {key.action: (cells.start, 0) for cells, key in footer.places}
        await pilot.hover(footer, offset=at["command_palette"])
        assert "palette" in str(footer.tooltip)
        await pilot.hover(footer, offset=at["help"])
        assert footer.tooltip is None
        await pilot.click(footer, offset=at["help"])
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
